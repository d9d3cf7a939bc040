"""The composition root: builds every part from the settings and is the agent behind its routes.

The only place that knows every part. `build(settings)` makes an `App`; `start` takes the state folder and begins to work;
`stop` ends it. Heavy parts (DBOS) start in the background, so that health answers early.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import cache

from . import __version__
from .actions.former_settings import FormerSettings
from .actions.remedies import TargetRemedies
from .delivery.supervised import SupervisedDeployer
from .delivery.verification import VerificationRules
from .diagnosis.analysed import AnalysedInvestigator
from .diagnosis.investigator import ExperimentalInvestigator
from .durable import Durable
from .errors import AgentError, NotFound
from .evidence.collector import EvidenceCollector
from .evidence.history import GitHistory
from .evidence.remote import remote_sources
from .evidence.watch import DirectWatcher
from .forge.local import LocalForge
from .intake.intake import AlertIntake
from .intake.monitor import Monitor
from .intake.reread import Alertmanager
from .intake.webhook import Webhook
from .kit.clock import SystemClock
from .kit.http import HttpClient
from .kit.ids import incident_id as new_incident_id
from .kit.redact import redact
from .kit.workspaces import Workspaces
from .llm.analyst import open_analyst
from .model.alert import Alert
from .model.audit import Entry
from .model.evidence import Change
from .model.incident import Incident
from .model.policy import Approval
from .model.repair import Proof
from .model.target import Target
from .model.views import (
    Accepted,
    ChainReport,
    Figures,
    Health,
    IncidentDetail,
    Part,
    Status,
    TargetStatus,
)
from .model.wording import standing
from .notify.log import LogNotifier
from .parts import Parts
from .policy.breaker import past_actions
from .policy.desk import Desk, moved
from .policy.policy import SafetyPolicy
from .policy.rejections import refused_before
from .ports import Forge
from .repair.authors.partial import PartialRevertAuthor
from .repair.authors.revert import RevertAuthor
from .repair.engine import CapsuleReproducer, RepairEngine
from .repair.judge import Judge
from .sandbox.bubblewrap import Bubblewrap, Limits
from .sandbox.environment import Environments
from .sandbox.laboratory import SandboxLaboratory
from .sandbox.readiness import Readiness
from .settings import Settings, installer_environment
from .store.audit import Chain
from .store.documents import documents_of
from .store.store import Store
from .workflow import Workflow

MEBI = 1 << 20
MOST_ACTIVE = 1_000
MOST_SHOWN = 100
SAFETY, STOPPED, MONITORING = "safety_mode", "emergency_stop", "monitoring"


class App:
    """The agent; implements the web layer's `Service`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self._started_at = self.clock.now()
        state = settings.prepare_state()
        self.store = Store(settings.database, self.clock, Chain.open(state / "audit.key"))
        self.targets = {target.name: target for target in settings.targets}
        self._ending = threading.Event()
        self.sandbox = Bubblewrap(ending=self._ending)
        self.laboratory = self._laboratory()
        self._http = http = HttpClient()
        self._desk = Desk(self.store, self.clock)
        self.intake = AlertIntake(self.store, self.targets, self.clock, new_incident_id)
        address = settings.alertmanager_url
        again = None if address is None else Alertmanager(http, str(address))
        self._webhook = Webhook(self.intake, self.store, again)
        self._readiness = Readiness(self.laboratory.make_ready, self.store)
        self._settings = FormerSettings(state / "settings")
        self._monitor = Monitor(
            self.targets,
            http,
            self.intake,
            self.clock,
            self.store,
            interval=settings.monitoring.interval,
            rules=settings.monitoring.rules,
            raises=settings.monitoring.raises,
            firing=self._firing(),
            released=self._readiness.released,
            looked=self._settings.look,
        )
        self.workflow = Workflow(self._parts(http))
        run, fail = self.workflow.run, self.workflow.fail
        self._durable = Durable(self.store, state, self.clock, run, fail, self._ending.set)
        self._ready = threading.Event()
        self._noted = False
        self._problem = ""

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take the state folder and sweep leftovers, then start the durable runner and the monitor in the background.

        Raises `Misconfigured`, before anything is changed, when another service has the folder. Safety mode that
        was switched off lasts until a restart, unless the setting says off as well.
        """
        self._durable.take_state()
        self._workspaces.sweep()
        self._note_start()
        if self.settings.safety_mode and not self._safety_mode():
            self._set(SAFETY, "on", "safety_mode.on", "agent", changed=True, why="restarted, and SAFETY_MODE is true")
        threading.Thread(target=self._start_parts, name="start", daemon=True).start()

    def _start_parts(self) -> None:
        try:
            self._durable.start()
            if self.settings.monitoring.start and self.store.flag(MONITORING) != "off":
                self._monitor.start()
            self._ready.set()
        except Exception as error:  # whatever it is: people must see that the agent does not work, and why
            self._problem = redact(str(error) or type(error).__name__)
            logging.getLogger(__name__).exception("the agent could not be started")

    def _note_start(self) -> None:
        """What began to work, and on which settings, for whoever reads the trail."""
        settings = self.settings
        said = f"agent {__version__} started; {settings.summary}"
        self.store.append(
            "agent.started",
            said,
            data={
                "version": __version__,
                "safety_mode": settings.safety_mode,
                "autonomy": settings.policy.autonomy,
                "targets": list(self.targets),
                "configuration": settings.file_hash,
            },
        )
        self._noted = True

    def stop(self) -> None:
        """Stop watching and dispatching, end what runs in the sandbox; what is under way goes on at the next start."""
        self._monitor.stop()
        self._readiness.stop()
        if self._ready.is_set() or self._problem:
            self._durable.stop()
        self._ending.set()
        if self._noted:
            with contextlib.suppress(AgentError):  # a database that is away keeps nobody from stopping
                self.store.append("agent.stopped", f"agent {__version__} stopped")
        self._deployer.close()
        self._http.close()
        self.store.close()

    # -- building ------------------------------------------------------------------------------------------------

    def _laboratory(self) -> SandboxLaboratory:
        bounds, state = self.settings.sandbox, self.settings.state
        self._workspaces = Workspaces(state / "work")
        limits = Limits(
            wall=bounds.wall_seconds,
            cpu=bounds.cpu_seconds,
            memory_mib=bounds.memory_mib,
            processes=bounds.processes,
            file_mib=bounds.file_mib,
            open_files=bounds.open_files,
            output=bounds.output_mib * MEBI,
        )
        folder = bounds.environments or state / "environments"
        environments = Environments(folder, installer_env=installer_environment(), ending=self._ending)
        return SandboxLaboratory(self.sandbox, environments, self._workspaces, limits=limits)

    def _parts(self, http: HttpClient) -> Parts:
        settings, clock, store = self.settings, self.clock, self.store
        policy, verification = settings.policy, settings.verification

        @cache
        def history(name: str) -> GitHistory:
            target = self.targets[name]
            return GitHistory(target.repository, target.branch, target.name)

        def history_of(target: Target) -> GitHistory:
            return history(target.name)

        authors = (RevertAuthor(history_of), PartialRevertAuthor(history_of))
        judge = Judge(self.laboratory, history_of, store, clock)
        self.repairer = RepairEngine(self.laboratory, history_of, authors, judge, store, clock)
        deployer = self._deployer = SupervisedDeployer(clock, store)
        analyst = open_analyst(settings.language, store.purse, clock, settings.secrets)
        limits = {rule.signal: rule.limit for rule in settings.monitoring.rules}
        experiments = ExperimentalInvestigator(self.laboratory, history_of, store, clock, limits)
        metrics, logs = remote_sources(http, settings.prometheus_url, settings.loki_url)
        collector = EvidenceCollector(
            http, self._monitor, history_of, self._reported, clock, deployer.running, metrics, logs
        )
        return Parts(
            ledger=store,
            work=store,
            collector=collector,
            investigator=AnalysedInvestigator(experiments, analyst, history_of, store),
            repairer=self.repairer,
            reproducer=CapsuleReproducer(self.laboratory),
            forge=self._forge(),
            policy=SafetyPolicy(
                clock,
                safety_mode=self._safety_mode,
                emergency_stop=self._stopped,
                autonomy=policy.level,
                history=lambda target: past_actions(store, target),
                refused=lambda incident, proposal: refused_before(store, incident, proposal),
            ),
            deployer=deployer,
            remedies=TargetRemedies(deployer, http, self._settings, clock),
            watcher=DirectWatcher(self._monitor, clock),
            notifier=LogNotifier(store),
            clock=clock,
            targets=self.targets,
            intake=self.intake,
            verification=VerificationRules(
                min_requests=verification.min_requests,
                min_failing_kind=verification.min_failing_kind,
                window_seconds=verification.window_seconds,
                settle_seconds=verification.settle_seconds,
                max_wait_seconds=verification.max_wait_seconds,
            ),
            approval_expiry=timedelta(hours=policy.approval_expiry_hours),
        )

    def _reported(self) -> tuple[Change, ...]:
        """Changes that the agent was told of, and those of settings that it saw itself and nobody reported."""
        told = self.store.changes()
        return (*told, *self._settings.unreported(self.targets.values(), told))

    def _forge(self) -> Callable[[Target], Forge]:
        made: dict[str, LocalForge] = {}

        def forge(target: Target) -> Forge:
            if target.name not in made:
                records = self.settings.state / "forge" / target.name
                made[target.name] = LocalForge(target.repository, records, self.clock, branch=target.branch)
            return made[target.name]

        return forge

    def _firing(self) -> dict[str, list[Alert]]:
        """What the monitor raised before a restart, so that it neither raises it twice nor forgets to resolve it.

        Also for closed incidents: a fault that a person has decided to live with opens nothing because we restart.
        """
        firing: dict[str, list[Alert]] = {}
        for episode in self.store.unresolved_from(Monitor.source, MOST_ACTIVE):
            firing.setdefault(episode.target, []).append(episode.alert)
        return firing

    # -- reading -------------------------------------------------------------------------------------------------

    def health(self) -> Health:
        """How the agent does; answers at once."""
        worker = "starting" if not self._ready.is_set() else "ok" if self._durable.alive else "degraded"
        parts = {
            "store": self._store_health(),
            "worker": Part.model_validate({"state": "degraded" if self._problem else worker, "detail": self._problem}),
            "monitor": self._monitor_health(),
        }
        states = [part.state for part in parts.values()]
        worst = "degraded" if "degraded" in states else "starting" if "starting" in states else "ok"
        return Health.model_validate({"status": worst, "parts": parts})

    def _monitor_health(self) -> Part:
        if self._monitor.broken:
            return Part(state="degraded", detail="it has died, the log says why: start monitoring again")
        return Part(state="ok", detail="watching" if self._monitor.running else "stopped")

    def _store_health(self) -> Part:
        try:
            self.store.flag(SAFETY)
        except AgentError as error:
            return Part(state="degraded", detail=str(error))
        return Part(state="ok")

    def status(self) -> Status:
        """Where the agent stands."""
        active = self.store.incidents(active=True, limit=MOST_ACTIVE)
        by_target, unresolved = {incident.target: incident.id for incident in active}, self.store.unresolved_by_target()
        return Status(
            version=__version__,
            environment=self.settings.environment,
            started_at=self._started_at,
            safety_mode=self._safety_mode(),
            emergency_stop=self._stopped(),
            autonomy=self.settings.policy.autonomy,
            monitoring=self._monitor.running,
            targets=tuple(
                TargetStatus(
                    name=target.name,
                    url=target.url,
                    firing=self._monitor.firing(target.name),
                    unresolved=unresolved.get(target.name, 0),
                    incident=by_target.get(target.name),
                )
                for target in self.targets.values()
            ),
            active_incidents=len(active),
            waiting_for_person=tuple(i.id for i in active if i.waiting in ("approval", "operator")),
            standings={each.id: self._standing(each) for each in active},
            queue=len(self.store.due(self.clock.now())),
        )

    def _standing(self, incident: Incident) -> str:
        return standing(incident, self.store.approvals(incident.id), stopped=self._stopped())

    def figures(self) -> Figures:
        """Numbers for `/metrics`."""
        incidents = self.store.incidents(limit=MOST_ACTIVE)
        outcomes = Counter(i.outcome.value if i.outcome and not i.active else "active" for i in incidents)
        return Figures(
            incidents=dict(outcomes), queue=len(self.store.due(self.clock.now())), models=self.store.purse.figures()
        )

    def incidents(self, *, active: bool | None, limit: int) -> tuple[Incident, ...]:
        """Newest first."""
        return self.store.incidents(active=active, limit=limit)

    def incident(self, incident_id: str) -> IncidentDetail:
        """One incident with its documents. Raises `NotFound`."""
        store = self.store
        incident = store.incident(incident_id)
        total, unresolved = store.episode_counts(incident_id)
        return IncidentDetail(
            incident=incident,
            standing=self._standing(incident),
            episodes=store.episodes(incident_id, limit=MOST_SHOWN),
            episodes_total=total + incident.episodes_forgotten,
            episodes_unresolved=unresolved,
            documents=documents_of(store, incident_id),
            approvals=store.approvals(incident_id),
        )

    def entries(self, *, incident_id: str | None, after: int, limit: int) -> tuple[Entry, ...]:
        """Audit entries with ``seq > after``, oldest first."""
        return self.store.entries(incident_id=incident_id, after=after, limit=limit)

    def wait(self, after: int, seconds: float) -> int:
        """Block until the trail's newest ``seq`` is above ``after``, at most ``seconds``."""
        return self.store.wait_for_entries(after, seconds)

    def verify_trail(self) -> ChainReport:
        """Check the whole hash chain."""
        verdict = self.store.verify_audit()
        return ChainReport(
            intact=verdict.ok, entries=verdict.entries, broken_at=verdict.bad, problem=verdict.reason, head=verdict.head
        )

    # -- what comes in ---------------------------------------------------------------------------------------------

    def accept_webhook(self, delivery: object, *, source: str) -> Accepted:
        """Store one delivery, then digest it. Raises `MalformedPayload`, or `Busy` when too much is unresolved."""
        count, ids = self._webhook.accept(delivery, source=source)
        return Accepted(alerts=count, incidents=ids)

    def report_change(self, change: Change, *, target: str | None, by: str) -> None:
        """Store a change that CI reports. Raises `NotFound` for an unknown target."""
        if target is not None and target not in self.targets:
            raise NotFound(f"there is no target {target[:100]!r}: `mpa status` shows all")
        with self.store.begin() as tx:
            tx.put_change(change.model_copy(update={"target": target}))
            tx.append("change.reported", f"{change.kind}: {change.title}", actor=by, data={"change": change.id})

    # -- what people decide ----------------------------------------------------------------------------------------

    def decide(self, incident_id: str, *, yes: bool, by: str, subject: str | None, comment: str) -> Approval:
        """Answer the pending approval. Raises `NotFound`, `Conflict`, `Permanent`."""
        return self._desk.decide(incident_id, yes=yes, by=by, subject=subject, comment=comment)

    def cancel(self, incident_id: str, *, by: str, comment: str) -> Incident:
        """Cancel what has not begun. Raises `NotFound`, `Conflict`."""
        return self._desk.cancel(incident_id, by=by, comment=comment)

    def retry(self, incident_id: str, *, by: str, comment: str) -> Incident:
        """Begin the next attempt, or go on with a half-done delivery. Raises `NotFound`, `Conflict`."""
        return self._desk.retry(incident_id, by=by, comment=comment)

    def prove(self, incident_id: str) -> Proof:
        """Run the stored proof again. Raises `NotFound`, `Unsafe`."""
        detail = self.incident(incident_id)
        proposal, diagnosis = detail.documents.proposal, detail.documents.diagnosis
        target = self.targets.get(detail.incident.target)
        if (
            proposal is None
            or proposal.patch is None
            or diagnosis is None
            or diagnosis.capsule is None
            or target is None
        ):
            raise NotFound(f"{incident_id} has no proof: it was not repaired")
        proof = self.repairer.prove(target, diagnosis.capsule, proposal.patch, proposal.regression_test)
        said = "holds" if proof.accepted else "does not hold: " + "; ".join(proof.reasons)
        self.store.append("proof.rerun", f"the stored proof {said}", incident_id=incident_id)
        return proof

    # -- controls --------------------------------------------------------------------------------------------------

    @property
    def monitoring(self) -> Monitor:
        """The built-in monitor."""
        return self._monitor

    def start_monitoring(self, *, by: str) -> bool:
        """Watch by itself; False when it already did."""
        changed = self._monitor.start()
        self._set(MONITORING, "on", "monitoring.started", by, changed=changed)
        return changed

    def stop_monitoring(self, *, by: str) -> bool:
        """Stop watching; False when it did not."""
        changed = self._monitor.stop()
        self._set(MONITORING, "off", "monitoring.stopped", by, changed=changed)
        return changed

    def set_safety_mode(self, *, enabled: bool, by: str) -> bool:
        """Switch safety mode; returns whether that changed anything."""
        changed = self._safety_mode() != enabled
        self._set(SAFETY, "on" if enabled else "off", f"safety_mode.{'on' if enabled else 'off'}", by, changed=changed)
        return changed

    def emergency_stop(self, *, by: str, reason: str) -> bool:
        """No effect outside from now on."""
        changed = not self._stopped()
        self._set(STOPPED, "on", "emergency_stop.on", by, changed=changed, why=reason)
        return changed

    def resume(self, *, by: str) -> bool:
        """Lift the emergency stop and take up what it held."""
        changed = self._stopped()
        with self.store.begin() as tx:
            if changed:
                tx.set_flag(STOPPED, "off")
                tx.append("emergency_stop.off", "emergency stop off", actor=by)
            for incident in self.store.incidents(active=True, limit=MOST_ACTIVE) if changed else ():
                if incident.waiting == "operator" and incident.target in self.targets:
                    tx.save(moved(tx.incident(incident.id)))
                    tx.enqueue(incident)
        return changed

    def _set(self, flag: str, value: str, kind: str, by: str, *, changed: bool, why: str = "") -> None:
        if changed:
            with self.store.begin() as tx:
                tx.set_flag(flag, value)
                tx.append(kind, why or kind.replace(".", " ").replace("_", " "), actor=by)

    def _safety_mode(self) -> bool:
        """The switch when it was used, else the setting."""
        flag = self.store.flag(SAFETY)
        return self.settings.safety_mode if flag is None else flag == "on"

    def _stopped(self) -> bool:
        return self.store.flag(STOPPED) == "on"


def build(settings: Settings) -> App:
    """The agent, ready to be started. Raises `Misconfigured`."""
    return App(settings)


def check_sandbox() -> str:
    """What keeps the sandbox from working here, empty when nothing does."""
    try:
        Bubblewrap().check()
    except AgentError as error:
        return str(error)
    return ""
