"""Which planted commits stand where in which release of the team. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .drill import Drill, Planted


@dataclass(frozen=True)
class Step:
    """One release: which planted commits stand before which of the team's (their count is behind the last)."""

    places: Mapping[int, Sequence[Planted]]
    team: bool
    broken: bool


def plan(drill: Drill, count: int, chance: random.Random) -> list[Step]:
    """The releases of a drill, in order; the team has ``count`` commits waiting.

    Decoys that build on the fault come behind it. Without faults that are commits the release is the decoys'.
    """
    low, high = min(drill.places[0], count), drill.places[1]
    faults = [fault.commit for fault in drill.released if fault.commit is not None]
    placed = [(chance.randint(low, min(high, count)), one) for one in faults]
    free = [(chance.randint(min(1, count), count), one) for one in drill.decoys if not one.builds_on]
    building = [one for one in drill.decoys if one.builds_on] if faults else []
    if not faults:
        return [Step(_by_place(free), team=True, broken=False)] if free or drill.release_after is not None else []
    if drill.release_after is None:
        last = max(place for place, _ in placed)
        behind = [(chance.randint(last, count), one) for one in building]
        return [Step(_by_place([*placed, *free, *behind]), team=True, broken=True)]
    if drill.release_after <= min(fault.after for fault in drill.released):
        second = [(0, one) for one in [*faults, *building]]
        return [Step(_by_place(free), team=True, broken=False), Step(_by_place(second), team=False, broken=True)]
    second = [(0, one) for one in [*(one for _, one in free), *building]]
    return [Step(_by_place(placed), team=True, broken=True), Step(_by_place(second), team=False, broken=True)]


def _by_place(placed: Sequence[tuple[int, Planted]]) -> dict[int, list[Planted]]:
    """At one place those that build on others stand last."""
    places: dict[int, list[Planted]] = {}
    for place, one in sorted(placed, key=lambda each: each[1].builds_on):
        places.setdefault(place, []).append(one)
    return places
