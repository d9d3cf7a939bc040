"""Stopping the harm: what a mitigation is asked for, how it is carried out, and what follows when nobody wants it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from .actions.plan import Situation, fallback_of, make_plan, promotion
from .asking import Questions, name_of
from .errors import AgentError, Misconfigured, Permanent, Superseded, UnknownEffect
from .model.delivery import Deployment, Observation, Verification
from .model.diagnosis import Diagnosis
from .model.evidence import EvidenceSet
from .model.incident import Incident, Outcome, Phase
from .model.plan import Deed, Mitigation, Option, Plan, Remedy
from .model.policy import MITIGATIONS, Approval, Decision
from .model.target import Target
from .model.wording import diagnosis_line, plan_line
from .ports import EffectKind, Steps, Transaction

KINDS: Mapping[Remedy, EffectKind] = {"quarantine": "repeatable", "retrain": "once", "promote": "once"}
"""How a mitigation may be repeated after a crash; what is not here is a deployment, and named."""
LIFTS: frozenset[Remedy] = frozenset({"rollback", "restart", "configuration_revert", "promote"})
"""What deals with the cause, so that a quarantine is over before it is watched."""


class Mitigating(Questions):
    """Plans, and carries out what is no change of code."""

    def _plan(
        self, incident: Incident, target: Target, evidence: EvidenceSet, diagnosis: Diagnosis, seen: Observation
    ) -> Plan:
        """What to do, as the incident stands now."""
        parts = self._parts
        return make_plan(
            Situation(
                incident=parts.ledger.incident(incident.id),
                evidence=evidence,
                diagnosis=diagnosis,
                now=seen,
                episodes=parts.ledger.episodes(incident.id),
                abilities=parts.remedies.abilities(target),
                tried=self._tried(incident),
            )
        )

    def _tried(self, incident: Incident) -> frozenset[Remedy]:
        """What was carried out in former attempts of the incident: it did not end it."""
        deeds = (self._mitigation(incident, attempt) for attempt in range(1, incident.attempt))
        return frozenset(deed.remedy for each in deeds for deed in each.deeds if deed.remedy != "quarantine")

    def _mitigation(self, incident: Incident, attempt: int | None = None) -> Mitigation:
        """What was carried out in an attempt, the current one by default."""
        which = attempt or incident.attempt
        return self._parts.ledger.document(incident.id, "mitigation", Mitigation, attempt=which) or Mitigation()

    def _quarantine(self, incident: Incident) -> Deed | None:
        """The quarantine that is in force, of whatever attempt."""
        attempts = (self._mitigation(incident, attempt) for attempt in range(1, incident.attempt + 1))
        deeds = [deed for each in attempts for deed in each.deeds if deed.remedy == "quarantine"]
        until = deeds[-1].until if deeds else None
        return deeds[-1] if until is not None and until > self._parts.clock.now() else None

    def _take(self, tx: Transaction, incident: Incident, plan: Plan, diagnosis: Diagnosis) -> None:
        """Put the plan on record and begin with it."""
        tx.put(incident, "plan", plan)
        self._note(tx, incident, "plan.made", plan_line(plan), way=plan.way.remedy, standing=plan.standing)
        if plan.mitigation is not None:
            self._go(tx, incident, Phase.MITIGATE)
        elif plan.repairs:
            self._go(tx, incident, Phase.REPAIR)
        elif plan.way.remedy == "none" or (incident.all_resolved and plan.standing != "flapping"):
            self._to_end(tx, incident, Outcome.RECOVERED, "every alert resolved and no change was proven guilty")
        elif plan.way.remedy == "wait":
            self._watch(tx, incident)
        else:
            self._to_end(tx, incident, Outcome.ESCALATED, diagnosis_line(diagnosis))

    def _watch(self, tx: Transaction, incident: Incident) -> None:
        """Watch production from now on."""
        parts = self._parts
        since = parts.clock.now() + timedelta(seconds=parts.verification.settle_seconds)
        before = parts.ledger.document(incident.id, "before", Observation)
        tx.put(incident, "verification", Verification(state="watching", since=since, before=before))
        self._go(tx, incident, Phase.VERIFY, waiting="window", wake_at=since)

    # -- asking ----------------------------------------------------------------------------------------------------

    def _ask_to_mitigate(self, incident: Incident, plan: Plan, option: Option) -> None:
        """Ask policy, and through it a person; while something else can go on nobody is waited for very long."""
        parts = self._parts
        decision = self._decision(incident, option)
        if decision.verdict == "deny":
            self._go_without(incident, plan, "policy: " + "; ".join(decision.reasons), decision)
            return
        until = parts.clock.now() + parts.mitigation_patience if plan.first is not None else None
        with parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            self._note_decision(tx, current, decision)
            self._question(tx, current, decision, {}, until=until)

    def _decision(self, incident: Incident, option: Option) -> Decision:
        try:
            running = self._parts.deployer.running(self._parts.targets[incident.target]).commit
        except Misconfigured:  # nothing of it can be deployed; its own actions can be called all the same
            running = None
        action = MITIGATIONS[option.remedy]
        return self._parts.policy.decide(action, incident, option.subject(running), None)

    def _begun(self, incident: Incident, target: Target, option: Option, approval: Approval) -> bool:
        """Whether a spent yes has had its effect, or may have: then it is brought to its end."""
        if approval.state != "used":
            return False
        name = name_of(f"mitigate-{option.remedy}", incident)
        return option.remedy in KINDS or self._parts.remedies.find(target, name, option) is not None

    def _unanswered(self, incident: Incident, plan: Plan, approval: Approval) -> None:
        """Still waiting, refused, or too late (which counts as no)."""
        parts = self._parts
        if approval.state == "rejected":
            self._go_without(incident, plan, f"{approval.by} said no: {approval.comment or 'no comment'}")
            return
        patient = approval.requested_at + parts.mitigation_patience > parts.clock.now()
        hurried = plan.first is not None
        if approval.state == "pending" and (patient or not hurried):
            until = approval.requested_at + parts.mitigation_patience if hurried else approval.expires_at
            self._park(incident, "approval", "waiting for a person", wake_at=until)
            return
        self._go_without(incident, plan, "nobody answered in time, which counts as no", late=approval)

    def _passed(self, incident: Incident, plan: Plan, asked: Approval | None) -> bool:
        """Every alert resolved before anything was done, and no commit was proven guilty: nothing is done, and nobody asked."""
        spent = asked is not None and asked.state == "used"
        if plan.repairs or spent or not incident.all_resolved or self._mitigation(incident).deeds:
            return False
        with self._parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            if asked is not None:
                tx.save_approval(asked.model_copy(update={"state": "expired"}))
            self._to_end(tx, current, Outcome.RECOVERED, "every alert resolved before anything was done")
        return True

    def _go_without(
        self,
        incident: Incident,
        plan: Plan,
        why: str,
        decision: Decision | None = None,
        *,
        late: Approval | None = None,
    ) -> None:
        """Without the mitigation: on with the way, where it was only what comes first; else the incident waits or ends."""
        if decision is not None and (decision.held or plan.first is None):
            self._refused(incident, decision)
            return
        with self._parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            if late is not None:
                tx.save_approval(late.model_copy(update={"state": "expired"}))
            self._note(tx, current, "mitigation.left_out", why)
            if plan.first is not None:
                self._go_on(tx, current, plan)
            elif self._mitigation(incident).deeds:
                self._note(tx, current, "mitigation.kept", "what was done already is watched")
                self._watch(tx, current)
            elif current.all_resolved:
                self._to_end(tx, current, Outcome.RECOVERED, "every alert resolved before anything was done")
            else:
                self._to_end(tx, current, Outcome.REJECTED, why)

    # -- carrying out ----------------------------------------------------------------------------------------------

    def _carry_out(self, incident: Incident, target: Target, plan: Plan, option: Option, steps: Steps) -> None:
        """Do what was allowed, once; then repair, promote or watch. What fails first keeps no repair from being prepared."""
        remedies, name = self._parts.remedies, name_of(f"mitigate-{option.remedy}", incident)
        try:
            deed = steps.effect(
                name,
                KINDS.get(option.remedy, "named"),
                Deed,
                find=lambda: remedies.find(target, name, option),
                make=lambda: remedies.carry_out(target, name, option, incident.title),
            )
        except UnknownEffect as error:
            self._end(incident, Outcome.ESCALATED, str(error))
            return
        except Superseded:
            raise
        except AgentError as error:
            if plan.first is None:
                raise
            self._go_without(incident, plan, f"{option.remedy} failed, which may be half done: {error}")
            return
        self._record(incident, deed)
        if option != plan.first and option.remedy in LIFTS and not self._lift(incident, target, steps):
            return
        with self._parts.work.begin() as tx:
            current = self._fenced(tx, incident)
            if option == plan.first:
                self._go_on(tx, current, plan)
            elif option.remedy == "retrain":
                onward = promotion(plan, deed.version)
                tx.put(current, "plan", onward)
                self._note(tx, current, "plan.made", plan_line(onward), way=onward.way.remedy)
                self._go(tx, current, Phase.MITIGATE)
            else:
                self._watch(tx, current)

    def _record(self, incident: Incident, deed: Deed) -> None:
        """Put what was done on record, once, however often the phase is run."""
        with self._parts.work.begin() as tx:
            current, done = self._fenced(tx, incident), self._mitigation(incident)
            if deed.name not in {each.name for each in done.deeds}:
                tx.put(current, "mitigation", Mitigation(deeds=(*done.deeds, deed)))
                kind = "quarantine.lifted" if deed.lifts else "mitigated"
                self._note(tx, current, kind, deed.said, remedy=deed.remedy, version=deed.version)

    def _go_on(self, tx: Transaction, incident: Incident, plan: Plan) -> None:
        """From what comes first to the way."""
        tx.put(incident, "plan", plan.model_copy(update={"first": None}))
        self._go(tx, incident, Phase.REPAIR if plan.repairs else Phase.MITIGATE)

    def _without_patch(self, tx: Transaction, incident: Incident, why: str) -> None:
        """No patch could be proven: the plan's fallback, what was done already, or people."""
        plan = self._parts.ledger.document(incident.id, "plan", Plan, attempt=incident.attempt)
        left = fallback_of(plan, why) if plan is not None else None
        if left is not None:
            tx.put(incident, "plan", left)
            self._note(tx, incident, "plan.made", plan_line(left), way=left.way.remedy)
            self._go(tx, incident, Phase.MITIGATE)
        elif self._mitigation(incident).deeds:
            self._note(tx, incident, "mitigation.kept", f"{why}: what was done already is watched")
            self._watch(tx, incident)
        else:
            self._to_end(tx, incident, Outcome.ESCALATED, why)

    def _lift(self, incident: Incident, target: Target, steps: Steps) -> bool:
        """The cause was dealt with: values are served as good again, or nobody could see that it helped.

        False when that is held: the phase is run again when the stop is lifted.
        """
        quarantine = self._quarantine(incident)
        if quarantine is None:
            return True
        decision = self._parts.policy.decide("undo", incident, quarantine.name, None)
        if decision.verdict == "deny":
            self._refused(incident, decision, ends=False)
            return False
        with self._parts.work.begin() as tx:
            self._note_decision(tx, self._fenced(tx, incident), decision)
        name = name_of("lift-quarantine", incident)
        make = partial(self._lifted, target, name)
        lifted = steps.effect(name, "repeatable", Mitigation, find=lambda: None, make=make)
        for deed in lifted.deeds:
            self._record(incident, deed)
        if not lifted.deeds:
            with self._parts.work.begin() as tx:
                said = "the quarantine could not be lifted: it expires by itself"
                self._note(tx, self._fenced(tx, incident), "quarantine.lifted", said)
        return True

    def _lifted(self, target: Target, name: str) -> Mitigation:
        """What lifted it; nothing where the target has no way to, or refuses: a fix that is live is verified all the same."""
        try:
            deed = self._parts.remedies.lift(target, name)
        except Permanent:
            deed = None
        return Mitigation(deeds=(deed,) if deed is not None else ())

    def _reason(self, incident: Incident) -> str:
        """Why it ended so, and what stays in force."""
        quarantine = self._quarantine(incident)
        if quarantine is None or quarantine.until is None:
            return incident.reason
        return f"{incident.reason}; the quarantine stays in force until {quarantine.until:%Y-%m-%d %H:%M} UTC"

    # -- watching --------------------------------------------------------------------------------------------------

    def _patiently(self, incident: Incident, judged: Verification, before: Verification, now: datetime) -> Verification:
        """Where nothing was done, a breach that goes on is no failure yet: it may pass until patience ends."""
        waited = (now - before.since).total_seconds()
        waits = not self._mitigation(incident).deeds and waited < self._parts.watch_for.total_seconds()
        return judged.model_copy(update={"state": "watching"}) if waits and judged.state == "failed" else judged

    def _mitigated(self, incident: Incident, target: Target, judged: Verification, steps: Steps) -> None:
        """What production says where no code was changed."""
        if judged.state == "confirmed":
            self._settled(incident, judged)
        elif judged.state == "inconclusive" and self._mitigation(incident).deeds:
            self._end(incident, Outcome.INCONCLUSIVE, "; ".join(judged.reasons), verification=judged)
        else:
            self._unsettled(incident, target, judged, steps)

    def _settled(self, incident: Incident, judged: Verification) -> None:
        """Production is well without a change of code."""
        deeds = self._mitigation(incident).deeds
        done = "; ".join(deed.said for deed in deeds)
        quiet = "; ".join(judged.reasons)
        if deeds:
            self._end(incident, Outcome.MITIGATED, f"{done}: production is well ({quiet})", verification=judged)
            return
        diagnosis = self._document(incident, "diagnosis", Diagnosis)
        outcome = Outcome.RECOVERED if diagnosis.hypotheses else Outcome.NOTHING_WRONG
        self._end(incident, outcome, f"nothing was done, and production is well ({quiet})", verification=judged)

    def _unsettled(self, incident: Incident, target: Target, judged: Verification, steps: Steps) -> None:
        """It did not help: what can be taken back is, and people are told."""
        deeds = self._mitigation(incident).deeds
        why = "; ".join(judged.reasons)
        if not deeds:
            first = diagnosis_line(self._document(incident, "diagnosis", Diagnosis))
            self._end(incident, Outcome.ESCALATED, f"it did not pass by itself ({why}): {first}", verification=judged)
            return
        last = next((deed for deed in reversed(deeds) if not deed.lifts), deeds[-1])
        reason = f"{last.said}, which did not help ({why})"
        previous = last.deployment.previous if last.deployment is not None and last.remedy == "rollback" else None
        if previous is not None:
            with self._parts.work.begin() as tx:
                tx.put(self._fenced(tx, incident), "verification", judged.model_copy(update={"state": "failed"}))
            decision = self._parts.policy.decide("undo", incident, previous, None)
            if decision.verdict == "deny":
                self._refused(incident, decision, ends=False)
                return
            with self._parts.work.begin() as tx:
                self._note_decision(tx, self._fenced(tx, incident), decision)
            name = name_of("undo-mitigation", incident)
            steps.effect(
                name,
                "named",
                Deployment,
                find=partial(self._parts.deployer.find, target, name),
                make=lambda: self._parts.deployer.deploy(target, name, previous, kind="rollback"),
            )
            reason += f"; {previous[:10]} was put back"
        self._end(incident, Outcome.ESCALATED, reason, verification=judged)
