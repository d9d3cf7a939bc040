"""What the routes need of the agent; `app.py` implements it (structurally), tests have a hand-written fake.

All calls are synchronous and are made from worker threads. Errors are those of `agent.errors`: `NotFound` becomes 404,
`Conflict` 409, `Busy` and `Unreachable` 503 with Retry-After, other `Permanent` errors 422.
"""

from __future__ import annotations

from typing import Protocol

from ..intake.monitor import Cycle
from ..model.audit import Entry
from ..model.evidence import Change
from ..model.incident import Incident
from ..model.policy import Approval
from ..model.repair import Proof
from ..model.views import Accepted, ChainReport, Figures, Health, IncidentDetail, Status


class Monitoring(Protocol):
    """The built-in monitor as the routes see it; `intake.monitor.Monitor` fits as it is."""

    interval: float

    @property
    def last(self) -> Cycle | None:
        """What the last cycle saw."""
        ...

    @property
    def running(self) -> bool:
        """Whether it watches by itself."""
        ...

    def cycle(self) -> Cycle:
        """Run one cycle now."""
        ...


class Service(Protocol):
    """The agent behind its routes. ``by`` is always the person (or program) that the audit trail names."""

    # -- reading

    def health(self) -> Health:
        """How the agent does; answers at once, without touching the target."""
        ...

    def status(self) -> Status:
        """Where the agent stands."""
        ...

    def figures(self) -> Figures:
        """Numbers for `/metrics`."""
        ...

    def incidents(self, *, active: bool | None, limit: int) -> tuple[Incident, ...]:
        """Newest first."""
        ...

    def incident(self, incident_id: str) -> IncidentDetail:
        """One incident with its documents. Raises `NotFound`."""
        ...

    def entries(self, *, incident_id: str | None, after: int, limit: int) -> tuple[Entry, ...]:
        """Audit entries with ``seq > after``, oldest first."""
        ...

    def wait(self, after: int, seconds: float) -> int:
        """Block until the trail's newest ``seq`` is above ``after``, at most ``seconds``; returns the newest ``seq``."""
        ...

    def verify_trail(self) -> ChainReport:
        """Check the whole hash chain."""
        ...

    # -- what comes in

    def accept_webhook(self, delivery: object, *, source: str) -> Accepted:
        """Store one Alertmanager delivery (parsed JSON). Raises `Permanent` when it is none, `Busy` when full."""
        ...

    def report_change(self, change: Change, *, target: str | None, by: str) -> None:
        """Store a change that CI reports. Raises `NotFound` for an unknown target."""
        ...

    # -- what people decide

    def decide(self, incident_id: str, *, yes: bool, by: str, subject: str | None, comment: str) -> Approval:
        """Answer the pending approval. A yes names its ``subject``, else `Permanent`. Raises `NotFound`, `Conflict`."""
        ...

    def cancel(self, incident_id: str, *, by: str, comment: str) -> Incident:
        """Cancel what has not begun; a half-done delivery is brought to its end. Raises `NotFound`, `Conflict`."""
        ...

    def retry(self, incident_id: str, *, by: str, comment: str) -> Incident:
        """Begin the next attempt. Raises `NotFound`, `Conflict`."""
        ...

    def prove(self, incident_id: str) -> Proof:
        """Run the stored proof again; takes as long as its trials. Raises `NotFound`, `Conflict`, `Unsafe`."""
        ...

    # -- controls

    @property
    def monitoring(self) -> Monitoring:
        """The built-in monitor."""
        ...

    def start_monitoring(self, *, by: str) -> bool:
        """Watch by itself; False when it already did."""
        ...

    def stop_monitoring(self, *, by: str) -> bool:
        """Stop watching; False when it did not."""
        ...

    def set_safety_mode(self, *, enabled: bool, by: str) -> bool:
        """Switch safety mode; returns whether that changed anything."""
        ...

    def emergency_stop(self, *, by: str, reason: str) -> bool:
        """No effect outside from now on; returns whether that changed anything."""
        ...

    def resume(self, *, by: str) -> bool:
        """Lift the emergency stop; returns whether that changed anything."""
        ...
