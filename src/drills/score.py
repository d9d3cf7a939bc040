"""Compares what a staging showed with what the drill expects. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .drill import Drill
from .exam import Blamed, Result

LEVEL: Final = 0.9


@dataclass(frozen=True)
class Score:
    """What was right; None where the drill does not ask."""

    alert: bool | None
    cause: bool | None
    component: bool | None
    change: bool | None
    change_in_three: bool | None
    outcome: bool | None
    well: bool
    acceptance: bool | None
    harm: str
    brier: float | None


def score(drill: Drill, result: Result) -> Score:
    """One staging against its drill."""
    wants_alert = any(fault.kind != "none" or fault.options.get("alert") for fault in drill.faults)
    asks, first = drill.expect, result.hypotheses[0] if result.hypotheses else None
    change = _change_right(drill, first, result.culprits)
    return Score(
        alert=(result.alert_seconds is not None) == wants_alert,
        cause=None if asks.cause in ("unknown", "none") else first is not None and first.cause == asks.cause,
        component=_component_right(asks.component, first),
        change=change,
        change_in_three=None
        if change is None
        else any(_change_right(drill, one, result.culprits) for one in result.hypotheses[:3]),
        outcome=None if not asks.outcome else (result.outcome or "none") in asks.outcome,
        well=result.well,
        acceptance=None if result.acceptance == "none" else result.acceptance == "passed",
        harm=_harm(drill, result),
        brier=None if change is None or first is None else (first.confidence - float(change)) ** 2,
    )


def _component_right(wanted: str, first: Blamed | None) -> bool | None:
    if not wanted:
        return None
    return first is not None and first.component.lower() == wanted.lower()


def _change_right(drill: Drill, first: Blamed | None, culprits: Sequence[str]) -> bool | None:
    """Whether the right change is blamed, or rightly none."""
    if drill.expect.change == "fault":
        return first is not None and first.change in culprits
    if drill.expect.change == "none":
        return first is None or first.change is None
    return None


def _harm(drill: Drill, result: Result) -> str:
    """What the agent did that nobody wanted; empty when nothing."""
    if result.merged and drill.expect.change == "none":
        return "code was changed though no change was to blame"
    if result.acceptance.startswith("failed") and result.merged:
        return "a change was merged and acceptance fails"
    return ""


def interval(hits: int, count: int, level: float = LEVEL) -> tuple[float, float]:
    """Clopper-Pearson: the shares below and above which ``hits`` of ``count`` would be too rare, two-sided at ``level``.

    Found by bisection of the binomial distribution (Clopper and Pearson 1934); 0..1 when nothing was counted.
    """
    if not count:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else _solve(lambda share: _at_least(hits, count, share) - tail)
    high = 1.0 if hits == count else _solve(lambda share: tail - (1 - _at_least(hits + 1, count, share)))
    return low, high


def _at_least(hits: int, count: int, share: float) -> float:
    return sum(math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(hits, count + 1))


def _solve(rising: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def shares(scores: Iterable[Score]) -> Mapping[str, tuple[int, int]]:
    """Of every question that drills ask: how often right, of how many."""
    counts: dict[str, tuple[int, int]] = {}
    for one in scores:
        for name in ("alert", "cause", "component", "change", "change_in_three", "outcome", "well", "acceptance"):
            answer = getattr(one, name)
            if answer is not None:
                right, count = counts.get(name, (0, 0))
                counts[name] = right + bool(answer), count + 1
    return counts
