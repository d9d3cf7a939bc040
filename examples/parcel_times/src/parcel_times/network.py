"""The depots, carriers, services and limits of ``network.json``."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from .hours import Hours

KG_PER_LB = 0.45359237  # exact, international avoirdupois pound


class Unknown(Exception):
    """There is no such depot, zone or service."""


class TooHeavy(Exception):
    """The service does not take parcels of this weight."""


@dataclass(frozen=True)
class Carrier:
    """How one carrier writes its scan files."""

    encoding: str
    delimiter: str
    decimal: str
    weight_unit: str

    def kilograms(self, text: str) -> float:
        """A weight as the carrier writes it, in kg. Raises ValueError."""
        weight = float(text.strip().replace(self.decimal, "."))
        # Rounded, because a parcel at the limit is written as 66.14 lb, which is a hair over 30 kg.
        return round(weight * KG_PER_LB if self.weight_unit == "lb" else weight, 2)

    def weight(self, kilograms: float) -> str:
        """A weight in kg as the carrier writes it."""
        weight = kilograms / KG_PER_LB if self.weight_unit == "lb" else kilograms
        return f"{weight:.2f}".replace(".", self.decimal)


@dataclass(frozen=True)
class Depot:
    """One depot; its id is what files and features are named by."""

    id: str
    name: str
    carrier: Carrier
    hours: Hours


@dataclass(frozen=True)
class Service:
    """A service level: ``factor`` scales the handling time of a standard parcel."""

    name: str
    factor: float
    limit_kg: float


class Network:
    """Looks up what a request or a scan names."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        carriers = {name: Carrier(**fields) for name, fields in data["carriers"].items()}
        self.depots = {
            entry["id"]: Depot(entry["id"], entry["name"], carriers[entry["carrier"]], Hours.of(entry))
            for entry in data["depots"]
        }
        self.zones: tuple[int, ...] = tuple(data["zones"])
        self.services = {name: Service(name, **fields) for name, fields in data["services"].items()}
        self._surcharges = [(step["up_to_kg"], step["minutes"]) for step in data["surcharges"]]
        self._names = {_folded(word): depot for depot in self.depots.values() for word in (depot.id, depot.name)}

    def depot(self, word: str) -> Depot:
        """A depot by its id or its name, in any case. Raises `Unknown`."""
        try:
            return self._names[_folded(word)]
        except KeyError:
            raise Unknown(f"unknown depot {word[:40]!r}") from None

    def zone(self, value: float | str) -> int:
        """A zone as clients write it: 3, 3.0 or "3". Raises `Unknown`."""
        try:
            number = float(value)
        except ValueError:
            raise Unknown(f"unknown zone {value!r:.40}") from None
        if number not in self.zones:
            raise Unknown(f"unknown zone {value!r:.40}")
        return int(number)

    def service(self, word: str) -> Service:
        """A service level by its name, in any case. Raises `Unknown`."""
        try:
            return self.services[word.strip().lower()]
        except KeyError:
            raise Unknown(f"unknown service {word[:40]!r}") from None

    def surcharge(self, service: Service, weight_kg: float) -> int:
        """Minutes that a parcel takes longer for its weight. Raises `TooHeavy`."""
        if weight_kg > service.limit_kg:
            raise TooHeavy(f"{service.name} takes at most {service.limit_kg} kg, not {weight_kg:g}")
        for up_to_kg, minutes in self._surcharges:
            if weight_kg <= up_to_kg:
                return minutes
        raise TooHeavy(f"no surcharge is set for {weight_kg:g} kg")


def _folded(word: str) -> str:
    """Names arrive composed or decomposed, depending on the client's keyboard."""
    return unicodedata.normalize("NFC", word).strip().casefold()


@lru_cache(maxsize=1)
def shipped() -> Network:
    """The network that comes with this release."""
    return Network(json.loads(resources.files(__package__).joinpath("network.json").read_text("utf-8")))
