"""Alerts as received, and the episodes they belong to.

An episode is ``(fingerprint, startsAt)``. Deliveries arrive twice, late and out of order, so merging is
commutative, associative and idempotent: the state depends on the set received, never on its order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from .record import Record

AlertStatus = Literal["firing", "resolved"]


class Alert(Record):
    """One firing or resolved signal as received. Its text is untrusted."""

    status: AlertStatus
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None
    generator_url: str
    fingerprint: str

    @property
    def name(self) -> str:
        """The alert's name, the ``alertname`` label."""
        return self.labels.get("alertname", "unnamed")


class Episode(Record):
    """Everything received about one ``(fingerprint, startsAt)``; once resolved it stays resolved.

    ``source`` says by which door it came first.
    """

    fingerprint: str
    starts_at: AwareDatetime
    target: str
    component: str
    signal: str
    alert: Alert
    resolved: bool
    ends_at: AwareDatetime | None
    incident_id: str | None = None
    source: str = ""

    @property
    def key(self) -> tuple[str, datetime]:
        """What tells it from every other episode."""
        return self.fingerprint, self.starts_at

    def absorb(self, alert: Alert) -> Episode:
        """Merge one more delivery of the same episode."""
        resolved = self.resolved or alert.status == "resolved"
        ends = [end for end in (self.ends_at, alert.ends_at) if end is not None]
        ends_at = max(ends) if resolved and ends else None
        kept = max(self.alert, alert, key=_content_order)
        return self.model_copy(update={"resolved": resolved, "ends_at": ends_at, "alert": kept})


def _content_order(alert: Alert) -> tuple[bool, str]:
    """A total order on deliveries of one episode, so that which one is kept does not depend on arrival."""
    return alert.status == "resolved", alert.model_dump_json()
