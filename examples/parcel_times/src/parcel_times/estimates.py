"""From a parcel and the features to an estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .cache import Cache
from .features import Features, Group, keys
from .network import Depot, Network, Service
from .shelf import Shelf


@dataclass(frozen=True)
class Parcel:
    """What is asked about; ``dispatched_at`` is UTC."""

    depot: Depot
    zone: int
    weight_kg: float
    service: Service
    dispatched_at: datetime


@dataclass(frozen=True)
class Estimate:
    """Minutes from dispatch to the door, with the window and the parts they are made of."""

    parcel: Parcel
    minutes: int
    earliest: int
    latest: int
    waiting: int
    handling: int
    surcharge: int
    basis: str
    scans: int
    naive: int

    def answer(self) -> dict[str, Any]:
        """The estimate as clients see it; moments are in the depot's own time."""
        return {
            "depot": self.parcel.depot.id,
            "zone": self.parcel.zone,
            "minutes": self.minutes,
            "delivery_at": self._after(self.minutes),
            "window": {
                "earliest_minutes": self.earliest,
                "latest_minutes": self.latest,
                "from": self._after(self.earliest),
                "to": self._after(self.latest),
            },
            "how": {
                "waiting_minutes": self.waiting,
                "handling_minutes": self.handling,
                "surcharge_minutes": self.surcharge,
                "service_factor": self.parcel.service.factor,
                "basis": self.basis,
                "scans": self.scans,
            },
        }

    def _after(self, minutes: int) -> str:
        moment = self.parcel.dispatched_at + timedelta(minutes=minutes)
        return moment.astimezone(self.parcel.depot.hours.zone).isoformat(timespec="minutes")


class Estimator:
    """Estimates from the newest features, with a cache in front."""

    def __init__(self, network: Network, shelf: Shelf, cache: Cache[Estimate], least_scans: int) -> None:
        self.cache = cache
        self._network = network
        self._shelf = shelf
        self._least_scans = least_scans

    def estimate(self, parcel: Parcel) -> Estimate:
        """Estimate one parcel. Raises `NoFeatures`, `TooHeavy` and `NeverOpen`."""
        features = self._shelf.features()
        return self.cache.get((parcel, features.made_at), lambda: self._made(parcel, features))

    def _made(self, parcel: Parcel, features: Features) -> Estimate:
        surcharge = self._network.surcharge(parcel.service, parcel.weight_kg)
        starts = parcel.depot.hours.starts(parcel.dispatched_at)
        waiting = (starts - parcel.dispatched_at.astimezone(UTC)).total_seconds() / 60
        basis, group = self._group(features, keys(parcel.depot.id, parcel.zone, parcel.depot.hours.slot(starts)))
        fixed, factor = waiting + surcharge, parcel.service.factor
        return Estimate(
            parcel=parcel,
            minutes=rounded(fixed + group.median * factor),
            earliest=math.floor(fixed + group.low * factor),
            latest=math.ceil(fixed + group.high * factor),
            waiting=rounded(waiting),
            handling=rounded(group.median * factor),
            surcharge=surcharge,
            basis=basis,
            scans=group.n,
            naive=rounded(features.overall),
        )

    def _group(self, features: Features, wanted: tuple[str, ...]) -> tuple[str, Group]:
        """The narrowest group with enough scans; without one, the median of everything."""
        for basis, key in zip(("hour", "depot", "zone"), wanted, strict=True):
            group = features.groups.get(key)
            if group is not None and group.n >= self._least_scans:
                return basis, group
        return "overall", Group(features.scans, features.overall, features.overall, features.overall)


def rounded(minutes: float) -> int:
    """Whole minutes; halves go up, unlike Python's `round`."""
    return math.floor(minutes + 0.5)
