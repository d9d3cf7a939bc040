"""Sources of evidence that hold what a test gives them."""

from __future__ import annotations

from collections.abc import Sequence

from agent.model.alert import Alert
from agent.model.bundle import Course, LogLine
from agent.model.evidence import Gap
from agent.model.record import Window
from agent.model.sources import Fact, Logs, Metrics
from agent.model.target import Target


class FakeMetrics:
    """Implements `MetricSource`; ``courses`` are given as they are, cut to the window."""

    name = "fake"

    def __init__(self, courses: Sequence[Course] = (), facts: Sequence[Fact] = (), *, broken: str = "") -> None:
        self.given, self.facts, self.broken = tuple(courses), tuple(facts), broken

    def courses(self, target: Target, window: Window, alerts: Sequence[Alert]) -> Metrics:  # noqa: ARG002 - it has what it has
        if self.broken:
            return Metrics(gaps=(Gap(source=self.name, reason=self.broken),))
        start, end = window.start.timestamp(), window.end.timestamp()
        found = []
        for one in self.given:
            inside = (one.at >= start) & (one.at <= end)
            if inside.any():
                found.append(Course(one.component, one.metric, one.at[inside], one.values[inside]))
        gaps = () if found else (Gap(source=self.name, reason=f"nothing is known of {target.name}"),)
        return Metrics(tuple(found), self.facts, gaps)


class FakeLogs:
    """Implements `LogSource`; ``lines`` are given as they are, those of the window."""

    def __init__(self, lines: Sequence[LogLine] = (), *, name: str = "fake", broken: str = "") -> None:
        self.given, self.name, self.broken = tuple(lines), name, broken

    def lines(self, target: Target, window: Window, alerts: Sequence[Alert]) -> Logs:  # noqa: ARG002 - it has what it has
        if self.broken:
            return Logs(gaps=(Gap(source=self.name, reason=self.broken),))
        start, end = window.start.timestamp(), window.end.timestamp()
        found = tuple(line for line in self.given if start <= line.at <= end)
        gaps = () if found else (Gap(source=self.name, reason=f"nothing is known of {target.name}"),)
        return Logs(found, gaps=gaps)
