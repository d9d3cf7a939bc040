"""What past scans say: handling minutes by depot, zone, weekday and hour, as ``features.json`` keeps them."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .intake import Scan
from .network import Network

VERSION = 1
LOW, HIGH = 0.2, 0.8  # the window that clients are told holds the middle three fifths


@dataclass(frozen=True)
class Group:
    """Handling minutes of a standard parcel without surcharge; ``low`` and ``high`` bound the middle three fifths."""

    n: int
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Features:
    """One run of the job. ``overall`` is the median of all durations in minutes: the naive estimate."""

    made_at: datetime
    newest_scan: datetime
    scans: int
    overall: float
    groups: Mapping[str, Group]
    dropped: Mapping[str, int]


def keys(depot: str, zone: int, slot: tuple[int, int]) -> tuple[str, str, str]:
    """The groups that a parcel belongs to, the narrowest first."""
    weekday, part = slot
    return f"{depot}/{zone}/{weekday}/{part}", f"{depot}/{zone}", f"{zone}"


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which a share (0 to 1) lies, linear between neighbours. Raises ValueError for no values."""
    if not ordered:
        raise ValueError("no values")
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def aggregate(scans: Iterable[Scan], network: Network, made_at: datetime, dropped: Counter[str]) -> Features | None:
    """The features of all scans, or None when there are none."""
    handling: defaultdict[str, list[float]] = defaultdict(list)
    durations: list[float] = []
    newest = None
    for scan in scans:
        starts = scan.depot.hours.starts(scan.dispatched_at)
        worked = (scan.delivered_at - starts).total_seconds() / 60
        minutes = (worked - network.surcharge(scan.service, scan.weight_kg)) / scan.service.factor
        if minutes <= 0:
            dropped["faster than handling allows"] += 1
            continue
        for key in keys(scan.depot.id, scan.zone, scan.depot.hours.slot(starts)):
            handling[key].append(minutes)
        durations.append(scan.minutes)
        newest = scan.delivered_at if newest is None else max(newest, scan.delivered_at)
    if newest is None:
        return None
    groups = {key: _group(values) for key, values in handling.items()}
    return Features(made_at, newest, len(durations), percentile(sorted(durations), 0.5), groups, dict(dropped))


def save(features: Features, path: Path) -> None:
    """Write the features so that a reader finds the old file or the new one, never a half."""
    data = asdict(features) | {
        "version": VERSION,
        "made_at": features.made_at.isoformat(),
        "newest_scan": features.newest_scan.isoformat(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    beside.write_text(json.dumps(data), encoding="utf-8")
    os.replace(beside, path)


def load(path: Path) -> Features:
    """Read the features. Raises OSError, and ValueError for a file that is no features file."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    try:
        if data.pop("version") != VERSION:
            raise ValueError(f"{path} was written by another version of the job")
        return Features(
            made_at=datetime.fromisoformat(data["made_at"]),
            newest_scan=datetime.fromisoformat(data["newest_scan"]),
            scans=data["scans"],
            overall=data["overall"],
            groups={key: Group(**fields) for key, fields in data["groups"].items()},
            dropped=data["dropped"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no features file: {error}") from error


def _group(values: list[float]) -> Group:
    values.sort()
    low, median, high = (round(percentile(values, share), 3) for share in (LOW, 0.5, HIGH))
    return Group(len(values), low, median, high)
