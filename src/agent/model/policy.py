"""Decisions, approvals and the autonomy ladder."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, Literal, get_args

from pydantic import AwareDatetime

from .record import Record

MitigationKind = Literal["rollback", "restart", "configuration_revert", "quarantine", "retrain", "promote"]
ActionKind = Literal["repair", "draft", "merge_and_deploy", "undo"] | MitigationKind
MITIGATIONS: Final[Mapping[str, ActionKind]] = {kind: kind for kind in get_args(MitigationKind)}
"""What policy and people are asked for each mitigation: the action of its name."""
ASKED: Mapping[ActionKind, str] = {
    "repair": "repair",
    "draft": "open a draft",
    "merge_and_deploy": "merge and deploy",
    "undo": "undo a deploy",
    "rollback": "roll back",
    "restart": "restart the target",
    "configuration_revert": "take a change of settings back",
    "quarantine": "stop serving values as good",
    "retrain": "train a candidate model",
    "promote": "promote a candidate model",
}
"""What a person is asked to allow, in words."""
ApprovalState = Literal["pending", "approved", "rejected", "expired", "used"]


class Autonomy(IntEnum):
    """How far the agent may go by itself, lowest first."""

    OBSERVE = 0
    DIAGNOSE = 1
    PROPOSE = 2
    APPROVE = 3
    AUTONOMOUS = 4


class Decision(Record):
    """A policy verdict with its reasons. An expected refusal is a value, not an exception.

    ``held`` is a refusal that a person can lift (the emergency stop): the incident waits instead of ending.
    """

    verdict: Literal["allow", "needs_approval", "deny"]
    action: ActionKind
    subject: str
    reasons: tuple[str, ...]
    held: bool = False


class Rider(Record):
    """Somebody else's unreleased commit that the deploy would also ship; the title is empty where it is not known."""

    commit: str
    title: str = ""


class Approval(Record):
    """A named person's yes or no on one exact subject: single use, expiring to deny.

    ``subject`` binds the hash of patch and test, the base commit and the ``riders``, which are newest first.
    """

    id: str
    incident_id: str
    attempt: int
    action: ActionKind
    subject: str
    riders: tuple[Rider, ...] = ()
    state: ApprovalState = "pending"
    requested_at: AwareDatetime
    expires_at: AwareDatetime
    by: str | None = None
    decided_at: AwareDatetime | None = None
    comment: str = ""
