"""What one player showed on one drill, over all repetitions, and the few measures that every part of a report uses. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .drill import Drill
from .record import Result
from .score import SETTLED, Score, interval

ENOUGH_FOR_A_MAJORITY: Final = 3
Ending = Literal["well", "claimed", "gave_up", "open"]
ENDINGS: Final[tuple[Ending, ...]] = ("well", "gave_up", "claimed")


@dataclass(frozen=True)
class Sat:
    """One drill and all repetitions of one player on it, the first one first."""

    drill: Drill
    results: tuple[Result, ...]


@dataclass(frozen=True)
class Share:
    """How often, of how many, and the two-sided 90% interval of the share; ``value`` is None when nothing was counted."""

    right: int
    of: int
    value: float | None
    low: float
    high: float


def counted(right: int, of: int) -> Share:
    """A share with its interval."""
    return Share(right, of, right / of if of else None, *interval(right, of))


def majority(results: Sequence[Result]) -> Result:
    """The repetition that stands for all: the first whose end is the commonest; the first of fewer than three.

    An end is the outcome, acceptance and whether the target is well. Raises `ValueError` of nothing.
    """
    if not results:
        raise ValueError("there is no repetition to choose from")
    if len(results) < ENOUGH_FOR_A_MAJORITY:
        return results[0]
    commonest = Counter(map(end, results)).most_common(1)[0][0]  # of equal counts the first that was met
    return next(one for one in results if end(one) == commonest)


@dataclass(frozen=True)
class End:
    """How a staging ended: outcome, acceptance without its details, and whether the target is well."""

    outcome: str
    acceptance: str
    well: bool


def end(result: Result) -> End:
    """The end of one staging."""
    return End(result.outcome or "none", result.acceptance.partition(":")[0], result.well)


def ends_well(one: Score) -> bool:
    """The target is well, and acceptance did not fail."""
    return one.ends_well


def ending(result: Result, one: Score) -> Ending:
    """What the end of the incident was: a time to a well end is none to giving up, nor to a claim that does not hold."""
    if result.closed_seconds is None:
        return "open"
    if result.outcome not in SETTLED:
        return "gave_up"
    return "well" if one.ends_well else "claimed"


def agreement(first: Sequence[Result], second: Sequence[Result]) -> Share:
    """How many drills have the same outcome in both repetitions, of those that are in both."""
    again = {one.drill: one.outcome for one in second}
    pairs = [(one.outcome, again[one.drill]) for one in first if one.drill in again]
    return counted(sum(one == two for one, two in pairs), len(pairs))


def clean(text: str) -> str:
    """A text on one line, without anything that a terminal would obey or that cannot be written."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
