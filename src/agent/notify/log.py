"""Tells people through the audit trail, which the dashboard shows live, and the log."""

from __future__ import annotations

import logging

from ..kit.redact import fence
from ..model.incident import Incident, Notice
from ..model.record import Json
from ..ports import Trail

SUBJECT_LENGTH = 200
TEXT_LENGTH = 4000

_log = logging.getLogger(__name__)


class LogNotifier:
    """Implements `Notifier` without any channel outside."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    def tell(self, incident: Incident, subject: str, text: str) -> Notice:
        """Add one ``people.told`` entry. Subject and text may quote untrusted text: both are fenced and cut."""
        short, long = " ".join(fence(subject, SUBJECT_LENGTH).split()), fence(text, TEXT_LENGTH)
        _log.warning("%s: %s", incident.id, short)
        data: Json = {"text": long, "channel": "log"}
        entry = self._trail.append("people.told", short, incident_id=incident.id, data=data)
        return Notice(channel="log", at=entry.at)
