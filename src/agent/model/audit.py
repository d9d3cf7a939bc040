"""The audit trail's entries: append-only and hash-chained."""

from __future__ import annotations

from pydantic import AwareDatetime

from .record import Json, Record


class Entry(Record):
    """One step, decision or effect. ``hash`` covers every other field and the previous entry's hash."""

    seq: int
    at: AwareDatetime
    actor: str
    kind: str
    incident_id: str | None
    message: str
    data: Json = {}
    previous: str
    hash: str
