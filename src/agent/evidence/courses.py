"""Answers of a metrics API as courses: each named by its metric and those labels that tell it from its siblings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ..kit.redact import redact_values
from ..model.bundle import Course
from .naming import component_of

if TYPE_CHECKING:
    import numpy as np

LONGEST_NAME: Final = 300
IDENTITY: Final = frozenset(
    ("job", "instance", "namespace", "pod", "container", "cluster", "target", "replica", "node")
)
"""Labels that only say where a series comes from: left out of a name where all series of that name share them."""


@dataclass(frozen=True)
class Told:
    """One series as it came. ``name`` stands in where the labels hold none; ``owner`` where they name no component."""

    labels: Mapping[str, str]
    at: np.ndarray
    values: np.ndarray
    name: str
    owner: str

    @property
    def metric(self) -> str:
        """The metric's name."""
        return self.labels.get("__name__") or self.name


@dataclass
class Notes:
    """What was left out of answers; counted, for there may be much of it."""

    malformed: int = 0
    infinite: int = 0
    series_infinite: int = 0
    said: list[str] = field(default_factory=list)

    def texts(self) -> list[str]:
        """In words."""
        found = list(self.said)
        if self.malformed:
            found.append(f"{self.malformed} series could not be read: left out")
        if self.infinite:
            found.append(f"{self.infinite} values of {self.series_infinite} series are no finite numbers: left out")
        return found


def told(data: Any, notes: Notes, *, name: str = "", owner: str = "", quiet: bool = False) -> list[Told]:
    """The series of an answer to a range query; ``quiet`` where values that are no number are nothing to speak of."""
    result = data.get("result") if isinstance(data, dict) else None
    found = []
    for item in result if isinstance(result, list) else ():
        one = _one(item, notes, name=name, owner=owner, quiet=quiet)
        if one is not None:
            found.append(one)
    return found


def _one(item: Any, notes: Notes, *, name: str, owner: str, quiet: bool) -> Told | None:
    import numpy as np

    try:
        labels = {str(key): str(value) for key, value in item["metric"].items()}
        rows = item.get("values")
        if rows is None:
            # A native histogram has no value of its own; how often it was counted is one.
            rows = [[at, histogram["count"]] for at, histogram in item["histograms"]]
            labels["__name__"] = f"{labels.get('__name__') or name}_count"
        at = np.array([row[0] for row in rows], dtype=float)
        values = np.array([row[1] for row in rows], dtype=float)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        notes.malformed += 1
        return None
    clean_at, clean_values = cleaned(at, values)
    lost = int((~np.isfinite(values)).sum())
    if lost and not quiet:
        notes.infinite += lost
        notes.series_infinite += 1
    return Told(labels, clean_at, clean_values, name, owner) if len(clean_at) else None


def cleaned(at: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Finite values in the order of time; of several of one moment the last counts."""
    import numpy as np

    finite = np.isfinite(values) & np.isfinite(at)
    at, values = at[finite], values[finite]
    if len(at) < 2 or (np.diff(at) > 0).all():  # noqa: PLR2004 - one point is in order
        return at, values
    order = np.argsort(at, kind="stable")
    at, values = at[order], values[order]
    last = np.append(np.diff(at) > 0, True)
    return at[last], values[last]


def courses(series: Iterable[Told], names: Sequence[str]) -> tuple[Course, ...]:
    """As courses, each once; ``names`` are the labels that may name a component."""
    groups: dict[tuple[str, str], list[Told]] = defaultdict(list)
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for one in series:
        key = one.metric, tuple(sorted(one.labels.items()))
        if key not in seen:
            seen.add(key)
            groups[component_of(one.labels, names, one.owner), one.metric].append(one)
    found: dict[tuple[str, str], Course] = {}
    for (component, metric), members in groups.items():
        shared = _shared(members, component, names)
        for one in members:
            name = _named(metric, {key: value for key, value in one.labels.items() if key not in shared})
            owner = _plain(component)
            found.setdefault((owner, name), Course(owner, name, one.at, one.values))
    return tuple(found.values())


def _shared(members: Sequence[Told], component: str, names: Sequence[str]) -> set[str]:
    """Labels that tell nothing: the name itself, what names the component, and where all of them come from."""
    first = members[0].labels
    same = {key for key, value in first.items() if all(one.labels.get(key) == value for one in members)}
    naming = {key for key in same if key in names and first[key] == component}
    return {"__name__", *naming, *(same & IDENTITY)}


def _named(metric: str, labels: Mapping[str, str]) -> str:
    """``metric{label="value"}``, harmless to show; names are no secrets, values may be."""
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(redact_values(labels).items()))
    return _plain(f"{metric}{{{inside}}}" if inside else metric)


def _plain(text: str) -> str:
    """Without what cannot be seen, and not too long."""
    return "".join(char for char in text[: 4 * LONGEST_NAME] if char.isprintable())[:LONGEST_NAME]


@dataclass(frozen=True)
class Counted:
    """How many series each metric had at most, and when the first of them was seen."""

    most: Mapping[str, int]
    first: float | None


def counted(data: Any) -> Counted:
    """Reads the answer to a count of series by metric."""
    most: dict[str, int] = {}
    series = told(data, Notes())
    for one in series:
        most[one.metric] = max(most.get(one.metric, 0), int(one.values.max()))
    return Counted(most, min((float(one.at[0]) for one in series), default=None))
