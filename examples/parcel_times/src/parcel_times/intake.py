"""Reads the carriers' scan files (``DEPOT-YYYY-MM-DD.csv``) and drops what cannot be true."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from .network import Depot, Network, Service, TooHeavy, Unknown

COLUMNS = ("parcel_id", "depot", "zone", "weight", "service", "dispatched_at", "delivered_at")
LONGEST = timedelta(days=7)


class Unusable(Exception):
    """A row that says nothing about how long a parcel takes; the text is the reason it is counted under."""


@dataclass(frozen=True)
class Scan:
    """One delivery. Moments are UTC."""

    parcel_id: str
    depot: Depot
    zone: int
    weight_kg: float
    service: Service
    dispatched_at: datetime
    delivered_at: datetime

    @property
    def minutes(self) -> float:
        """How long the parcel took."""
        return (self.delivered_at - self.dispatched_at).total_seconds() / 60


def files(folder: Path, depot: Depot, since: date) -> list[Path]:
    """A depot's files from a day on, oldest first."""
    return sorted(path for path in folder.glob(f"{depot.id}-*.csv") if path.stem[len(depot.id) + 1 :] >= str(since))


def read(folder: Path, network: Network, since: date, dropped: Counter[str]) -> Iterator[Scan]:
    """All usable scans from a day on; ``dropped`` counts the other rows by reason."""
    for depot in network.depots.values():
        seen: set[str] = set()
        for path in files(folder, depot, since):
            for row in _rows(path, depot):
                try:
                    scan = clean(row, depot, network)
                except Unusable as reason:
                    dropped[str(reason)] += 1
                    continue
                if scan.parcel_id in seen:  # carriers send a file again when in doubt
                    dropped["repeated"] += 1
                    continue
                seen.add(scan.parcel_id)
                yield scan


def clean(row: dict[str, str | None], depot: Depot, network: Network) -> Scan:
    """One row as a scan. Raises `Unusable`."""
    fields = {name: row.get(name) or "" for name in COLUMNS}
    if not all(fields.values()):
        raise Unusable("incomplete")
    try:
        if network.depot(fields["depot"]) is not depot:
            raise Unusable("of another depot")
        scan = Scan(
            parcel_id=fields["parcel_id"],
            depot=depot,
            zone=network.zone(fields["zone"]),
            weight_kg=depot.carrier.kilograms(fields["weight"]),
            service=network.service(fields["service"]),
            dispatched_at=_moment(fields["dispatched_at"]),
            delivered_at=_moment(fields["delivered_at"]),
        )
        network.surcharge(scan.service, scan.weight_kg)
    except (Unknown, TooHeavy, ValueError) as error:
        raise Unusable("unreadable") from error
    if not timedelta(0) < scan.delivered_at - scan.dispatched_at <= LONGEST:
        raise Unusable("impossible duration")
    return scan


def _rows(path: Path, depot: Depot) -> Iterator[dict[str, str | None]]:
    text = path.read_text(depot.carrier.encoding)
    whole = text[: text.rfind("\n") + 1]  # the carrier may still be writing the last line
    return csv.DictReader(whole.splitlines(), delimiter=depot.carrier.delimiter)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone: {text!r}")
    return moment.astimezone(UTC)
