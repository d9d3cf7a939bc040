"""Where people answer: yes, no, cancel, try again. Each answer and what follows from it is one transaction."""

from __future__ import annotations

from ..errors import Conflict, Permanent
from ..model.incident import Incident, Phase
from ..model.policy import Approval
from ..ports import Clock, UnitOfWork
from . import approvals


def moved(incident: Incident) -> Incident:
    """The same phase, to be run now."""
    return incident.model_copy(update={"turn": incident.turn + 1, "waiting": None, "wake_at": None})


class Desk:
    """Takes the answers of named people."""

    def __init__(self, work: UnitOfWork, clock: Clock) -> None:
        self._work, self._clock = work, clock

    def decide(self, incident_id: str, *, yes: bool, by: str, subject: str | None, comment: str) -> Approval:
        """Answer the pending approval and queue what follows, in one transaction.

        A yes names what it is for, unless this incident has asked only once: then there is no other question that it could
        have been meant for. A no without a subject is for whatever is asked. Raises `NotFound`, `Conflict`, and `Permanent`
        for a yes that may be meant for a former question.
        """
        with self._work.begin() as tx:
            incident = tx.incident(incident_id)
            questions = tx.approvals(incident_id)
            asked = [a for a in questions if a.attempt == incident.attempt]
            if not asked or not incident.active:
                raise Conflict(f"{incident_id} asks nothing now")
            question = next((a for a in reversed(asked) if a.state == "pending"), asked[-1])
            if yes and subject is None and len(questions) > 1:
                raise Permanent(
                    f"{incident_id} has asked before: say which patch you approve, read /incidents/{incident_id}, send its "
                    "approval's subject"
                )
            wanted = question.subject if subject is None else subject
            answered = approvals.decide(question, by, yes=yes, subject=wanted, now=self._clock.now(), comment=comment)
            tx.save_approval(answered)
            tx.append(
                "approval.decided",
                f"{answered.by} said {'yes' if yes else 'no'}",
                incident_id=incident_id,
                actor=by,
                data={"approval": answered.id, "subject": answered.subject, "comment": answered.comment},
            )
            tx.save(moved(incident))
            tx.enqueue(incident)
        return answered

    def cancel(self, incident_id: str, *, by: str, comment: str) -> Incident:
        """Cancel what has not begun; a half-done delivery is brought to its end."""
        with self._work.begin() as tx:
            incident = tx.incident(incident_id)
            if not incident.active or incident.phase in (Phase.VERIFY, Phase.CONCLUDE):
                raise Conflict(f"{incident_id} is in {incident.phase}: there is nothing left to cancel")
            waits = incident.waiting is not None
            changed = incident.model_copy(update={"cancel_requested": True})
            changed = moved(changed) if waits else changed
            tx.save(changed)
            tx.append("incident.cancel", f"cancelled: {comment or 'no comment'}", incident_id=incident_id, actor=by)
            if waits:
                tx.enqueue(changed)
        return changed

    def retry(self, incident_id: str, *, by: str, comment: str) -> Incident:
        """Begin the next attempt, or take up a half-done delivery where it stopped.

        Raises `Conflict` while the incident is at work, or the target has another one.
        """
        with self._work.begin() as tx:
            incident = tx.incident(incident_id)
            if incident.active and incident.waiting != "operator":
                raise Conflict(f"{incident_id} is at work ({incident.phase}): cancel it first")
            if incident.active and incident.phase in (Phase.MITIGATE, Phase.DELIVER, Phase.VERIFY):
                tx.append(
                    "incident.retry",
                    f"{incident.phase} goes on: {comment or 'no comment'}",
                    incident_id=incident_id,
                    actor=by,
                )
                onward = moved(incident).model_copy(update={"reason": ""})
                tx.save(onward)
                tx.enqueue(onward)
                return onward
            again = incident.model_copy(
                update={
                    "phase": Phase.INVESTIGATE,
                    "attempt": incident.attempt + 1,
                    "turn": incident.turn + 1,
                    "waiting": None,
                    "wake_at": None,
                    "outcome": None,
                    "reason": "",
                    "all_resolved": tx.unresolved(incident_id) == 0,
                    "closed_at": None,
                    "cancel_requested": False,
                }
            )
            tx.save(again)
            said = f"attempt {again.attempt}: {comment or 'no comment'}"
            tx.append("incident.retry", said, incident_id=incident_id, actor=by)
            tx.enqueue(again)
        return again
