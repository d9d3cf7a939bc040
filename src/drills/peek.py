"""A short look into an incident bundle, for the simple rules that the agent is compared with."""

from __future__ import annotations

import csv
import io
import json
import statistics
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Seen:
    """One change."""

    id: str
    kind: str
    component: str
    at: float


@dataclass(frozen=True)
class Peek:
    """What a rule may look at. ``loudest`` is the component of the series that moved furthest from its first half."""

    opened: float
    changes: Sequence[Seen]
    loudest: str

    def before(self, changes: Sequence[Seen]) -> Seen | None:
        """The newest of some changes that is older than the incident."""
        old = [one for one in changes if one.at <= self.opened]
        return max(old, key=lambda one: one.at, default=None)


def peek(bundle: Path) -> Peek:
    """Read a zip that was made well."""
    with zipfile.ZipFile(bundle) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    incident = json.loads(texts["incident.json"])
    rows = [json.loads(line) for line in texts.get("changes.ndjson", "").splitlines() if line]
    changes = [Seen(row["id"], row["kind"], row["component"], _at(row["timestamp"])) for row in rows]
    opened = _at(incident["opened_at"])
    return Peek(opened, changes, _loudest(texts.get("metrics.csv", ""), opened))


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _loudest(text: str, opened: float) -> str:
    """The component with the largest z-score: the last minutes before the incident against the first half."""
    series: dict[tuple[str, str], list[tuple[float, float]]] = {}
    known: dict[str, float] = {}
    for row in csv.DictReader(io.StringIO(text)):
        at = known.setdefault(row["timestamp"], _at(row["timestamp"]))
        series.setdefault((row["component"], row["metric"]), []).append((at, float(row["value"])))
    scores: dict[str, float] = {}
    for (component, _), points in series.items():
        points.sort()
        begins = points[0][0]
        early = [value for at, value in points if at < begins + (opened - begins) / 2]
        late = [value for at, value in points if abs(at - opened) < 300.0]  # noqa: PLR2004 - five minutes
        if len(early) > 2 and late:  # noqa: PLR2004 - a spread needs three
            spread = statistics.pstdev(early) or 1e-9
            scores[component] = max(
                scores.get(component, 0.0), abs(statistics.fmean(late) - statistics.fmean(early)) / spread
            )
    return max(scores, key=lambda name: scores[name], default="")
