"""One sentence about each kind of record, for the trail and for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .delivery import Observation
from .diagnosis import Diagnosis
from .evidence import EvidenceSet
from .incident import Incident, Outcome, Phase
from .language import Usage
from .plan import Plan
from .policy import Approval

HELD = "held by the emergency stop"


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


def plan_line(plan: Plan) -> str:
    """What is to be done, and how many other things were considered."""
    return f"{plan.reason} ({len(plan.options)} options considered; {plan.standing})"


def usage_line(usage: Usage) -> str:
    """Whether a language model was used, what it took, or why it was not."""
    taken = f"{usage.calls} calls, {usage.tokens_in + usage.tokens_out} tokens, {usage.seconds:.1f} s"
    money = "no price known" if usage.money is None else f"{usage.money:.4f} USD"
    spent = f" ({taken}, {money})" if usage.calls else ""
    if usage.outcome == "used":
        return f"{usage.model} was asked{spent}"
    return f"no language model was used: {usage.reason}{spent}"


def observation_line(observation: Observation) -> str:
    """What production shows now."""
    values = ", ".join(f"{name} {value:.3g}" for name, value in sorted(observation.signals.items()))
    return f"{observation.requests} requests watched; {values or 'no signal yet'}"


def standing(incident: Incident, approvals: Sequence[Approval] = (), *, stopped: bool = False) -> str:
    """Where an incident stands, and whom it waits for. ``approvals`` are its own, ``stopped`` is the emergency stop."""
    if not incident.active:
        return (incident.outcome or Outcome.INCONCLUSIVE).replace("_", " ")
    given = [a for a in approvals if a.attempt == incident.attempt and a.state in ("approved", "used")]
    yes = f"approved by {given[-1].by}, " if given else ""
    return yes + _now(incident, stopped=stopped)


def _now(incident: Incident, *, stopped: bool) -> str:
    if incident.waiting is None:
        return incident.phase.value
    if incident.waiting == "window":
        return "watching production" if incident.phase is Phase.VERIFY else f"{incident.phase}, to be tried again soon"
    if incident.waiting == "operator" and stopped:
        return HELD
    return {"approval": "waiting for a person's yes or no", "checks": "waiting for checks"}.get(
        incident.waiting, "waiting for the operator"
    )
