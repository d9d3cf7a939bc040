"""Small incident bundles, made of arrays: a service with callers and callees, and something that goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from agent.model.bundle import Bundle, Course, LogLine, Span
from agent.model.evidence import Change

START, STEP, POINTS = 1_780_000_000.0, 10.0, 360
MIDDLE = START + 240 * STEP  # when things go wrong
EDGES = (("web", "orders"), ("orders", "prices"), ("orders", "orders-db"))


class Story:
    """An hour of four components, all well, to which things are added."""

    def __init__(self, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        self.at = START + STEP * np.arange(POINTS)
        self.later = self.at >= MIDDLE
        self.courses: list[Course] = []
        self.logs: list[LogLine] = []
        self.spans: list[Span] = []
        self.changes: list[Change] = []
        self.edges: Sequence[tuple[str, str]] = EDGES
        self.alerts: list[dict[str, object]] = []

    def steady(self, component: str, metric: str, level: float, noise: float = 0.05) -> np.ndarray:
        """A series that stays where it is; what is done to the array later counts."""
        values = level * (1.0 + noise * self._random.standard_normal(POINTS))
        self.courses.append(Course(component, metric, self.at, values))
        return values

    def well(self) -> Story:
        """The usual series of all four."""
        for name in ("web", "orders", "prices", "orders-db"):
            self.steady(name, "requests_per_second", 50.0)
            self.steady(name, "latency_seconds_p95", 0.2)
            self.steady(name, "errors_per_second", 0.0)
            self.steady(name, "cpu_usage", 0.3)
            for place in range(0, POINTS, 6):
                self.say(name, "INFO", f"handled request {place} in 12 ms", float(self.at[place]))
        return self

    def of(self, component: str, metric: str) -> np.ndarray:
        """A series that is there."""
        return next(one.values for one in self.courses if (one.component, one.metric) == (component, metric))

    def hurt(self, *components: str, errors: float = 10.0, slower: float = 6.0) -> None:
        """From the middle on, errors and latency."""
        for number, name in enumerate(components):
            since = self.at >= MIDDLE + number * STEP
            self.of(name, "errors_per_second")[since] += errors
            self.of(name, "latency_seconds_p95")[since] *= slower

    def say(self, component: str, level: str, message: str, at: float) -> None:
        """One log line."""
        self.logs.append(LogLine(at, component, level, message))

    def fail(self, component: str, message: str, times: int = 30) -> None:
        """So many error lines from the middle on."""
        for number in range(times):
            self.say(component, "ERROR", message, MIDDLE + 5.0 + number * STEP)

    def changed(self, name: str, component: str, before: float, title: str, **more: object) -> None:
        """A deploy so many seconds before the middle."""
        fields = {"kind": "deploy", "author": "ann", "files": (), "diff": None, "commit": None} | more
        at = datetime.fromtimestamp(MIDDLE - before, UTC)
        self.changes.append(Change(id=name, component=component, timestamp=at, title=title, **fields))  # type: ignore[arg-type]

    def bundle(self) -> Bundle:
        """All of it."""
        return Bundle(
            id="inc-1",
            target="shop",
            opened_at=MIDDLE + 60.0,
            start=START,
            end=START + POINTS * STEP,
            alerts=tuple(self.alerts),
            courses=tuple(self.courses),
            logs=tuple(sorted(self.logs, key=lambda line: line.at)),
            spans=tuple(self.spans),
            changes=tuple(sorted(self.changes, key=lambda change: change.timestamp)),
            edges=tuple(self.edges),
        )
