"""What is asked of a person, what a yes is bound to, and what follows when it is not given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from .errors import Unreachable
from .model.delivery import PullRequest
from .model.incident import Incident, Outcome, Phase
from .model.policy import ASKED, Approval, Decision
from .model.repair import Proposal
from .model.target import Target
from .moves import Moves
from .policy import approvals
from .ports import Transaction

MOST_ATTEMPTS = 5
CANCELLED = "a person cancelled it before anything was delivered"


class Questions(Moves):
    """Asks for approvals and spends them."""

    def _ask(self, incident: Incident, proposal: Proposal, pull_request: PullRequest, riders: tuple[str, ...]) -> None:
        """Record the policy's decision; wait for a person, go on, or stop."""
        parts = self._parts
        subject = subject_of(proposal, pull_request, riders)
        decision = parts.policy.decide("merge_and_deploy", incident, subject, proposal)
        titles = parts.forge(parts.targets[incident.target]).titles(riders)
        with parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            tx.put(current, "pull_request", pull_request)
            said = f"pull request #{pull_request.number}: {pull_request.title}"
            self._note(tx, current, "pull_request.opened", said, number=pull_request.number, head=pull_request.head)
            if current.cancel_requested:
                self._to_end(tx, current, Outcome.CANCELLED, CANCELLED)
                return
        if decision.verdict == "deny":
            self._refused(incident, decision)
            return
        with parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            self._note_decision(tx, current, decision)
            self._question(tx, current, decision, titles)

    def _question(
        self,
        tx: Transaction,
        incident: Incident,
        decision: Decision,
        riders: Mapping[str, str],
        *,
        until: datetime | None = None,
    ) -> None:
        """Put what policy decided on record as an approval; go on when it allows, else wait for a person.

        ``until`` is when the phase looks again although nobody has answered.
        """
        delivers = decision.action == "merge_and_deploy"
        kind, phase = ("approval", Phase.DELIVER) if delivers else (f"approval-{decision.action}", Phase.MITIGATE)
        now, name = self._parts.clock.now(), name_of(kind, incident)
        approval = approvals.ask(name, incident, decision, now=now, expiry=self._parts.approval_expiry, riders=riders)
        tx.save_approval(approval)
        if decision.verdict == "allow":
            self._go(tx, incident, phase)
            return
        ships: list[JsonValue] = [*riders]
        said = f"a person's approval is needed to {ASKED[decision.action]}"
        subject, wake_at = decision.subject, min(approval.expires_at, until or approval.expires_at)
        self._note(tx, incident, "approval.requested", said, approval=approval.id, subject=subject, riders=ships)
        self._go(tx, incident, phase, waiting="approval", wake_at=wake_at)

    def _spend(self, incident: Incident, approval: Approval, decision: Decision) -> bool:
        """Use the yes up, in one transaction with the last look at what may hold the effect; False when it is held."""
        with self._parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            if current.cancel_requested and approval.state == "approved":
                self._to_end(tx, current, Outcome.CANCELLED, CANCELLED)
                return False
            self._note_decision(tx, current, decision)
            if approval.by == "policy" and decision.verdict != "allow":
                self._question(tx, current, decision, {rider.commit: rider.title for rider in approval.riders})
                return False
            if approval.state == "approved":
                tx.save_approval(approvals.use(approval, approval.subject, self._parts.clock.now()))
        return True

    def _find(self, incident: Incident, target: Target) -> PullRequest | None:
        return self._parts.forge(target).find(name_of("pull-request", incident))

    def _still_binding(self, incident: Incident, target: Target, approval: Approval, proposal: Proposal) -> bool:
        """Whether the approval still names exactly what would be merged and shipped; if not, propose anew."""
        pull_request = self._find(incident, target)
        if merged(pull_request) is not None:
            return True
        riders = self._parts.forge(target).riders(self._running(target), pull_request.base if pull_request else "")
        if pull_request is not None and subject_of(proposal, pull_request, riders) == approval.subject:
            return True
        self._anew(incident, "what was approved is no longer what would be shipped")
        return False

    def _anew(self, incident: Incident, why: str) -> None:
        """The world moved: the next attempt is proven on it and asked for anew, a few times."""
        with self._parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            if current.attempt >= MOST_ATTEMPTS:
                self._to_end(
                    tx, current, Outcome.ESCALATED, f"{why}, in {current.attempt} attempts: a person is needed"
                )
                return
            self._note(tx, current, "approval.stale", f"{why}: again")
            self._go(tx, current.model_copy(update={"attempt": current.attempt + 1}), Phase.INVESTIGATE)

    def _without_approval(self, incident: Incident, approval: Approval) -> None:
        """Still waiting, refused, or too late (which counts as no)."""
        found = merged(self._find(incident, self._parts.targets[incident.target]))
        if found is not None and approval.state in ("rejected", "expired"):
            held = f"main holds it as {(found.merge_commit or '')[:10]}: revert that before the next deploy"
            self._end(incident, Outcome.ESCALATED, f"it was merged, and its deploy was refused; {held}")
            return
        if approval.state == "rejected":
            self._end(incident, Outcome.REJECTED, f"{approval.by} said no: {approval.comment or 'no comment'}")
        elif approval.state == "expired":
            with self._parts.work.begin() as tx:
                current = self._fenced(tx, incident)
                tx.save_approval(approval)
                self._to_end(tx, current, Outcome.REJECTED, "nobody answered in time, which counts as no")
        else:
            self._park(incident, "approval", "waiting for a person", wake_at=approval.expires_at)

    def _running(self, target: Target) -> str:
        """The commit that runs now; without one nothing can be said about riders, so nothing is delivered."""
        commit = self._parts.deployer.running(target).commit
        if commit is None:
            raise Unreachable(f"{target.name} does not say which commit it runs: is it up?")
        return commit


def name_of(effect: str, incident: Incident, attempt: int | None = None) -> str:
    """The deterministic name of an effect: it can be looked up after a crash."""
    return f"{effect}-{incident.id}-{attempt or incident.attempt}"


def subject_of(proposal: Proposal, pull_request: PullRequest, riders: tuple[str, ...]) -> str:
    """The hash of everything that a yes to merging and deploying is bound to."""
    return approvals.approval_subject(proposal.subject or "", pull_request.base, pull_request.head, riders)


def merged(pull_request: PullRequest | None) -> PullRequest | None:
    """The pull request when it was merged, else None."""
    return pull_request if pull_request is not None and pull_request.state == "merged" else None
