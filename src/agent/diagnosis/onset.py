"""When it began: from the log for a fault with a signature, from the signal's own course otherwise.

Every answer comes with its doubts, which become gaps: an onset that cannot be known is not made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from typing import NamedTuple

from ..model.evidence import EvidenceSet, Signature, Spell

LEAST_BEFORE = 5
SPREADS = 3.0
NORMAL = 1.4826  # median absolute deviation to standard deviation, for normally distributed values
LEAST_STEP = 0.05
SUSTAINED = 0.8
SLACK = 1.0  # seconds that a scrape may be stamped after the alert that it raised
QUIET_GAPS = 3.0
Points = Sequence[tuple[float, float]]


class Onset(NamedTuple):
    """When it began as far as can be told, and what speaks against being sure."""

    at: datetime
    doubts: tuple[str, ...] = ()


def onset(evidence: EvidenceSet, signature: Signature | None, signal: str, opened_at: datetime) -> Onset:
    """The first failure with the signature; without one the signal's step; else the alert's own start."""
    spell = None if signature is None else evidence.spells.get(signature.fingerprint)
    if spell is not None:
        return Onset(spell.first, _doubts_of_the_log(evidence, spell))
    alerted = evidence.alerted_at or opened_at
    before = [point for point in evidence.course if point[0] < evidence.window.start.timestamp()]
    stepped = step(evidence.course, before, until=alerted.timestamp() + SLACK)
    if stepped is not None:
        return Onset(min(alerted, datetime.fromtimestamp(stepped, UTC)))
    why = f"no clear step of {signal} was seen: the alert's own start is taken, it may have begun earlier"
    return Onset(alerted, (why,))


def _doubts_of_the_log(evidence: EvidenceSet, spell: Spell) -> tuple[str, ...]:
    """At a constant rate a silence of three mean gaps comes by chance once in twenty times (exp(-3))."""
    quiet = (spell.first - (evidence.log_begins or spell.first)).total_seconds()
    if quiet > QUIET_GAPS * spell.gap:
        return ()
    return ("what was read of the log begins in the midst of such failures: it may have begun earlier",)


def step(points: Points, before: Points, until: float) -> float | None:
    """When the last sustained excess up to ``until`` (seconds) began; None when there is none, or nothing to compare.

    Excess is more than three robust standard deviations (Hampel 1974), and a twentieth of the value, above the median
    of ``before``. It is sustained when four of five points from there on are in excess, so single spikes are none.
    """
    if len(before) < LEAST_BEFORE:
        return None
    usual = median(value for _, value in before)
    spread = NORMAL * median(abs(value - usual) for _, value in before)
    limit = usual + max(SPREADS * spread, LEAST_STEP * abs(usual))
    began, high, seen = None, 0, 0
    for at, value in sorted((point for point in points if point[0] <= until), reverse=True):
        high, seen = high + (value > limit), seen + 1
        if value > limit and high >= SUSTAINED * seen:
            began = at
    return began
