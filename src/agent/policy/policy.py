"""The autonomy ladder: allow, ask a person, or deny, with every reason said.

    observe < diagnose < propose (drafts) < approve (acts after a yes) < autonomous (granted per signal and action)

Safety mode caps the ladder at approve. Emergency stop beats everything.
"""

from __future__ import annotations

from collections.abc import Callable

from ..model.incident import Incident
from ..model.policy import ActionKind, Autonomy, Decision
from ..model.repair import Proof, Proposal
from ..ports import Clock
from .breaker import CircuitBreaker, PastAction

UNASSIGNED = "unassigned"
NEVER_HELD_UP = frozenset({"repair", "draft", "undo", "rollback", "quarantine"})
CARRIES_A_PATCH = frozenset({"draft", "merge_and_deploy"})


def _no_history(_target: str) -> tuple[PastAction, ...]:
    """Nothing was done before."""
    return ()


def _nobody_refused(_incident: Incident, _proposal: Proposal) -> tuple[str, ...]:
    """Nothing was refused before."""
    return ()


class SafetyPolicy:
    """Implements `Policy`. Flags are asked anew for every decision, so that a switch works at once.

    ``granted`` holds the (signal, action) pairs that may be carried out without a person; none by default.
    ``drafts`` says whether a draft stays inside the agent (the local forge) and so needs nobody.
    ``history`` tells what was done to a target before, for the circuit breaker; ``refused`` who refused a patch before.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        safety_mode: Callable[[], bool],
        emergency_stop: Callable[[], bool],
        autonomy: Autonomy = Autonomy.APPROVE,
        granted: frozenset[tuple[str, ActionKind]] = frozenset(),
        drafts: bool = True,
        history: Callable[[str], tuple[PastAction, ...]] = _no_history,
        refused: Callable[[Incident, Proposal], tuple[str, ...]] = _nobody_refused,
        breaker: CircuitBreaker = CircuitBreaker(),  # noqa: B008 - frozen, so one default may be shared
    ) -> None:
        self._clock = clock
        self._safety_mode = safety_mode
        self._emergency_stop = emergency_stop
        self._autonomy = autonomy
        self._granted = granted
        self._drafts = drafts
        self._history, self._refused = history, refused
        self._breaker = breaker

    def decide(self, action: ActionKind, incident: Incident, subject: str, proposal: Proposal | None) -> Decision:
        """Allow, ask a person, or deny, with reasons."""
        if self._emergency_stop():
            why = "the emergency stop is on: nothing is done until a person resumes"
            return Decision(verdict="deny", action=action, subject=subject, reasons=(why,), held=True)
        no = (*self._stops(action, incident), *(_unproven(proposal) if action in CARRIES_A_PATCH else ()))
        if no:
            return Decision(verdict="deny", action=action, subject=subject, reasons=no)
        ask = self._doubts(action, incident, proposal)
        if ask:
            return Decision(verdict="needs_approval", action=action, subject=subject, reasons=ask)
        why = {
            "repair": "a repair changes nothing outside",
            "draft": "a draft changes nothing outside",
            "undo": "a deploy of the agent's own did not help: its approval covers its undoing",
        }.get(action, "granted, and nothing speaks against")
        return Decision(verdict="allow", action=action, subject=subject, reasons=(why,))

    def _stops(self, action: ActionKind, incident: Incident) -> tuple[str, ...]:
        """What forbids the action whatever a person says."""
        reasons = []
        if incident.target == UNASSIGNED:
            reasons.append("the alerts belong to no known target: give the target a matcher in agent.toml")
        least = Autonomy.PROPOSE if action in ("repair", "draft") else Autonomy.APPROVE
        if self._autonomy < least:
            level = self._autonomy.name.lower()
            reasons.append(f"autonomy is set to {level}: {_words(action)} needs at least {least.name.lower()}")
        if action not in NEVER_HELD_UP:  # undoing what did not help is never held up
            reasons += self._breaker.reasons(self._history(incident.target), self._clock.now())
        return tuple(reasons)

    def _doubts(self, action: ActionKind, incident: Incident, proposal: Proposal | None) -> tuple[str, ...]:
        """What a person has to answer for."""
        if action in ("repair", "undo") or (action == "draft" and self._drafts):
            return ()
        reasons = []
        if self._safety_mode():
            reasons.append(f"safety mode is on: {_words(action)} needs a person's yes")
        if self._autonomy < Autonomy.AUTONOMOUS:
            reasons.append(f"autonomy is set to {self._autonomy.name.lower()}: a person decides")
        elif (incident.signal, action) not in self._granted:
            reasons.append(f"{_words(action)} for the signal {incident.signal[:80]!r} was not granted to the agent")
        proof = proposal.proof if proposal is not None and action in CARRIES_A_PATCH else None
        if proposal is not None and action == "merge_and_deploy":
            reasons += self._refused(incident, proposal)
        return (*reasons, *(_weak_spots(proof) if proof is not None else ()))


def _unproven(proposal: Proposal | None) -> tuple[str, ...]:
    """Why a proposal is not proven; empty when it is."""
    if proposal is None or proposal.patch is None:
        return ("there is no patch",)
    proof = proposal.proof
    if proof is None:
        return ("the patch has no proof: nothing unproven is pushed or merged",)
    if not proof.accepted or not proof.trials or not all(trial.passed for trial in proof.trials):
        failed = ", ".join(trial.name for trial in proof.trials if not trial.passed) or "; ".join(proof.reasons)
        return (f"the judge did not accept the patch: {failed[:200] or 'no trial was run'}",)
    if proof.patch_hash != proposal.patch.hash:
        return ("the proof is for another patch",)
    return ()


def _weak_spots(proof: Proof) -> tuple[str, ...]:
    """What keeps a proven patch from being merged without a person, even when that was granted."""
    reasons = []
    if proof.oracle.strength == "weak":
        reasons.append(f"the oracle is weak ({proof.oracle.name[:80]}): it cannot tell a right answer from a wrong one")
    reasons += [f"the proof has a note for a person: {note[:200]}" for note in proof.notes]
    return tuple(reasons)


def _words(action: ActionKind) -> str:
    return {
        "draft": "a draft",
        "merge_and_deploy": "merge and deploy",
        "undo": "undoing a deploy",
        "rollback": "a roll back",
        "configuration_revert": "taking settings back",
        "retrain": "training a candidate",
        "promote": "promoting a model",
    }.get(action, f"a {action}")
