"""An incident: alerts of one target handled together, and where it stands in its life."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from .record import Record


class Phase(StrEnum):
    """The short durable workflows an incident goes through, in order."""

    INVESTIGATE = "investigate"
    MITIGATE = "mitigate"
    REPAIR = "repair"
    DELIVER = "deliver"
    VERIFY = "verify"
    CONCLUDE = "conclude"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How an incident ended."""

    FIXED = "fixed"
    MITIGATED = "mitigated"
    RECOVERED = "recovered"
    NOTHING_WRONG = "nothing_wrong"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    ESCALATED = "escalated"
    INCONCLUSIVE = "inconclusive"


Waiting = Literal["approval", "checks", "window", "operator"]


class Incident(Record):
    """One row of the incident table.

    ``attempt`` is the fencing token: a phase that finds another number stops. ``turn`` counts the phase runs of
    an attempt, so that every run has a name of its own. ``wake_at`` says when a waiting phase is run again.
    ``episodes_forgotten`` counts resolved episodes that are no longer kept.
    """

    id: str
    target: str
    component: str
    signal: str
    title: str
    phase: Phase = Phase.INVESTIGATE
    attempt: int = 1
    turn: int = 0
    waiting: Waiting | None = None
    wake_at: AwareDatetime | None = None
    cancel_requested: bool = False
    all_resolved: bool = False
    episodes_forgotten: int = 0
    begun: bool = False
    outcome: Outcome | None = None
    reason: str = ""
    opened_at: AwareDatetime
    onset: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None

    @property
    def active(self) -> bool:
        """Whether the incident still needs the agent."""
        return self.phase is not Phase.CLOSED


class Notice(Record):
    """People were told, by one channel."""

    channel: str
    at: AwareDatetime
