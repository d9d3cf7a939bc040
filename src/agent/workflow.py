"""The life of an incident, top to bottom. Read this first.

    investigate -> [mitigate] -> repair -> (a person approves) -> deliver -> verify -> conclude

Each method below is one phase: a short durable workflow. Between phases an incident is a row in the store, so waiting
for a person costs nothing and survives a restart. A phase reads the incident, checks the fencing token (attempt and
turn), runs its steps, and commits its records together with the next phase. Nothing here knows DBOS, SQLAlchemy,
git or the sandbox. What is asked of people is in `asking.py`, how harm is stopped without a change of code in `mitigating.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from .asking import CANCELLED, merged, name_of
from .errors import Conflict, Misconfigured, NotFound, Superseded
from .forge.description import commits_of, describe
from .mitigating import Mitigating
from .model.delivery import Check, Deployment, Observation, PullRequest, Verification
from .model.diagnosis import Diagnosis
from .model.evidence import EvidenceSet
from .model.experiment import Run, Verdict
from .model.incident import Incident, Notice, Outcome, Phase
from .model.plan import Plan
from .model.policy import MITIGATIONS, Approval
from .model.record import Record
from .model.repair import Proposal
from .model.target import Target
from .model.wording import diagnosis_line, evidence_line, failing_routes, observation_line
from .parts import Parts
from .policy import approvals
from .ports import Steps

T = TypeVar("T", bound=Record)


class Workflow(Mitigating):
    """Runs one phase of one incident at a time."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._phases: dict[Phase, Callable[[Incident, Steps], None]] = {
            Phase.INVESTIGATE: self.investigate,
            Phase.MITIGATE: self.mitigate,
            Phase.REPAIR: self.repair,
            Phase.DELIVER: self.deliver,
            Phase.VERIFY: self.verify,
            Phase.CONCLUDE: self.conclude,
        }

    def run(self, incident_id: str, phase: str, attempt: int, turn: int, steps: Steps) -> None:
        """Run one phase. Raises `Superseded` when the incident has moved on."""
        incident = self._parts.ledger.incident(incident_id)
        if (incident.phase, incident.attempt, incident.turn) != (phase, attempt, turn):
            raise Superseded(f"{incident_id}: phase {phase} {attempt}.{turn} is no longer current")
        if incident.cancel_requested and not self._delivered(incident):
            done = "; ".join(deed.said for deed in self._mitigation(incident).deeds)
            why = f"a person cancelled it; done before that: {done}" if done else CANCELLED
            self._end(incident, Outcome.CANCELLED, why)
            return
        self._phases[incident.phase](incident, steps)

    # -- investigate: what happened, and which change did it -----------------------------------------------------

    def investigate(self, incident: Incident, steps: Steps) -> None:
        """Gather evidence, then find the cause by experiment."""
        parts = self._parts
        target = parts.targets.get(incident.target)
        if target is None:
            self._park(incident, "operator", "no target's matchers fit these alerts: give the target a matcher")
            return
        self._begin(incident)
        episodes = parts.ledger.episodes(incident.id)
        evidence = steps.run("collect", EvidenceSet, lambda: parts.collector.collect(incident, target, episodes))
        before = steps.run(
            "observe before",
            Observation,
            lambda: parts.watcher.observe(target, evidence.window.start, failing_routes(evidence)),
        )
        with parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            tx.put(current, "evidence", evidence)
            tx.put(current, "before", before)
            self._note(
                tx, current, "evidence.collected", evidence_line(evidence), evidence_count=len(evidence.evidence)
            )
        diagnosis = steps.run("diagnose", Diagnosis, lambda: parts.investigator.investigate(incident, target, evidence))
        plan = steps.run("plan", Plan, lambda: self._plan(incident, target, evidence, diagnosis, before))
        with parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            tx.put(current, "diagnosis", diagnosis)
            self._note(tx, current, "diagnosis.made", diagnosis_line(diagnosis), seconds=diagnosis.seconds)
            self._take(tx, current.model_copy(update={"onset": diagnosis.onset}), plan, diagnosis)

    # -- mitigate: stop the harm before, or instead of, a change of code ---------------------------------------------

    def mitigate(self, incident: Incident, steps: Steps) -> None:
        """Ask for what the plan puts first, carry it out, and go on to the repair or to watching production."""
        parts, plan = self._parts, self._document(incident, "plan", Plan)
        target, option = parts.targets[incident.target], plan.mitigation
        if option is None:
            raise NotFound(f"{incident.id}: its plan holds no mitigation: retry the incident")
        asked = self._asked(incident, MITIGATIONS[option.remedy])
        if self._passed(incident, plan, asked):
            return
        if asked is None:
            self._ask_to_mitigate(incident, plan, option)
            return
        approval = approvals.current(asked, parts.clock.now())
        if approval.state not in ("approved", "used"):
            self._unanswered(incident, plan, approval)
            return
        decision = self._decision(incident, option)
        if decision.verdict == "deny":
            self._refused(incident, decision, ends=False)
        elif decision.subject != approval.subject and not self._begun(incident, target, option, approval):
            self._anew(incident, "what runs is no longer what the mitigation was approved for")
        elif self._spend(incident, approval, decision):
            self._carry_out(incident, target, plan, option, steps)

    # -- repair: a patch, proven, as a pull request -----------------------------------------------------------------

    def repair(self, incident: Incident, steps: Steps) -> None:
        """Find a patch that the judge accepts, propose it, and ask policy whether it may go on."""
        parts = self._parts
        target = parts.targets[incident.target]
        diagnosis = self._document(incident, "diagnosis", Diagnosis)
        decision = parts.policy.decide("repair", incident, diagnosis.culprit or "", None)
        if not self._allowed(incident, decision):
            return
        evidence = self._document(incident, "evidence", EvidenceSet)
        proposal = steps.run("repair", Proposal, lambda: self._proposed(incident, target, diagnosis))
        with parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            tx.put(current, "proposal", proposal)
            if proposal.patch is None or proposal.proof is None:
                self._without_patch(tx, current, f"no patch could be proven: {proposal.message}")
                return
            self._note(tx, current, "proof.stored", f"proof {proposal.proof.id} accepted", proof=proposal.proof.id)
        if not self._allowed(incident, parts.policy.decide("draft", incident, proposal.subject or "", proposal)):
            return
        forge, name = parts.forge(target), name_of("pull-request", incident)
        title, body = describe(incident, evidence, diagnosis, proposal)
        base, commits = proposal.patch.base, commits_of(incident, proposal)
        steps.effect(
            name,
            "named",
            PullRequest,
            find=lambda: forge.find(name),
            make=lambda: forge.open(name, base, commits, title, body),
        )
        passed = Check(name="proof", state="success", detail=f"{proposal.proof.id}: every trial passed")
        pull_request = steps.run("report the proof as a check", PullRequest, lambda: forge.set_check(name, passed))
        try:
            riders = forge.riders(self._running(target), base)
        except Misconfigured as error:
            why = f"pull request #{pull_request.number} holds a proven patch; deploying it is up to you: {error}"
            self._end(incident, Outcome.ESCALATED, why)
            return
        self._ask(incident, proposal, pull_request, riders)

    def _proposed(self, incident: Incident, target: Target, diagnosis: Diagnosis) -> Proposal:
        """A proposal whose pull request is there already stays the one that is asked for; else a new one."""
        parts = self._parts
        known = parts.ledger.document(incident.id, "proposal", Proposal, attempt=incident.attempt)
        if known is not None and known.proof is not None and self._find(incident, target) is not None:
            return known
        return parts.repairer.repair(incident, target, diagnosis)

    # -- deliver: merge and deploy exactly what was approved -----------------------------------------------------------

    def deliver(self, incident: Incident, steps: Steps) -> None:
        """Merge and deploy, once, exactly what was approved."""
        parts = self._parts
        target = parts.targets[incident.target]
        approval = approvals.current(self._latest_approval(incident), parts.clock.now())
        if approval.state not in ("approved", "used"):
            self._without_approval(incident, approval)
            return
        proposal = self._document(incident, "proposal", Proposal)
        forge, name = parts.forge(target), name_of("pull-request", incident)
        deploy_name = name_of("deploy", incident)
        main = forge.main()
        if not self._still_binding(incident, target, approval, proposal):
            return
        decision = parts.policy.decide("merge_and_deploy", incident, approval.subject, proposal)
        if decision.verdict == "deny":
            self._refused(incident, decision, ends=False)
            return
        if not self._spend(incident, approval, decision):
            return
        pull_request = self._document(incident, "pull_request", PullRequest)
        try:
            merged_in = steps.effect(
                name_of("merge", incident),
                "named",
                PullRequest,
                find=lambda: merged(forge.find(name)),
                make=lambda: forge.merge(name, pull_request.head, main),
            )
        except Conflict:
            if forge.main() == main:
                raise
            with parts.work.begin() as tx:  # it did nothing, so it does not count as an action
                self._fenced(tx, incident)
                tx.save_approval(approval.model_copy(update={"state": "expired"}))
            self._anew(incident, "main moved while it was merged")
            return
        commit = merged_in.merge_commit
        if commit is None:
            raise Conflict(f"pull request {name} says merged but names no merge commit: look at the forge")
        if not self._may_deploy(incident, target, approval, proposal, commit):
            return
        deployment = steps.effect(
            deploy_name,
            "named",
            Deployment,
            find=lambda: parts.deployer.find(target, deploy_name),
            make=lambda: parts.deployer.deploy(target, deploy_name, commit, kind="deploy"),
        )
        if self._lift(incident, target, steps):
            with parts.work.begin() as tx:
                current = self._fenced(tx, incident)
                tx.put(current, "pull_request", merged_in)
                tx.put(current, "deployment", deployment)
                self._note(tx, current, "delivered", f"{commit[:10]} is deployed; watching production", commit=commit)
                self._watch(tx, current)

    def _may_deploy(
        self, incident: Incident, target: Target, approval: Approval, proposal: Proposal, commit: str
    ) -> bool:
        """It is merged: whether nobody has stopped everything, nor deployed what holds the commit meanwhile."""
        parts = self._parts
        stop = parts.policy.decide("merge_and_deploy", incident, approval.subject, proposal)
        if stop.verdict == "deny":
            self._refused(incident, stop, ends=False)
            return False
        running = self._running(target)
        begun = parts.deployer.find(target, name_of("deploy", incident)) is not None
        if begun or running == commit or commit in parts.forge(target).riders(running, commit):
            return True
        why = f"merged as {commit[:10]}; {running[:10]}, which runs, holds it already: nothing was deployed"
        self._end(incident, Outcome.ESCALATED, why)
        return False

    def _delivered(self, incident: Incident) -> bool:
        """Whether something has left the agent: then it is brought to its end, also when a person cancelled it."""
        if incident.phase is Phase.DELIVER:
            return merged(self._find(incident, self._parts.targets[incident.target])) is not None
        if incident.phase is Phase.MITIGATE:
            option = self._document(incident, "plan", Plan).mitigation
            asked = self._asked(incident, MITIGATIONS[option.remedy]) if option is not None else None
            return asked is not None and asked.state == "used"
        return incident.phase not in (Phase.INVESTIGATE, Phase.REPAIR)

    # -- verify: only production closes an incident ---------------------------------------------------------------

    def verify(self, incident: Incident, steps: Steps) -> None:
        """Watch the signals over a window with enough traffic; then run the capsule on the old release."""
        parts = self._parts
        target = parts.targets[incident.target]
        evidence = self._document(incident, "evidence", EvidenceSet)
        fixed = parts.ledger.document(incident.id, "deployment", Deployment, attempt=incident.attempt)
        verification = self._document(incident, "verification", Verification)
        observation = steps.run(
            "observe",
            Observation,
            lambda: parts.watcher.observe(target, verification.since, failing_routes(evidence)),
        )
        deployment = fixed or self._mitigation(incident).deployment
        commit = deployment.commit if deployment is not None else None
        now, resolved = parts.clock.now(), incident.all_resolved
        judged = parts.verification.judge(
            verification, observation, incident.signal, now, resolved=resolved, commit=commit
        )
        if fixed is None:
            judged = self._patiently(incident, judged, verification, now)
        if judged.state == "watching":
            with parts.work.begin() as tx:
                current = self._fenced(tx, incident)
                tx.put(current, "verification", judged)
                self._note(tx, current, "verification.observed", observation_line(observation))
                self._go(tx, current, Phase.VERIFY, waiting="window", wake_at=parts.clock.now() + parts.observe_every)
        elif fixed is None:
            self._mitigated(incident, target, judged, steps)
        elif judged.state == "confirmed":
            self._confirm(incident, target, judged, fixed, steps)
        elif judged.state == "failed":
            self._roll_back(incident, target, judged, fixed, steps)
        else:
            self._end(incident, Outcome.INCONCLUSIVE, "; ".join(judged.reasons), verification=judged)

    def _confirm(
        self, incident: Incident, target: Target, judged: Verification, deployment: Deployment, steps: Steps
    ) -> None:
        """Production is well. Was it the fix? Red on the old release and green on the new one says so."""
        parts, capsule = self._parts, self._document(incident, "diagnosis", Diagnosis).capsule
        if capsule is None:
            self._end(incident, Outcome.INCONCLUSIVE, "there is no capsule to run on the old release")
            return
        final = steps.run(
            "capsule on both releases",
            Verification,
            lambda: _with_runs(judged, parts.reproducer.run_all(target, capsule, (capsule.commit, deployment.commit))),
        )
        old, new = final.old_release, final.new_release
        if old is None or new is None:
            self._end(incident, Outcome.INCONCLUSIVE, "the capsule was not run", verification=final)
            return
        if new.verdict is Verdict.RED:
            reasons = (f"the capsule is red on the new release: {new.reason}",)
            harmed = final.model_copy(update={"reasons": reasons})
            self._roll_back(incident, target, harmed, deployment, steps)
        elif old.verdict is Verdict.GREEN:
            reason = "production is well, but the old release passes now as well"
            self._close_or_watch(incident, Outcome.RECOVERED, reason, final)
        elif old.verdict is Verdict.RED and new.verdict is Verdict.GREEN:
            reason = "production is well; the capsule is red on the old release, green on the new"
            self._close_or_watch(incident, Outcome.FIXED, reason, final)
        else:
            reason = f"production is well, but the capsule could not be run: {old.reason}"
            self._end(incident, Outcome.INCONCLUSIVE, reason, verification=final)

    def _close_or_watch(self, incident: Incident, outcome: Outcome, reason: str, final: Verification) -> None:
        """It ended well, unless an alert came while the capsule ran: then production is watched on."""
        parts = self._parts
        with parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            if tx.unresolved(current.id):
                tx.put(current, "verification", final.model_copy(update={"state": "watching"}))
                self._note(tx, current, "verification.observed", "an alert came meanwhile: watching on")
                self._go(tx, current, Phase.VERIFY, waiting="window", wake_at=parts.clock.now() + parts.observe_every)
                return
            self._verified(tx, current, final, reason)
            self._to_end(tx, current, outcome, reason)

    def _roll_back(
        self, incident: Incident, target: Target, judged: Verification, deployment: Deployment, steps: Steps
    ) -> None:
        """It did not help: put the former release back and say so. The approval to deploy covers its own undoing."""
        parts, name = self._parts, name_of("rollback", incident)
        judged = judged.model_copy(update={"state": "failed"})
        with parts.work.begin() as tx:  # first: it is not forgotten while the roll back is held
            tx.put(self._fenced(tx, incident), "verification", judged)
        previous = deployment.previous
        if previous is None:
            self._end(incident, Outcome.ESCALATED, "the fix did not help and no former release is on record")
            return
        decision = parts.policy.decide("undo", incident, previous, self._document(incident, "proposal", Proposal))
        if decision.verdict == "deny":
            self._refused(incident, decision, ends=False)
            return
        with parts.work.begin() as tx:
            self._note_decision(tx, self._fenced(tx, incident), decision)
        steps.effect(
            name,
            "named",
            Deployment,
            find=lambda: parts.deployer.find(target, name),
            make=lambda: parts.deployer.deploy(target, name, previous, kind="rollback"),
        )
        why = "; ".join(judged.reasons)
        reason = f"the fix did not help ({why}); rolled back to {previous[:10]}"
        if any(deed.lifts for deed in self._mitigation(incident).deeds):
            reason += "; the quarantine was lifted with the fix: values are served as good ones again"
        if deployment.commit is not None:
            reason += f"; main still holds it as {deployment.commit[:10]}: revert that before the next deploy"
        self._end(incident, Outcome.ESCALATED, reason, verification=judged)

    # -- conclude: close, tell people, leave nothing open ------------------------------------------------------------

    def conclude(self, incident: Incident, steps: Steps) -> None:
        """Close what is still open and tell people how it ended."""
        parts = self._parts
        target = parts.targets.get(incident.target)
        if target is not None:
            self._close_pull_requests(incident, target, steps)
        outcome = incident.outcome or Outcome.INCONCLUSIVE
        subject, reason = f"{incident.title}: {outcome}", self._reason(incident)
        steps.run("tell people", Notice, lambda: parts.notifier.tell(incident, subject, reason))
        with parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            update = {"phase": Phase.CLOSED, "waiting": None, "wake_at": None, "closed_at": parts.clock.now()}
            closed = current.model_copy(update={**update, "outcome": outcome, "reason": reason})
            tx.save(closed)
            self._note(tx, closed, "incident.closed", f"{outcome}: {reason}", outcome=outcome.value)
            parts.intake.admit(tx, closed.target)

    def _close_pull_requests(self, incident: Incident, target: Target, steps: Steps) -> None:
        """Of every attempt: one that was overtaken leaves its own behind. What is handed to people stays open."""
        forge, handed = self._parts.forge(target), incident.outcome is Outcome.ESCALATED
        for attempt in range(1, incident.attempt + (0 if handed else 1)):
            name = name_of("pull-request", incident, attempt)
            existing = forge.find(name)
            if existing is not None and existing.state in ("draft", "open"):
                steps.run(f"close {name}", PullRequest, partial(forge.close, name, incident.reason))

    def _begin(self, incident: Incident) -> None:
        """From here on a resolved alert no longer cancels the investigation."""
        with self._parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            if not current.begun:
                tx.save(current.model_copy(update={"begun": True}))
                self._note(
                    tx, current, "phase.started", "investigate begins", phase="investigate", attempt=current.attempt
                )

    # -- moving on -----------------------------------------------------------------------------------------------------


def _with_runs(judged: Verification, runs: tuple[Run, ...]) -> Verification:
    return judged.model_copy(update={"old_release": runs[0], "new_release": runs[1]})
