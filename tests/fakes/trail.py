"""An audit trail in memory, without a chain."""

from __future__ import annotations

from agent.model.audit import Entry
from agent.model.record import Json

from .clock import FakeClock


class FakeTrail:
    """Implements `Trail`, and reads like the store's."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._entries: list[Entry] = []

    def append(
        self, kind: str, message: str, *, incident_id: str | None = None, actor: str = "agent", data: Json | None = None
    ) -> Entry:
        entry = Entry(
            seq=len(self._entries) + 1,
            at=self._clock.now(),
            actor=actor,
            kind=kind,
            incident_id=incident_id,
            message=message,
            data=data or {},
            previous="",
            hash="",
        )
        self._entries.append(entry)
        return entry

    def entries(self, *, incident_id: str | None = None) -> tuple[Entry, ...]:
        return tuple(entry for entry in self._entries if incident_id in (None, entry.incident_id))
