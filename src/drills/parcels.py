"""Traffic of the parcel example: what dispatch desks ask and what depots report, edges included.

Reports tell durations that are true in the example's simulated world: its hours and its speeds are read from the
example's own files, for a drill changes only its copy of them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from .history import PARCELS
from .traffic import Shot, mixed

NAMES: Final = PARCELS.folder / "src" / "parcel_times"
WEIGHTS: Final = (0.1, 0.8, 2.5, 5, 5.01, 12.4, 20, 26.5, 30)  # kg, with the limits of the surcharges
CLOCK_CHANGES: Final = ("2026-03-29T01:30:00+01:00", "2026-10-25T02:30:00+01:00", "2026-11-01T01:30:00-04:00")
HOLIDAYS: Final = ("2026-12-25T10:00:00+01:00", "2026-01-01T00:30:00Z", "2026-11-11T08:00:00-05:00")
REPORTED_DAYS: Final = (14, 8)  # deliveries are reported of dispatches between so many days ago
OPEN_TRIES: Final = 6
ALL_DAY: Final = "24:00"


class World:
    """How long parcels really take, told without any code of the example."""

    def __init__(self) -> None:
        network = json.loads((NAMES / "network.json").read_text(encoding="utf-8"))
        self._truth = json.loads((NAMES / "world.json").read_text(encoding="utf-8"))
        self.depots: list[dict[str, Any]] = network["depots"]
        self.zones: list[int] = network["zones"]
        self.services: dict[str, dict[str, float]] = network["services"]
        self._surcharges = network["surcharges"]

    def took(self, depot: dict[str, Any], wanted: dict[str, Any], dispatched: datetime, chance: random.Random) -> float:
        """Minutes from dispatch to the door."""
        truth, starts = self._truth, self.starts(depot, dispatched)
        local = starts.astimezone(ZoneInfo(depot["time_zone"]))
        typical = truth["zone_minutes"][str(wanted["zone"])] * truth["depot_speed"][depot["id"]]
        load = truth["weekday_load"][local.weekday()] * truth["slot_load"][local.hour // 4]
        factor = self.services[wanted["service"]]["factor"]
        surcharge = next(step["minutes"] for step in self._surcharges if wanted["weight_kg"] <= step["up_to_kg"])
        waiting = (starts - dispatched).total_seconds() / 60
        noise: float = chance.lognormvariate(0, truth["noise"])
        return float(waiting + surcharge + typical * load * factor * noise)

    def starts(self, depot: dict[str, Any], dispatched: datetime) -> datetime:
        """When work on a parcel begins: at once, or when the depot opens (UTC)."""
        zone = ZoneInfo(depot["time_zone"])
        day = dispatched.astimezone(zone).date()
        while True:
            span = self._hours(depot, day)
            if span and dispatched < _at(day, span[1], zone):
                return max(dispatched, _at(day, span[0], zone))
            day += timedelta(days=1)

    def _hours(self, depot: dict[str, Any], day: date) -> list[str] | None:
        if f"{day:%m-%d}" in depot["holidays"]:
            return None
        span: list[str] | None = depot[{5: "saturday", 6: "sunday"}.get(day.weekday(), "weekdays")]
        return span


def _at(day: date, clock: str, zone: ZoneInfo) -> datetime:
    if clock == ALL_DAY:
        return _at(day + timedelta(days=1), "00:00", zone)
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)


class ParcelMix:
    """A seeded, endless choice of requests over the whole of the service's interface, its edges included.

    ``day`` (UTC, today when left out) is what dispatches are near to; the same seed and day repeat the same requests.
    """

    def __init__(self, seed: int, day: date | None = None) -> None:
        self._random = random.Random(seed)
        self._seed = seed
        self._reported = 0
        self._day = datetime.combine(day or datetime.now(UTC).date(), time(), UTC)
        self._world = World()
        self._kinds = (
            (self._ordinary, 24),
            (self._by_name, 6),
            (self._loose_types, 4),
            (self._heavy, 4),
            (self._clock_change, 3),
            (self._holiday, 3),
            (self._popular, 10),
            (self._default_service, 4),
            (self._report, 20),
            (self._report_again, 2),
            (self._bulk, 6),
            (self._bulk_with_unknown, 2),
            (self._bulk_of_one, 3),
            (self._bulk_of_twins, 2),
            (self._empty_bulk, 2),
            (self._unknown, 2),
            (self._invalid, 2),
            (self._too_heavy, 2),
            (self._status, 3),
            (self._health, 3),
        )
        self._last = self._delivery()

    def __iter__(self) -> Iterator[Shot]:
        """Every kind of request, again and again."""
        return mixed(self._kinds, self._random)

    def _parcel(self) -> dict[str, Any]:
        depot = self._random.choice(self._world.depots)
        moment = self._day + timedelta(minutes=self._random.randrange(-1440, 3 * 1440))
        return {
            "depot": depot["id"],
            "zone": self._random.choice(self._world.zones),
            "weight_kg": self._random.choice(WEIGHTS),
            "dispatched_at": moment.astimezone(ZoneInfo(depot["time_zone"])).isoformat(),
            "service": self._random.choice(("standard", "standard", "express")),
        }

    def _delivery(self) -> dict[str, Any]:
        wanted = self._parcel()
        depot = next(one for one in self._world.depots if one["id"] == wanted["depot"])
        first, last = (-days * 1440 for days in REPORTED_DAYS)
        for _ in range(OPEN_TRIES):  # most parcels are handed in while the depot is open
            dispatched = self._day + timedelta(minutes=self._random.randrange(first, last))
            if self._world.starts(depot, dispatched) == dispatched:
                break
        delivered = dispatched + timedelta(minutes=self._world.took(depot, wanted, dispatched, self._random))
        self._reported += 1
        return wanted | {
            "parcel_id": f"R{self._seed}-{self._reported}",
            "dispatched_at": dispatched.isoformat(),
            "delivered_at": delivered.isoformat(timespec="seconds"),
        }

    def _ordinary(self) -> Shot:
        return _estimate(self._parcel())

    def _by_name(self) -> Shot:
        wanted, depot = self._parcel(), self._random.choice(self._world.depots)
        return _estimate(wanted | {"depot": self._random.choice((depot["name"], depot["name"].upper()))})

    def _loose_types(self) -> Shot:
        wanted = self._parcel()
        zone = self._random.choice((str(wanted["zone"]), float(wanted["zone"])))
        return _estimate(wanted | {"zone": zone, "depot": wanted["depot"].lower(), "service": "Express"})

    def _heavy(self) -> Shot:
        return _estimate(self._parcel() | {"service": "standard", "weight_kg": self._random.choice((40, 40.1, 70))})

    def _clock_change(self) -> Shot:
        return _estimate(self._parcel() | {"dispatched_at": self._random.choice(CLOCK_CHANGES)})

    def _holiday(self) -> Shot:
        return _estimate(self._parcel() | {"dispatched_at": self._random.choice(HOLIDAYS)})

    def _popular(self) -> Shot:
        noon = self._day + timedelta(hours=12)
        return _estimate(self._parcel() | {"weight_kg": 2.5, "service": "standard", "dispatched_at": noon.isoformat()})

    def _default_service(self) -> Shot:
        return _estimate({name: value for name, value in self._parcel().items() if name != "service"})

    def _report(self) -> Shot:
        self._last = self._delivery()
        return _post("/scans", self._last)

    def _report_again(self) -> Shot:
        return _post("/scans", self._last)

    def _bulk(self) -> Shot:
        return _bulk([self._parcel() for _ in range(self._random.randint(2, 12))])

    def _bulk_with_unknown(self) -> Shot:
        return _bulk([self._parcel(), self._parcel() | {"depot": "NOSUCH"}])

    def _bulk_of_one(self) -> Shot:
        return _bulk([self._parcel()])

    def _bulk_of_twins(self) -> Shot:
        return _bulk([self._parcel()] * 2)

    def _empty_bulk(self) -> Shot:
        return _bulk([])

    def _unknown(self) -> Shot:
        return _estimate(self._parcel() | self._random.choice(({"depot": "NOSUCH"}, {"zone": 9}, {"service": "drone"})))

    def _invalid(self) -> Shot:
        wrong = ({"weight_kg": 0}, {"weight_kg": "2"}, {"dispatched_at": "2026-05-04T10:00:00"}, {"zone": None})
        return _estimate(self._parcel() | self._random.choice(wrong))

    def _too_heavy(self) -> Shot:
        return _estimate(self._parcel() | {"service": "express", "weight_kg": 30.5})

    def _status(self) -> Shot:
        return Shot("GET", "/status")

    def _health(self) -> Shot:
        return Shot("GET", "/health")


def _estimate(wanted: dict[str, Any]) -> Shot:
    return _post("/estimates", wanted)


def _bulk(parcels: list[dict[str, Any]]) -> Shot:
    return _post("/estimates/bulk", {"parcels": parcels})


def _post(path: str, body: dict[str, Any]) -> Shot:
    return Shot("POST", path, json.dumps(body))
