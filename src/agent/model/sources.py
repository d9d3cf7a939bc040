"""What one source of evidence brings back: courses or log lines, facts worth saying, and gaps for what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field

from .bundle import Course, LogLine
from .evidence import Gap
from .record import Json


@dataclass(frozen=True)
class Fact:
    """Something observed, before the collector gives it a number; ``summary`` is already safe to show."""

    source: str
    kind: str
    summary: str
    data: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Metrics:
    """What a source of metrics brings back."""

    courses: tuple[Course, ...] = ()
    facts: tuple[Fact, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True)
class Logs:
    """What a source of logs brings back; lines are in the order of time."""

    lines: tuple[LogLine, ...] = ()
    facts: tuple[Fact, ...] = ()
    gaps: tuple[Gap, ...] = ()
