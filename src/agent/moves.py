"""How an incident moves from phase to phase: fenced, and in one transaction with what is recorded on the way."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from pydantic import JsonValue

from .errors import NotFound, Superseded, Transient, UnknownEffect, Unsafe
from .model.delivery import Verification
from .model.incident import Incident, Outcome, Phase, Waiting
from .model.policy import ActionKind, Approval, Decision
from .model.record import Record
from .parts import Parts
from .ports import Transaction

T = TypeVar("T", bound=Record)


class Moves:
    """The moves that `Workflow` is made of."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def fail(self, incident: Incident, error: BaseException) -> None:
        """A phase failed for good: hand the incident to people. Called by the durable runner.

        A delivery that trouble cut in half waits for the operator, who takes it up where it stands (`retry`); the rest ends.
        """
        hint = " (run `mpa doctor`)" if isinstance(error, Unsafe) else ""
        reason = f"{incident.phase} failed: {error}{hint}"
        with self._parts.work.begin() as tx:
            current = tx.incident(incident.id)
            if not current.active or (current.attempt, current.turn) != (incident.attempt, incident.turn):
                return
            if current.phase is Phase.CONCLUDE:
                closed = {"phase": Phase.CLOSED, "closed_at": self._parts.clock.now(), "waiting": None, "wake_at": None}
                tx.save(current.model_copy(update=closed))
                self._note(tx, current, "incident.closed", f"closed although closing failed: {error}")
                self._parts.intake.admit(tx, current.target)
                return
            if not (isinstance(error, Transient | UnknownEffect) and self._half_done(tx, current)):
                self._to_end(tx, current, Outcome.ESCALATED, reason)
                return
            held = current.model_copy(update={"reason": reason})
            self._note(tx, held, "waiting", f"{reason}; it waits for the operator", waiting="operator")
            self._go(tx, held, held.phase, waiting="operator")
        self._parts.notifier.tell(incident, f"{incident.title}: a person is needed", reason)

    def _half_done(self, tx: Transaction, incident: Incident) -> bool:
        """Whether a delivery, or a mitigation where that is what is done, has begun: its approval is spent."""
        spent = {a.action for a in tx.approvals(incident.id) if a.state == "used" and a.attempt == incident.attempt}
        if incident.phase is Phase.DELIVER:
            return "merge_and_deploy" in spent
        return incident.phase in (Phase.MITIGATE, Phase.VERIFY) and bool(spent)

    def _fenced(self, tx: Transaction, incident: Incident) -> Incident:
        """The incident as it stands, if this phase is still the current one."""
        current = tx.incident(incident.id)
        if (current.phase, current.attempt, current.turn) != (incident.phase, incident.attempt, incident.turn):
            raise Superseded(f"{incident.id}: somebody else moved it on")
        return current

    def _go(
        self,
        tx: Transaction,
        incident: Incident,
        phase: Phase,
        *,
        waiting: Waiting | None = None,
        wake_at: datetime | None = None,
    ) -> None:
        """Next phase, in the same transaction; queued at once unless it waits for something."""
        update = {"phase": phase, "turn": incident.turn + 1, "waiting": waiting, "wake_at": wake_at}
        moved = incident.model_copy(update=update)
        tx.save(moved)
        if phase is not incident.phase:
            self._note(tx, moved, "phase.started", f"{phase} begins", phase=phase.value, attempt=moved.attempt)
        if waiting is None:
            tx.enqueue(moved)

    def _refused(self, incident: Incident, decision: Decision, *, ends: bool = True) -> None:
        """Policy says no: what a person can lift, or has half happened, waits for the operator; the rest ends."""
        with self._parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            self._note_decision(tx, current, decision)
            if ends and not decision.held:
                self._to_end(tx, current, Outcome.ESCALATED, "policy: " + "; ".join(decision.reasons))
            else:
                self._go(tx, current, current.phase, waiting="operator")
        self._unless_lifted(incident, decision)

    def _unless_lifted(self, incident: Incident, decision: Decision) -> None:
        """A stop that was lifted between the decision and its record would be waited for for ever: look again."""
        if not decision.held or self._parts.policy.decide(decision.action, incident, decision.subject, None).held:
            return
        with self._parts.work.begin() as tx:
            current = tx.incident(incident.id)
            if (current.waiting, current.turn) == ("operator", incident.turn + 1):
                self._go(tx, current, current.phase)

    def _allowed(self, incident: Incident, decision: Decision) -> bool:
        """Record what policy decided; False when it did not simply allow it, and the incident waits or ends."""
        if decision.verdict != "allow":
            self._refused(incident, decision)
            return False
        with self._parts.work.begin() as tx:
            self._note_decision(tx, self._fenced(tx, incident), decision)
        return True

    def _park(self, incident: Incident, waiting: Waiting, why: str, *, wake_at: datetime | None = None) -> None:
        with self._parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            self._note(tx, current, "waiting", why, waiting=waiting)
            self._go(tx, current, current.phase, waiting=waiting, wake_at=wake_at)

    def _end(
        self, incident: Incident, outcome: Outcome, reason: str, *, verification: Verification | None = None
    ) -> None:
        with self._parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            if verification is not None:
                self._verified(tx, current, verification, reason)
            self._to_end(tx, current, outcome, reason)

    def _verified(self, tx: Transaction, incident: Incident, verification: Verification, reason: str) -> None:
        tx.put(incident, "verification", verification)
        self._note(tx, incident, "verification.finished", f"{verification.state}: {reason}")

    def _to_end(self, tx: Transaction, incident: Incident, outcome: Outcome, reason: str) -> None:
        ended = incident.model_copy(update={"outcome": outcome, "reason": reason})
        self._go(tx, ended, Phase.CONCLUDE)

    def _document(self, incident: Incident, kind: str, of: type[T]) -> T:
        found = self._parts.ledger.document(incident.id, kind, of, attempt=incident.attempt)
        if found is None:
            raise NotFound(f"{incident.id} has no {kind} for attempt {incident.attempt}: retry the incident")
        return found

    def _latest_approval(self, incident: Incident) -> Approval:
        """The answer about merging and deploying."""
        found = self._asked(incident, "merge_and_deploy")
        if found is None:
            raise NotFound(f"{incident.id} has no approval for attempt {incident.attempt}: retry the incident")
        return found

    def _asked(self, incident: Incident, action: ActionKind) -> Approval | None:
        """The newest question of the current attempt about an action."""
        questions = reversed(self._parts.ledger.approvals(incident.id))
        return next((a for a in questions if (a.attempt, a.action) == (incident.attempt, action)), None)

    def _note(self, tx: Transaction, incident: Incident, kind: str, message: str, **data: JsonValue) -> None:
        tx.append(kind, message, incident_id=incident.id, data=data)

    def _note_decision(self, tx: Transaction, incident: Incident, decision: Decision) -> None:
        message = f"policy: {decision.verdict} {decision.action}: {'; '.join(decision.reasons)}"
        self._note(tx, incident, "policy.decided", message, **decision.model_dump(mode="json"))
