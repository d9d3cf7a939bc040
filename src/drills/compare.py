"""Two agents on the same drills: which end otherwise, and whether that is more than chance. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .drill import Drill
from .odds import sign_test
from .record import Result
from .score import score
from .tally import End, Sat, clean, end, majority

_ASKED: Final = ("outcome", "well", "acceptance", "harmless")


@dataclass(frozen=True)
class Differs:
    """A drill that ends otherwise: how with both, and whether that is ``better``, ``worse``, ``other``."""

    drill: str
    old: End
    new: End
    change: str


@dataclass(frozen=True)
class Comparison:
    """``p`` is the exact two-sided sign test over ``wins`` and ``losses`` of the new one."""

    old: str
    new: str
    shared: int
    differs: tuple[Differs, ...]
    wins: int
    losses: int
    p: float


def compare(old: Sequence[Sat], new: Sequence[Sat], names: tuple[str, str] = ("old", "new")) -> Comparison:
    """Two agents on the drills that both sat, each by the majority of its repetitions.

    A drill is won when more of its outcome, health, acceptance and harmlessness are right than before.
    """
    before = {sat.drill.name: majority(sat.results) for sat in old if sat.results}
    pairs = [
        (sat.drill, before[sat.drill.name], majority(sat.results))
        for sat in new
        if sat.results and sat.drill.name in before
    ]
    differs = tuple(_differs(*pair) for pair in pairs if end(pair[1]) != end(pair[2]))
    wins, losses = (sum(one.change == word for one in differs) for word in ("better", "worse"))
    return Comparison(*names, len(pairs), differs, wins, losses, sign_test(wins, losses))


def _differs(drill: Drill, old: Result, new: Result) -> Differs:
    gain = _right(drill, new) - _right(drill, old)
    change = "better" if gain > 0 else "worse" if gain < 0 else "other"
    return Differs(drill.name, _cleaned(old), _cleaned(new), change)


def _right(drill: Drill, result: Result) -> int:
    one = score(drill, result)
    return sum(getattr(one, name) is True for name in _ASKED)


def _cleaned(result: Result) -> End:
    one = end(result)
    return End(clean(one.outcome), clean(one.acceptance), one.well)
