"""``python -m parcel_times.scans``: stands for the carriers, who deliver scan files while time passes.

Every scan is a function of the seed, the depot and a moment, so two runs of one day write the same files. It first fills
in the past (`PT_WINDOW_DAYS`, or since the newest file), then appends one delivery every `PT_SCAN_SECONDS`.
"""

from __future__ import annotations

import csv
import io
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

from .intake import COLUMNS, Scan
from .network import Depot, Network, Service, shipped
from .settings import Settings, from_environment

EVERY = timedelta(minutes=13)  # between two parcels of one depot in the past
LIVE_GAP = timedelta(minutes=10)  # a longer hole is filled in like the past
ROUND_THE_CLOCK = "CGN"  # delivers when all others sleep
DIRTY = 0.01


@dataclass(frozen=True)
class World:
    """What carriers really need, see ``world.json``."""

    zone_minutes: dict[str, float]
    depot_speed: dict[str, float]
    weekday_load: list[float]
    slot_load: list[float]
    noise: float
    about: str = ""

    def handling(self, depot: Depot, zone: int, factor: float, starts: datetime, chance: random.Random) -> float:
        """Minutes of work on a parcel, without its surcharge."""
        weekday, slot = depot.hours.slot(starts)
        typical = self.zone_minutes[str(zone)] * self.depot_speed[depot.id] * factor
        return typical * self.weekday_load[weekday] * self.slot_load[slot] * chance.lognormvariate(0, self.noise)


class Carriers:
    """Makes deliveries."""

    def __init__(self, network: Network, seed: int) -> None:
        self._network = network
        self._seed = seed
        text = resources.files(__package__).joinpath("world.json").read_text("utf-8")
        self._world = World(**json.loads(text))

    def past(self, after: datetime, until: datetime) -> Iterator[Scan]:
        """Parcels dispatched at all hours, delivered between the two moments."""
        for depot in self._network.depots.values():
            moment = after - timedelta(days=4)
            while moment < until:
                scan = self._dispatched(depot, moment)
                if after < scan.delivered_at <= until:
                    yield scan
                moment += EVERY

    def delivered(self, moment: datetime) -> Scan:
        """One parcel that is delivered right now, by a depot that is awake."""
        chance = random.Random(f"{self._seed}:{moment.timestamp():.0f}")
        for depot in (chance.choice(list(self._network.depots.values())), self._network.depots[ROUND_THE_CLOCK]):
            zone, weight, service = self._parcel(chance)
            # The load hangs on the hour in which work starts, which is not known yet: the hour before is near enough.
            guess = moment - timedelta(minutes=self._world.zone_minutes[str(zone)] * service.factor)
            minutes = self._world.handling(depot, zone, service.factor, guess, chance)
            minutes += self._network.surcharge(service, weight)
            starts = moment - timedelta(minutes=minutes)
            if depot.hours.starts(starts) == starts:
                break
        return Scan(_id(depot, moment), depot, zone, weight, service, starts, moment)

    def _dispatched(self, depot: Depot, moment: datetime) -> Scan:
        chance = random.Random(f"{self._seed}:{depot.id}:{moment.timestamp():.0f}")
        moment += timedelta(seconds=chance.randrange(int(EVERY.total_seconds())))
        zone, weight, service = self._parcel(chance)
        starts = depot.hours.starts(moment)
        minutes = self._world.handling(depot, zone, service.factor, starts, chance)
        minutes += self._network.surcharge(service, weight)
        return Scan(_id(depot, moment), depot, zone, weight, service, moment, starts + timedelta(minutes=minutes))

    def _parcel(self, chance: random.Random) -> tuple[int, float, Service]:
        service = self._network.services["express" if chance.random() < 0.3 else "standard"]
        weight = min(round(chance.lognormvariate(1.4, 1.0), 1) + 0.1, service.limit_kg)
        return chance.choice(self._network.zones), weight, service


def line(scan: Scan, chance: random.Random) -> str:
    """A scan as its carrier writes it; now and then something is amiss, as in real files."""
    carrier, zone = scan.depot.carrier, scan.depot.hours.zone
    moments = [moment.astimezone(zone).isoformat(timespec="seconds") for moment in (scan.dispatched_at, scan.delivered_at)]
    row = [scan.parcel_id, scan.depot.name, scan.zone, carrier.weight(scan.weight_kg), scan.service.name, *moments]
    amiss = chance.random() / DIRTY
    if amiss < 0.4:
        row[3] = ""
    elif amiss < 0.7:
        row[5], row[6] = row[6], row[5]
    written = _written(row, carrier.delimiter)
    return written * 2 if 0.7 <= amiss < 1 else written


def append(folder: Path, scan: Scan) -> None:
    """Add a delivery to the file of its depot and day (the depot's own)."""
    day = scan.delivered_at.astimezone(scan.depot.hours.zone).date()
    path, carrier = folder / f"{scan.depot.id}-{day}.csv", scan.depot.carrier
    head = "" if path.exists() else _written(COLUMNS, carrier.delimiter)
    text = head + line(scan, random.Random(scan.parcel_id))
    with path.open("a", encoding=carrier.encoding, newline="") as file:
        file.write(text)


def fill(settings: Settings, network: Network, now: datetime) -> int:
    """Fill in the past up to now; returns how many deliveries were written."""
    settings.scans_dir.mkdir(parents=True, exist_ok=True)
    newest = max((path.stat().st_mtime for path in settings.scans_dir.glob("*.csv")), default=0.0)
    after = max(datetime.fromtimestamp(newest, UTC), now - timedelta(days=settings.window_days))
    if now - after < LIVE_GAP:
        return 0
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)  # one grid for all runs of a day
    scans = [scan for scan in Carriers(network, settings.seed).past(midnight, now) if scan.delivered_at > after]
    for scan in sorted(scans, key=lambda scan: scan.delivered_at):
        append(settings.scans_dir, scan)
    return len(scans)


def main() -> None:
    """Fill in the past, then deliver until the process is ended; with --once, deliver one and end."""
    settings, network = from_environment(), shipped()
    carriers = Carriers(network, settings.seed)
    fill(settings, network, datetime.now(UTC))
    while True:
        append(settings.scans_dir, carriers.delivered(datetime.now(UTC)))
        if "--once" in sys.argv:
            return
        time.sleep(settings.scan_seconds)


def _written(row: list[object] | tuple[str, ...], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(row)
    return text.getvalue()


def _id(depot: Depot, moment: datetime) -> str:
    return f"{depot.id}{moment.timestamp():.0f}"


if __name__ == "__main__":
    main()
