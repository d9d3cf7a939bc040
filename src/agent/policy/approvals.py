"""Approvals: one named person's answer to one exact subject. Single use; no answer in time means no."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from ..errors import Conflict
from ..kit.redact import fence
from ..model.experiment import digest
from ..model.incident import Incident
from ..model.policy import ActionKind, Approval, Decision, Rider

EXPIRY = timedelta(hours=24)
COMMENT_LENGTH = 1000
NAME_LENGTH = 100


def approval_subject(proposal: str, base: str, head: str, riders: tuple[str, ...]) -> str:
    """The hash a person approves: patch and test (``proposal``), base, the pull request's head, and the riders.

    The parts are encoded as JSON first, so that no two different subjects read the same.
    """
    return digest(json.dumps([proposal, base, head, sorted(riders)]))


def request(
    approval_id: str,
    incident_id: str,
    attempt: int,
    *,
    action: ActionKind,
    subject: str,
    now: datetime,
    expiry: timedelta = EXPIRY,
) -> Approval:
    """A question to a person, open until ``now + expiry``."""
    return Approval(
        id=approval_id,
        incident_id=incident_id,
        attempt=attempt,
        action=action,
        subject=subject,
        requested_at=now,
        expires_at=now + expiry,
    )


def ask(
    name: str,
    incident: Incident,
    decision: Decision,
    *,
    now: datetime,
    expiry: timedelta,
    riders: Mapping[str, str],
) -> Approval:
    """The question that a decision leads to; what policy allows by itself is on record like a person's yes.

    ``riders`` maps the commits that would also ship, newest first, to their titles.
    """
    asked = request(
        name,
        incident.id,
        incident.attempt,
        action=decision.action,
        subject=decision.subject,
        now=now,
        expiry=expiry,
    )
    ships = tuple(Rider(commit=commit, title=title) for commit, title in riders.items())
    asked = asked.model_copy(update={"riders": ships})
    if decision.verdict != "allow":
        return asked
    return asked.model_copy(update={"state": "approved", "by": "policy", "decided_at": now})


def current(approval: Approval, now: datetime) -> Approval:
    """The approval as it stands now: pending or approved beyond its time is expired, which counts as no."""
    if approval.state in ("pending", "approved") and now >= approval.expires_at:
        return approval.model_copy(update={"state": "expired"})
    return approval


def decide(approval: Approval, by: str, *, yes: bool, subject: str, now: datetime, comment: str = "") -> Approval:
    """Write a person's answer. Raises `Conflict` when it was answered, has expired, or is about something else."""
    if not by.strip():
        raise Conflict("an approval needs a person's name: say who answers")
    standing = current(approval, now)
    if standing.state == "expired":
        raise Conflict(f"approval {approval.id} expired at {approval.expires_at.isoformat()}: retry the incident")
    if standing.state != "pending":
        raise Conflict(f"approval {approval.id} was answered already ({standing.state} by {standing.by})")
    if subject != approval.subject:
        raise Conflict(f"approval {approval.id} is about another patch: reload and look at what is proposed now")
    return approval.model_copy(
        update={
            "state": "approved" if yes else "rejected",
            "by": fence(by.strip(), NAME_LENGTH),
            "decided_at": now,
            "comment": fence(comment, COMMENT_LENGTH),
        }
    )


def use(approval: Approval, subject: str, now: datetime) -> Approval:
    """Spend a yes on exactly what it was given for. Raises `Conflict`."""
    standing = current(approval, now)
    if standing.state != "approved":
        raise Conflict(f"approval {approval.id} is {standing.state}: it allows nothing (any more)")
    if subject != approval.subject:
        raise Conflict(f"approval {approval.id} was given for something else than what would be carried out now")
    return approval.model_copy(update={"state": "used"})
