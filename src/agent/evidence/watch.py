"""Measures the target now, for verification; implements `Watcher` over the monitor's scrapes."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from ..model.delivery import Observation
from ..model.signals import Reading
from ..model.target import Target
from ..ports import Clock


class Readings(Protocol):
    """What the monitor knows; signals are over the last ``window`` seconds."""

    window: float

    def reading(self, target: Target, since: datetime | None = None) -> Reading:
        """Signals over a window."""
        ...

    def firing(self, target: str) -> tuple[str, ...]:
        """Signals whose rules fire now."""
        ...

    def commit(self, target: str) -> str | None:
        """The running commit by the target's own word."""
        ...


class DirectWatcher:
    """Reads the monitor."""

    def __init__(self, readings: Readings, clock: Clock) -> None:
        self._readings, self._clock = readings, clock

    def observe(self, target: Target, since: datetime, routes: tuple[str, ...]) -> Observation:
        """Signals over the trailing window, counts since a time; ``routes`` are those of the failing kind."""
        now = self._clock.now()
        whole = self._readings.reading(target, since)
        return Observation(
            at=now,
            commit=self._readings.commit(target.name),
            signals=self._readings.reading(target).signals,
            requests=whole.total,
            failing_kind_requests=sum(whole.requests.get(route, 0) for route in routes) if routes else whole.total,
            firing=self._readings.firing(target.name),
            window_seconds=self._readings.window,
        )
