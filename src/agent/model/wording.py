"""One sentence about each kind of record, for the trail and for people. Pure."""

from __future__ import annotations

from .delivery import Observation
from .diagnosis import Diagnosis
from .evidence import EvidenceSet


def failing_routes(evidence: EvidenceSet) -> tuple[str, ...]:
    """Routes whose traffic counts as the failing kind."""
    return tuple(sorted({exchange.route for exchange in evidence.failing}))


def evidence_line(evidence: EvidenceSet) -> str:
    """How much was found."""
    gaps = f", {len(evidence.gaps)} gaps" if evidence.gaps else ""
    return f"{len(evidence.evidence)} facts, {len(evidence.failing)} failing requests recorded{gaps}"


def diagnosis_line(diagnosis: Diagnosis) -> str:
    """The leading hypothesis, and what carries it."""
    if not diagnosis.hypotheses:
        return "nothing stands out: no hypothesis"
    first = diagnosis.hypotheses[0]
    proof = "confirmed by experiment" if diagnosis.culprit else "not confirmed by an experiment"
    return f"{first.title} (confidence {first.confidence:.0%}, {diagnosis.calibration}; {proof})"


def observation_line(observation: Observation) -> str:
    """What production shows now."""
    values = ", ".join(f"{name} {value:.3g}" for name, value in sorted(observation.signals.items()))
    return f"{observation.requests} requests watched; {values or 'no signal yet'}"
