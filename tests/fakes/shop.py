"""The world around one workflow: a target called shop, what runs there, and people who answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from agent.delivery.verification import VerificationRules
from agent.errors import AgentError, Superseded
from agent.intake.intake import AlertIntake
from agent.kit.ids import incident_id
from agent.model.alert import Alert, Episode
from agent.model.delivery import Observation, PullRequest
from agent.model.diagnosis import Diagnosis
from agent.model.evidence import EvidenceSet
from agent.model.experiment import Capsule, Run, Verdict
from agent.model.incident import Incident, Notice, Phase
from agent.model.policy import Approval, Autonomy
from agent.model.repair import Patch, Proof, Proposal, RegressionTest
from agent.model.target import Target
from agent.parts import Parts
from agent.policy import approvals
from agent.policy.policy import SafetyPolicy
from agent.policy.rejections import refused_before
from agent.store.audit import Chain
from agent.store.store import Store
from agent.workflow import Workflow

from . import records
from .clock import NOON, FakeClock
from .deployer import FakeDeployer
from .forge import FakeForge
from .remedies import FakeRemedies
from .steps import FakeSteps, StepMemory

GOOD, BAD = "a" * 40, "b" * 40
RULES = VerificationRules(window_seconds=10, settle_seconds=2, max_wait_seconds=60)
MOST_PHASES = 200
WINDOW = 5.0  # seconds that the signals are measured over


class FakeProduction:
    """Implements `Watcher`: what the running commit shows. Commits in ``ill`` keep the signal in breach."""

    def __init__(self, deployer: FakeDeployer, clock: FakeClock) -> None:
        self._deployer, self._clock = deployer, clock
        self.ill, self.rate = {BAD}, 20.0

    def observe(self, target: Target, since: datetime, routes: tuple[str, ...]) -> Observation:  # noqa: ARG002
        now, running = self._clock.now(), self._deployer.current
        requests = int(self.rate * max(0.0, (now - since).total_seconds()))
        ill = running in self.ill
        return Observation(
            at=now,
            commit=running,
            signals={"error_ratio": 0.3 if ill else 0.0},
            requests=requests,
            failing_kind_requests=requests // 5,
            firing=("error_ratio",) if ill else (),
            window_seconds=WINDOW,
        )


class FakeReproducer:
    """Implements `Reproducer`: red at BAD and green elsewhere, unless ``verdicts`` says otherwise."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}

    def run(self, target: Target, capsule: Capsule, commit: str, patch: Patch | None = None) -> Run:  # noqa: ARG002
        verdict = self.verdicts.get(commit, Verdict.RED if commit == BAD else Verdict.GREEN)
        return Run(commit=commit, verdict=verdict, reason=f"{verdict} as planned", seconds=0.1)

    def run_all(self, target: Target, capsule: Capsule, commits: tuple[str, ...]) -> tuple[Run, ...]:
        return tuple(self.run(target, capsule, commit) for commit in commits)


class FakeCollector:
    """Implements `Collector`."""

    def collect(self, incident: Incident, target: Target, episodes: tuple[Episode, ...]) -> EvidenceSet:  # noqa: ARG002
        return records.evidence(running=BAD, last_good=GOOD, failing=(records.failure(),))


class FakeInvestigator:
    """Implements `Investigator`: gives what it was told, and counts how often it was asked."""

    def __init__(self) -> None:
        self.diagnosis = records.diagnosis(BAD, records.capsule(BAD))
        self.asked = 0

    def investigate(self, incident: Incident, target: Target, evidence: EvidenceSet) -> Diagnosis:  # noqa: ARG002
        self.asked += 1
        return self.diagnosis


class FakeRepairer:
    """Implements `Repairer`: gives what it was told; by default a proven patch on the head of main."""

    def __init__(self, forge: FakeForge) -> None:
        self._forge = forge
        self.proposal: Proposal | None = None
        self.during: Callable[[], None] = lambda: None

    def repair(self, incident: Incident, target: Target, diagnosis: Diagnosis) -> Proposal:  # noqa: ARG002
        self.during()
        return self.proposal or records.proposal(self._forge.history[-1])

    def prove(self, target: Target, capsule: Capsule, patch: Patch, test: RegressionTest | None) -> Proof:
        raise NotImplementedError("the workflow proves nothing again")


class FakeNotifier:
    """Implements `Notifier`: keeps what people were told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def tell(self, incident: Incident, subject: str, text: str) -> Notice:  # noqa: ARG002
        self.told.append((subject, text))
        return Notice(channel="fake", at=NOON)


class Shop:
    """The real workflow, store, intake, policy and verification rules; everything outside of them is fake."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.store = Store(f"sqlite:///{folder / 'agent.db'}", self.clock, Chain(b"key"))
        self.forge = FakeForge((GOOD, BAD))
        self.deployer = FakeDeployer((), clock=self.clock)
        self.deployer.known = self.forge.history  # whatever is on main may be deployed
        self.deployer.current = BAD
        self.production = FakeProduction(self.deployer, self.clock)
        self.remedies = FakeRemedies(self.deployer, self.clock)
        self.reproducer, self.collector, self.notifier = FakeReproducer(), FakeCollector(), FakeNotifier()
        self.investigator, self.repairer = FakeInvestigator(), FakeRepairer(self.forge)
        self.stopped, self.safety, self.autonomy = False, True, Autonomy.APPROVE
        self.resolves = True
        self.memory = StepMemory()
        self.target = Target(name="shop", url="http://127.0.0.1:1", repository=folder)
        self.targets = {"shop": self.target}
        self.intake = AlertIntake(self.store, self.targets, self.clock, incident_id)
        self.set_policy()

    def set_policy(self) -> None:
        """Take over what the switches say now."""
        self.policy = self._policy()
        self.workflow = Workflow(self._parts())

    def _parts(self) -> Parts:
        return Parts(
            ledger=self.store,
            work=self.store,
            collector=self.collector,
            investigator=self.investigator,
            repairer=self.repairer,
            reproducer=self.reproducer,
            forge=lambda _target: self.forge,
            policy=self.policy,
            deployer=self.deployer,
            remedies=self.remedies,
            watcher=self.production,
            notifier=self.notifier,
            clock=self.clock,
            targets=self.targets,
            verification=RULES,
            intake=self.intake,
        )

    def _policy(self) -> SafetyPolicy:
        return SafetyPolicy(
            self.clock,
            safety_mode=lambda: self.safety,
            emergency_stop=lambda: self.stopped,
            autonomy=self.autonomy,
            refused=lambda incident, proposal: refused_before(self.store, incident, proposal),
            granted=frozenset({("error_ratio", "merge_and_deploy"), ("error_ratio", "undo")}),
        )

    def allow_everything(self) -> None:
        """No person is asked any more."""
        self.safety, self.autonomy = False, Autonomy.AUTONOMOUS
        self.set_policy()

    # -- alerts --------------------------------------------------------------------------------------------------

    def alert(self, status: str = "firing", **labels: str) -> str:
        """One alert arrives at the door; the id of its incident."""
        named = {"alertname": "HighErrorRatio", "target": "shop", "signal": "error_ratio", **labels}
        given = {"status": status, "labels": named, "annotations": {}, "starts_at": self.clock.now()}
        alert = Alert.model_validate({**given, "ends_at": None, "generator_url": "", "fingerprint": "f" * 16})
        return "".join(self.intake.accept((alert,), source="test"))

    def _resolve(self) -> None:
        """Whoever raised the alerts resolves them when production is well after a deploy."""
        if self.resolves and self.incident().phase is Phase.VERIFY and self.deployer.current not in self.production.ill:
            for episode in self.store.episodes(self.incident().id):
                if not episode.resolved:
                    done = episode.alert.model_copy(update={"status": "resolved", "ends_at": self.clock.now()})
                    self.intake.accept((done,), source="test")

    # -- time ----------------------------------------------------------------------------------------------------

    def incident(self) -> Incident:
        """The newest incident."""
        return self.store.incidents()[0]

    def run(self, *, until: Phase | None = None) -> Incident:
        """Run what is due and let windows pass, until a person is asked, the phase comes, or the incident is closed."""
        for _ in range(MOST_PHASES):
            now = self.incident()
            if not now.active or now.waiting in ("approval", "operator") or now.phase is until:
                return now
            self.run_once()
        raise AssertionError(f"no end in sight: {self.incident()}")

    def run_once(self) -> None:
        """Let time pass until the incident is due, and run its phase."""
        now = self.incident()
        if now.wake_at is not None and now.wake_at > self.clock.now():
            self.clock.move((now.wake_at - self.clock.now()).total_seconds())
        self._resolve()
        self.phase(now)

    def phase(self, incident: Incident) -> None:
        """One run of one phase, as the durable runner does it."""
        name = f"{incident.id}:{incident.phase}:{incident.attempt}:{incident.turn}"
        steps = FakeSteps(self.memory, name)
        try:
            self.workflow.run(incident.id, incident.phase.value, incident.attempt, incident.turn, steps)
        except Superseded:
            raise
        except AgentError as error:
            self.workflow.fail(incident, error)

    # -- people ---------------------------------------------------------------------------------------------------

    def answer(self, *, yes: bool, comment: str = "") -> Approval:
        """A person answers what is asked now."""
        incident = self.incident()
        with self.store.begin() as tx:
            questions = tx.approvals(incident.id)
            asked = next((one for one in reversed(questions) if one.state == "pending"), questions[-1])
            answered = approvals.decide(
                asked, "ines", yes=yes, subject=asked.subject, now=self.clock.now(), comment=comment
            )
            tx.save_approval(answered)
            self._move(tx, incident)
        return answered

    def cancel(self) -> None:
        """A person cancels; what waits is run again."""
        with self.store.begin() as tx:
            incident = tx.incident(self.incident().id).model_copy(update={"cancel_requested": True})
            tx.save(incident)
            if incident.waiting is not None:
                self._move(tx, incident)

    def retry(self) -> None:
        """A person asks for the next attempt of an incident that has ended."""
        with self.store.begin() as tx:
            ended = tx.incident(self.incident().id)
            anew = {"phase": Phase.INVESTIGATE, "attempt": ended.attempt + 1, "outcome": None, "closed_at": None}
            self._move(tx, ended.model_copy(update=anew))

    def resume(self) -> None:
        """The emergency stop is lifted; what waits for the operator is run again."""
        self.stopped = False
        with self.store.begin() as tx:
            self._move(tx, tx.incident(self.incident().id))

    def _move(self, tx: object, incident: Incident) -> None:
        update = {"turn": incident.turn + 1, "waiting": None, "wake_at": None}
        tx.save(incident.model_copy(update=update))  # type: ignore[attr-defined]

    # -- what can be seen afterwards ------------------------------------------------------------------------------

    def approvals(self) -> tuple[Approval, ...]:
        return self.store.approvals(self.incident().id)

    def pull_request(self, attempt: int = 1) -> PullRequest | None:
        return self.forge.find(f"pull-request-{self.incident().id}-{attempt}")

    def kinds(self) -> list[str]:
        """What the trail says, in order."""
        return [entry.kind for entry in self.store.entries(limit=1000)]
