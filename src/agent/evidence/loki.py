"""Loki as a source of logs: range queries by the labels that name the target, page by page within bounds.

The window is read in slices side by side, so that a busy end does not hide a quiet beginning. Of a slice that holds more
than its share the newest lines are read, and of what lies before them the errors only.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ..kit.http import HttpClient
from ..model.alert import Alert
from ..model.record import Window
from ..model.sources import Logs
from ..model.target import Target
from . import loglines
from .allowance import Allowance, Limits
from .api import Api
from .loglines import Entry
from .naming import component_labels, component_of, selecting
from .promql import quoted

SOURCE: Final = "loki"
LIMITS: Final = Limits()
SLICES: Final = 4
PAGE: Final = 1_000
LONGEST_WINDOW: Final = 24 * 3600.0
MOST_VALUES: Final = 20
NANO: Final = 1_000_000_000
NAMES: Final = ("service_name", "app", "container", "compose_service", "unit", "job", "instance")
ERRORS: Final = (
    r'(?i)(error|exception|traceback|fatal|panic|critical|severe|warn)|^\s+(File "|at |\.\.\. )|^\s{4}\S|^Caused by'
)
_TOO_MANY: Final = re.compile(r"max_entries_limit_per_query \(\d+ > (\d+)\)")


class Loki:
    """One Loki at a base address; implements `LogSource`."""

    name = SOURCE

    def __init__(self, http: HttpClient, url: str, limits: Limits | None = None) -> None:
        self._http, self._url, self._limits = http, url, limits or LIMITS

    def lines(self, target: Target, window: Window, alerts: Sequence[Alert]) -> Logs:
        """The lines of the window; never raises for a server that is down, slow or strange."""
        return _Look(Api(self._http, self._url, Allowance(SOURCE, self._limits)), target, window, alerts).taken()


@dataclass(frozen=True)
class _Slice:
    """A part of the window in nanoseconds, its end not included."""

    start: int
    end: int

    def __str__(self) -> str:
        first, last = (datetime.fromtimestamp(at / NANO, UTC) for at in (self.start, self.end))
        return f"{first:%H:%M:%S} to {last:%H:%M:%S}"


class _Look:
    """One look at one window."""

    def __init__(self, api: Api, target: Target, window: Window, alerts: Sequence[Alert]) -> None:
        self._api, self._target, self._alerts = api, target, alerts
        self._allowance = api.allowance
        self._labels = component_labels(target)
        self._index: frozenset[str] = frozenset()
        self._page = PAGE
        end = window.end.timestamp()
        start = max(window.start.timestamp(), end - LONGEST_WINDOW)
        if start > window.start.timestamp():
            self._allowance.gap(f"only the last {LONGEST_WINDOW / 3600:.0f} hours of the window were asked for")
        self._start, self._end = int(start * NANO), int(end * NANO) + 1

    def taken(self) -> Logs:
        """All of it."""
        selector = self._selector()
        if selector is None:
            return Logs(gaps=self._allowance.gaps)
        edges = [self._start + (self._end - self._start) * n // SLICES for n in range(SLICES + 1)]
        slices = [_Slice(*pair) for pair in itertools.pairwise(edges) if pair[0] < pair[1]]
        with ThreadPoolExecutor(SLICES, thread_name_prefix=SOURCE) as pool:
            parts = list(pool.map(lambda one: self._slice(selector, one), slices))
        entries = sorted((entry for part in parts for entry in part), key=lambda one: one[0])
        found = loglines.lines(self._entry(*one) for one in entries)
        if not found and not self._allowance.gaps:
            self._allowance.gap(f"{selector} has no lines in the window")
        return Logs(found, gaps=self._allowance.gaps)

    # -- which streams -----------------------------------------------------------------------------------------------

    def _selector(self) -> str | None:
        """The streams whose labels name the target or what the alerts are about; None where there are none."""
        answer = self._api.get("/loki/api/v1/labels", self._span(), "labels")
        if answer is None:
            return None
        self._index = (
            frozenset(one for one in answer if isinstance(one, str)) if isinstance(answer, list) else frozenset()
        )
        exact = self._exact()
        if exact:
            return exact
        wanted = {self._target.name, *(value for alert in self._alerts for value in self._about(alert).values())}
        for name in dict.fromkeys((*self._labels, *NAMES)):
            if name in self._index:
                hits = sorted(wanted & self._values(name))
                if hits:
                    return _selector({name: hits}, self._place())
        known = ", ".join(sorted(self._index)[:MOST_VALUES]) or "none"
        self._allowance.gap(f"no stream could be told to be of {self._target.name}; its labels are {known}")
        return None

    def _exact(self) -> str | None:
        """By the target's own matchers, where streams carry these labels."""
        matchers = {name: [value] for name, value in self._target.matchers.items() if name in self._index}
        fits = matchers and all(value[0] in self._values(name) for name, value in matchers.items())
        return _selector(matchers, {}) if fits else None

    def _about(self, alert: Alert) -> dict[str, str]:
        return {name: value for name, value in selecting(alert, self._target).items() if name in self._labels}

    def _place(self) -> dict[str, str]:
        """The namespace, where all alerts agree on one and streams have it."""
        named = {alert.labels.get("namespace", "") for alert in self._alerts}
        name = next(iter(named)) if len(named) == 1 else ""
        fits = name and "namespace" in self._index and name in self._values("namespace")
        return {"namespace": name} if fits else {}

    def _values(self, label: str) -> set[str]:
        answer = self._api.get(f"/loki/api/v1/label/{label}/values", self._span(), f"values of {label}")
        return {one for one in answer if isinstance(one, str)} if isinstance(answer, list) else set()

    def _span(self) -> dict[str, Any]:
        return {"start": self._start, "end": self._end}

    # -- which lines -------------------------------------------------------------------------------------------------

    def _slice(self, selector: str, part: _Slice) -> list[_Row]:
        """The newest lines of a slice, and the errors of what is older than these."""
        most = max(1, self._allowance.limits.lines // SLICES)
        rows, left = self._pages(selector, part, most)
        if left is None:
            return rows
        self._allowance.gap(f"{left}: more lines than are read, only errors and warnings")
        errors, more = self._pages(f"{selector} |~ {quoted(ERRORS)}", left, most // 2)
        if more is not None:
            self._allowance.gap(f"{more}: more errors than are read, left out")
        return errors + rows

    def _pages(self, query: str, part: _Slice, most: int) -> tuple[list[_Row], _Slice | None]:
        """Rows, oldest first, and what of the part was not read; None when all was."""
        found: list[_Row] = []
        seen: set[_Row] = set()
        end = part.end
        while len(found) < most:
            page, asked = self._rows(query, _Slice(part.start, end), most - len(found))
            if page is None:
                return found[::-1], None  # a gap says so already
            fresh = [row for row in page if row not in seen]
            found += fresh
            if len(page) < asked:
                return found[::-1], None
            oldest = page[-1][0]
            seen = {row for row in found if row[0] == oldest}
            # Others of the same moment may be on the next page; where a whole page is of one moment, they are left.
            end = oldest + 1 if fresh and oldest + 1 < end else oldest
        return found[::-1], _Slice(part.start, end) if end > part.start else None

    def _rows(self, query: str, part: _Slice, most: int) -> tuple[list[_Row] | None, int]:
        """One page, newest first, and how many rows it could have held."""
        asked = {"query": query, "start": part.start, "end": part.end, "direction": "backward"}
        limit = min(self._page, most)
        answer = self._api.ask("/loki/api/v1/query_range", {**asked, "limit": limit})
        fewer = _TOO_MANY.search(answer.refusal)
        if fewer:
            self._page = max(1, int(fewer[1]))
            limit = min(self._page, most)
            answer = self._api.ask("/loki/api/v1/query_range", {**asked, "limit": limit})
        if answer.refusal:
            self._allowance.gap(f"lines of {part}: {answer.refusal}")
        if answer.data is None:
            return None, limit
        return sorted(_rows_of(answer.data), key=lambda row: -row[0]), limit

    def _entry(self, at: int, text: str, labels: tuple[tuple[str, str], ...]) -> Entry:
        """Structured metadata comes among the labels; only the index tells which entries are of one stream."""
        named = dict(labels)
        stream = tuple(pair for pair in labels if pair[0] in self._index)
        rest = {name: value for name, value in named.items() if name not in self._index or name in loglines.LEVELS}
        component = component_of(named, (*self._labels, *NAMES), self._target.name)
        return Entry(at / NANO, stream, component, text, rest)


_Row = tuple[int, str, tuple[tuple[str, str], ...]]


def _rows_of(data: Any) -> Iterator[_Row]:
    """Time, text and labels of each entry; what is no entry is left out."""
    result = data.get("result") if isinstance(data, dict) else None
    for stream in result if isinstance(result, list) else ():
        labels = _labels(stream.get("stream")) if isinstance(stream, dict) else {}
        values = stream.get("values") if isinstance(stream, dict) else None
        for value in values if isinstance(values, list) else ():
            row = _row(value, labels)
            if row is not None:
                yield row


def _row(value: Any, labels: Mapping[str, str]) -> _Row | None:
    try:
        at, text, *rest = value
        own = dict(labels)
        # Where labels are told apart by where they come from, an entry brings its own.
        for kind in ("structuredMetadata", "parsed"):
            own.update(_labels(rest[0].get(kind)) if rest and isinstance(rest[0], dict) else {})
        return int(at), str(text), tuple(sorted(own.items()))
    except (ValueError, TypeError):
        return None


def _labels(value: Any) -> dict[str, str]:
    return {str(name): str(one) for name, one in value.items()} if isinstance(value, dict) else {}


def _selector(values: Mapping[str, Iterable[str]], place: Mapping[str, str]) -> str:
    """A LogQL stream selector."""
    matchers = []
    for name, some in values.items():
        names = list(some)[:MOST_VALUES]
        one = len(names) == 1
        matchers.append(f"{name}={quoted(names[0])}" if one else f"{name}=~{quoted('|'.join(map(re.escape, names)))}")
    matchers += [f"{name}={quoted(value)}" for name, value in place.items()]
    return "{" + ", ".join(matchers) + "}"
