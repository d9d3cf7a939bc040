"""Every port the workflow and the features need; adapters and fakes implement them, `app.py` wires them into `parts.py`.

Features never import each other: what one needs of another stands here. All calls are synchronous. Adapters raise
`errors.Transient` or `errors.Permanent` and nothing of their vendor's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from .model.alert import Alert, Episode
from .model.analysis import Analysis
from .model.audit import Entry
from .model.case import Case
from .model.delivery import Check, Commit, Deployment, Observation, PullRequest, Release, Verification
from .model.diagnosis import Diagnosis
from .model.evidence import Change, EvidenceSet
from .model.experiment import Capsule, Run
from .model.incident import Incident, Notice
from .model.language import Allowances, CallOutcome, Spending
from .model.plan import Abilities, Deed, Option
from .model.policy import ActionKind, Approval, Decision
from .model.record import Json, Record, Window
from .model.repair import Patch, Proof, Proposal, RegressionTest
from .model.replay import Replay, SuiteResult
from .model.sources import Logs, Metrics
from .model.target import Target

T = TypeVar("T", bound=Record)
EffectKind = Literal["named", "repeatable", "once"]


class Clock(Protocol):
    """Time, so that tests can hold it still."""

    def now(self) -> datetime:
        """Aware UTC time."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        ...


class Trail(Protocol):
    """The audit trail's writing end; every entry is also an event that people can watch live."""

    def append(
        self, kind: str, message: str, *, incident_id: str | None = None, actor: str = "agent", data: Json | None = None
    ) -> Entry:
        """Add one entry; committed when this returns."""
        ...


class Transaction(Protocol):
    """Records and the next phase, committed together or not at all."""

    def incident(self, incident_id: str) -> Incident:
        """Read an incident for update. Raises `NotFound`."""
        ...

    def active_incident(self, target: str) -> Incident | None:
        """The one active incident of a target."""
        ...

    def save(self, incident: Incident) -> None:
        """Insert or replace an incident."""
        ...

    def put(self, incident: Incident, kind: str, record: Record) -> None:
        """Keep a document (evidence, diagnosis, proposal ...) of the incident's current attempt; the last one wins."""
        ...

    def known_episodes(self, keys: Collection[tuple[str, datetime]]) -> tuple[Episode, ...]:
        """Those of ``(fingerprint, starts_at)`` that are stored."""
        ...

    def save_episodes(self, episodes: Sequence[Episode]) -> None:
        """Insert or replace episodes."""
        ...

    def waiting(self, target: str) -> tuple[Episode, ...]:
        """Unresolved episodes of a target that belong to no incident yet, oldest first."""
        ...

    def forget_resolved(self, incident_id: str, most: int) -> int:
        """Keep the newest ``most`` resolved episodes of an incident; how many went."""
        ...

    def unresolved(self, incident_id: str) -> int:
        """How many of an incident's episodes have not resolved."""
        ...

    def put_delivery(self, body: str, source: str) -> None:
        """Keep an alert delivery as it came, redacted; only the newest ones are kept."""
        ...

    def save_approval(self, approval: Approval) -> None:
        """Insert or replace an approval."""
        ...

    def approvals(self, incident_id: str) -> tuple[Approval, ...]:
        """All approvals of an incident, oldest first."""
        ...

    def append(
        self, kind: str, message: str, *, incident_id: str | None = None, actor: str = "agent", data: Json | None = None
    ) -> Entry:
        """Add an audit entry in this transaction."""
        ...

    def enqueue(self, incident: Incident) -> None:
        """Queue the incident's current phase in this same transaction, under a name made of id, attempt and turn."""
        ...


class UnitOfWork(Protocol):
    """Opens transactions."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """One write transaction; rolled back when the block raises."""
        ...


class Ledger(Protocol):
    """The store's reading end."""

    def incident(self, incident_id: str) -> Incident:
        """One incident. Raises `NotFound`."""
        ...

    def incidents(
        self, *, active: bool | None = None, target: str | None = None, limit: int = 50
    ) -> tuple[Incident, ...]:
        """Newest first, of all targets or of one."""
        ...

    def document(self, incident_id: str, kind: str, of: type[T], *, attempt: int | None = None) -> T | None:
        """The newest document of a kind (of one attempt, or of any)."""
        ...

    def episodes(self, incident_id: str) -> tuple[Episode, ...]:
        """All episodes attached to an incident, oldest first."""
        ...

    def approvals(self, incident_id: str) -> tuple[Approval, ...]:
        """All approvals of an incident, oldest first."""
        ...

    def entries(self, *, incident_id: str | None = None, after: int = 0, limit: int = 500) -> tuple[Entry, ...]:
        """Audit entries with ``seq > after``, oldest first."""
        ...

    def due(self, now: datetime) -> tuple[Incident, ...]:
        """Active incidents whose ``wake_at`` has passed."""
        ...

    def all_episodes(self) -> tuple[Episode, ...]:
        """Every episode; for tests and the doctor."""
        ...


class Steps(Protocol):
    """Runs the steps of one phase durably: a finished step is not run again after a crash."""

    def run(self, name: str, of: type[T], step: Callable[[], T]) -> T:
        """Run once; `Transient` errors are retried with a growing pause, then raised."""
        ...

    def effect(
        self, name: str, kind: EffectKind, of: type[T], *, find: Callable[[], T | None], make: Callable[[], T]
    ) -> T:
        """Record the intent, look the effect up, make it when it is not there.

        ``named``: found or made. ``repeatable``: made again. ``once``: after a crash in between, `UnknownEffect`.
        """
        ...


class Collector(Protocol):
    """Gathers evidence; a source that is down becomes a `Gap`."""

    def collect(self, incident: Incident, target: Target, episodes: tuple[Episode, ...]) -> EvidenceSet:
        """Everything the sources can tell about the incident."""
        ...


class MetricSource(Protocol):
    """Tells how a target's metrics went. A source that is down, slow or strange leaves gaps; it does not raise."""

    @property
    def name(self) -> str:
        """What its facts and gaps are called by."""
        ...

    def courses(self, target: Target, window: Window, alerts: Sequence[Alert]) -> Metrics:
        """What the window shows of the target and of all that its alerts select, within the source's own limits."""
        ...


class LogSource(Protocol):
    """Tells what a target wrote. A source that is down, slow or strange leaves gaps; it does not raise."""

    @property
    def name(self) -> str:
        """What its facts and gaps are called by."""
        ...

    def lines(self, target: Target, window: Window, alerts: Sequence[Alert]) -> Logs:
        """Lines of the window, oldest first, a traceback as one; where they are too many, the newest."""
        ...


class Laboratory(Protocol):
    """Runs the target's code in the sandbox. Raises `Unsafe` where no isolation is to be had."""

    def prepare(self, target: Target, commit: str) -> str:
        """Build the environment of the commit's lock once; returns the lock's hash."""
        ...

    def replay(self, target: Target, capsule: Capsule, commit: str, patch: str | None = None) -> Replay:
        """Start the service at ``commit`` (with ``patch`` applied) and send the capsule's requests."""
        ...

    def replay_all(
        self, target: Target, capsule: Capsule, trees: tuple[tuple[str, str | None], ...]
    ) -> tuple[Replay, ...]:
        """Several ``(commit, patch)`` side by side, as many at once as the machine has cores."""
        ...

    def suite(
        self, target: Target, commit: str, patch: str | None = None, only: tuple[str, ...] = (), *, python: str = ""
    ) -> SuiteResult:
        """Run the target's own tests (``only`` these paths when given)."""
        ...


class History(Protocol):
    """The target's git history, read in a place that target code cannot write."""

    def commits(self, head: str, limit: int) -> tuple[Change, ...]:
        """First-parent history of ``head``, newest first."""
        ...

    def parent(self, commit: str) -> str | None:
        """First parent, None at the root."""
        ...

    def diff(self, base: str, head: str) -> str:
        """``git diff base head`` as a patch."""
        ...

    def revert(self, base: str, culprit: str) -> str:
        """The diff against ``base`` that undoes ``culprit``. Raises `Conflict` when it does not apply."""
        ...

    def apply(self, base: str, diff: str) -> str:
        """Check that ``diff`` applies to ``base``; the normalised diff. Raises `Conflict`."""
        ...

    def read(self, commit: str, path: str) -> str | None:
        """A text file at a commit, or None."""
        ...

    def files(self, commit: str) -> tuple[str, ...]:
        """All paths at a commit."""
        ...

    def branch_head(self) -> str:
        """The commit at the head of the target's main branch."""
        ...


class Investigator(Protocol):
    """Turns evidence into a diagnosis, by experiment."""

    def investigate(self, incident: Incident, target: Target, evidence: EvidenceSet) -> Diagnosis:
        """Rank hypotheses, reproduce, bisect, confirm."""
        ...


class Analyst(Protocol):
    """Reads a case and makes claims that cite evidence. It has no vote: what they weigh is computed elsewhere."""

    def analyse(self, case: Case) -> Analysis:
        """Its checked claims, or why there are none. Never raises for a model that fails or a limit that is reached."""
        ...


class Purse(Protocol):
    """The account of model calls; what was set aside is counted until it is settled, through every crash and restart."""

    def begin(self, incident_id: str, model: str, asked: Spending, allowances: Allowances) -> tuple[str, str]:
        """Set ``asked`` aside if it fits into both allowances, all in one transaction.

        The call's id and an empty reason, or an empty id and the reason of the refusal.
        """
        ...

    def settle(self, call_id: str, outcome: CallOutcome, used: Spending, *, tokens_out: int = 0) -> None:
        """Put what was really used in the place of what was set aside; ``tokens_out`` are among its tokens."""
        ...

    def spent(self, incident_id: str, day: date) -> tuple[Spending, Spending]:
        """What an incident's calls took, and what all calls of a day (UTC) took."""
        ...


class Author(Protocol):
    """Proposes patches; never judges them."""

    name: str

    def patches(self, target: Target, diagnosis: Diagnosis, try_patch: Callable[[str], bool]) -> tuple[Patch, ...]:
        """Candidate patches, best first. ``try_patch`` replays the capsule with a diff: True when green."""
        ...


class Repairer(Protocol):
    """Runs the authors and the judge."""

    def repair(self, incident: Incident, target: Target, diagnosis: Diagnosis) -> Proposal:
        """The best proven patch, or none with the reasons."""
        ...

    def prove(self, target: Target, capsule: Capsule, patch: Patch, test: RegressionTest | None) -> Proof:
        """Run all trials of one patch again."""
        ...


class Reproducer(Protocol):
    """Runs a capsule and decides, for verification and `mpa incidents prove`."""

    def run(self, target: Target, capsule: Capsule, commit: str, patch: Patch | None = None) -> Run:
        """One judged run."""
        ...

    def run_all(self, target: Target, capsule: Capsule, commits: tuple[str, ...]) -> tuple[Run, ...]:
        """Judged runs at several commits, side by side."""
        ...


class Forge(Protocol):
    """A code host with pull requests."""

    def find(self, name: str) -> PullRequest | None:
        """A pull request by its deterministic name."""
        ...

    def open(self, name: str, base: str, commits: tuple[Commit, ...], title: str, body: str) -> PullRequest:
        """Push a branch with the commits and open a draft."""
        ...

    def main(self) -> str:
        """The commit at the head of the main branch."""
        ...

    def merge(self, name: str, head: str, main: str) -> PullRequest:
        """Merge when the branch's head is ``head``, main is at ``main`` and all checks passed. Raises `Conflict`."""
        ...

    def close(self, name: str, comment: str) -> PullRequest:
        """Close without merging."""
        ...

    def set_check(self, name: str, check: Check) -> PullRequest:
        """Report one check of the pull request (the agent's own proof is one)."""
        ...

    def riders(self, running: str, base: str) -> tuple[str, ...]:
        """Commits on main after ``running`` up to ``base`` that a deploy of main would also ship."""
        ...

    def titles(self, commits: tuple[str, ...]) -> dict[str, str]:
        """The first line of each commit's message, by commit and in the same order."""
        ...


class Policy(Protocol):
    """What the agent may do by itself."""

    def decide(self, action: ActionKind, incident: Incident, subject: str, proposal: Proposal | None) -> Decision:
        """Allow, ask a person, or deny, with reasons."""
        ...


class Deployer(Protocol):
    """Puts a commit into production and says what runs there."""

    def running(self, target: Target) -> Release:
        """What really runs now, read from the target itself where it can be."""
        ...

    def find(self, target: Target, name: str) -> Deployment | None:
        """A finished deployment by its deterministic name."""
        ...

    def deploy(self, target: Target, name: str, commit: str, *, kind: Literal["deploy", "rollback"]) -> Deployment:
        """Make ``commit`` the running release and wait until it answers."""
        ...

    def restart(self, target: Target, name: str) -> Deployment:
        """Restart the running release."""
        ...


class Remedies(Protocol):
    """Mitigations of a target."""

    def abilities(self, target: Target) -> Abilities:
        """What can be done to it."""
        ...

    def find(self, target: Target, name: str, option: Option) -> Deed | None:
        """What was done under this deterministic name already."""
        ...

    def carry_out(self, target: Target, name: str, option: Option, reason: str) -> Deed:
        """Do it and wait until it is done."""
        ...

    def lift(self, target: Target, name: str) -> Deed | None:
        """End a quarantine, where the target has a way to."""
        ...


class Watcher(Protocol):
    """Measures the target now, for verification."""

    def observe(self, target: Target, since: datetime, routes: tuple[str, ...]) -> Observation:
        """Signals and counts since a time; ``routes`` are those of the failing kind."""
        ...


class Notifier(Protocol):
    """Tells people."""

    def tell(self, incident: Incident, subject: str, text: str) -> Notice:
        """Best effort; never raises for a down channel, records it instead. May be told twice after a crash."""
        ...


class Intake(Protocol):
    """The one door for alerts, whoever raises them."""

    def accept(self, alerts: tuple[Alert, ...], *, source: str, raw: str | None = None) -> tuple[str, ...]:
        """Store (the delivery as it came too, where there is one); the ids of the incidents they belong to.

        Raises `Busy` when there was no room for some: all others are stored, and the same may be sent again.
        """
        ...

    def admit(self, tx: Transaction, target: str) -> None:
        """Open the next incident for alerts that came while a target's last one was ending, if there are any."""
        ...


class Workspaces(Protocol):
    """Fresh folders under the state folder, removed afterwards."""

    def fresh(self, purpose: str) -> AbstractContextManager[Path]:
        """A new empty folder."""
        ...


class Verifier(Protocol):
    """Judges what production shows after a deploy."""

    @property
    def settle_seconds(self) -> float:
        """Seconds after a deploy that do not count."""
        ...

    def judge(
        self,
        verification: Verification,
        observation: Observation,
        signal: str,
        now: datetime,
        *,
        resolved: bool,
        commit: str | None,
    ) -> Verification:
        """Add one observation and judge."""
        ...
