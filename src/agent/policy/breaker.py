"""The circuit breaker: actions that keep failing to help are stopped, and people are told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from ..model.incident import Incident, Outcome, Phase
from ..model.policy import ActionKind
from ..model.record import Record
from ..ports import Ledger

HELPED = frozenset({Outcome.FIXED, Outcome.MITIGATED, Outcome.RECOVERED})


class PastAction(Record):
    """One effect on a target and whether it helped; ``helped`` is None while that is open."""

    at: AwareDatetime
    action: ActionKind
    helped: bool | None


@dataclass(frozen=True)
class CircuitBreaker:
    """Opens after more than ``ineffective`` actions without help, or more than ``repeated`` of any, in ``window``."""

    ineffective: int = 2
    repeated: int = 6
    window: timedelta = timedelta(hours=6)

    def reasons(self, past: Sequence[PastAction], now: datetime) -> tuple[str, ...]:
        """Why no further action may be taken now; empty while the breaker is closed."""
        recent = [action for action in past if now - self.window <= action.at <= now]
        failed = sum(1 for action in recent if action.helped is False)
        hours = self.window.total_seconds() / 3600
        found = []
        if failed > self.ineffective:
            found.append(f"{failed} actions on this target did not help within {hours:g} h: a person has to look")
        if len(recent) > self.repeated:
            found.append(f"{len(recent)} actions on this target within {hours:g} h: a person has to look")
        return tuple(found)


def past_actions(ledger: Ledger, target: str, *, limit: int = 50) -> tuple[PastAction, ...]:
    """Every effect on a target that was begun, from its newest ``limit`` incidents on record; not one under way.

    A quarantine is none: it is no attempt to end the incident.

    An approval is spent at the moment a delivery begins, so spent approvals count the attempts of one incident, and
    those whose deploy failed. An attempt that was followed by another one did not help.
    """
    found = []
    for incident in ledger.incidents(target=target, limit=limit):
        for approval in ledger.approvals(incident.id):
            last = approval.attempt == incident.attempt
            under_way = last and incident.phase in (Phase.MITIGATE, Phase.DELIVER)
            if approval.state == "used" and approval.action != "quarantine" and not under_way:
                at = approval.decided_at or approval.requested_at
                found.append(PastAction(at=at, action=approval.action, helped=_helped(incident) if last else False))
    return tuple(found)


def _helped(incident: Incident) -> bool | None:
    return None if incident.outcome is None else incident.outcome in HELPED
