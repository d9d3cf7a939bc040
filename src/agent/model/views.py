"""What the edges (web, command line) show: readings of several records at once. Nothing here is stored."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from .alert import Episode
from .delivery import Deployment, Observation, PullRequest, Verification
from .diagnosis import Diagnosis
from .evidence import EvidenceSet
from .incident import Incident
from .language import ModelFigures
from .plan import Mitigation, Plan
from .policy import Approval
from .record import Record
from .repair import Proposal

PartState = Literal["ok", "starting", "degraded"]


class Documents(Record):
    """The newest document of each kind; None where there is none yet."""

    evidence: EvidenceSet | None = None
    before: Observation | None = None
    diagnosis: Diagnosis | None = None
    plan: Plan | None = None
    mitigation: Mitigation | None = None
    proposal: Proposal | None = None
    pull_request: PullRequest | None = None
    deployment: Deployment | None = None
    verification: Verification | None = None


class IncidentDetail(Record):
    """Everything about one incident. Of many ``episodes`` some are here; the counts are of all there ever were.

    ``standing`` says in words where it stands, and whom it waits for.
    """

    incident: Incident
    standing: str = ""
    episodes: tuple[Episode, ...] = ()
    episodes_total: int = 0
    episodes_unresolved: int = 0
    documents: Documents = Documents()
    approvals: tuple[Approval, ...] = ()

    @property
    def pending(self) -> Approval | None:
        """The question of the current attempt that nobody has answered yet."""
        mine = [a for a in self.approvals if a.attempt == self.incident.attempt and a.state == "pending"]
        return mine[-1] if mine else None


class Accepted(Record):
    """What became of one delivery: it is stored; these incidents have it."""

    alerts: int
    incidents: tuple[str, ...]


class Part(Record):
    """One part of the agent and how it does."""

    state: PartState
    detail: str = ""


class Health(Record):
    """How the agent itself does; ``parts`` by name (store, worker, monitor, sandbox ...)."""

    status: PartState
    parts: dict[str, Part] = {}


class TargetStatus(Record):
    """One target and what it is doing.

    ``firing`` are the built-in monitor's signals, ``unresolved`` counts alerts from wherever; ``incident`` is the one that
    is handled now.
    """

    name: str
    url: str
    firing: tuple[str, ...] = ()
    unresolved: int = 0
    incident: str | None = None


class Status(Record):
    """Where the agent stands. ``standings`` says of every active incident, by its id, what it does or waits for."""

    version: str
    environment: str
    started_at: AwareDatetime
    safety_mode: bool
    emergency_stop: bool
    autonomy: str
    monitoring: bool
    targets: tuple[TargetStatus, ...] = ()
    active_incidents: int = 0
    waiting_for_person: tuple[str, ...] = ()
    standings: dict[str, str] = {}
    queue: int = 0


class Figures(Record):
    """Numbers for `/metrics`. ``incidents`` counts by outcome, with ``active`` for the open ones; ``models`` by model."""

    incidents: dict[str, int] = {}
    queue: int = 0
    models: tuple[ModelFigures, ...] = ()


class ChainReport(Record):
    """Whether the audit trail's hash chain holds; ``broken_at`` is the first entry that does not fit."""

    intact: bool
    entries: int
    head: str = ""
    broken_at: int | None = None
    problem: str = ""
