"""An incident bundle in memory: what was known of one incident, whatever stack it comes from.

Times are seconds since the epoch. Numbers lie in numpy arrays: a bundle may hold a million points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .evidence import Change, Gap

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Course:
    """One metric of one component over time: ``at`` rises strictly, ``values`` are finite, both of the same length."""

    component: str
    metric: str
    at: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class LogLine:
    """One line of a component's log."""

    at: float
    component: str
    level: str
    message: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    """One span of a trace; ``duration`` is in seconds."""

    trace: str
    id: str
    parent: str | None
    component: str
    name: str
    start: float
    duration: float
    failed: bool


@dataclass(frozen=True)
class Bundle:
    """All of it. ``start`` and ``end`` are the window that was looked at; ``gaps`` name what was missing or left out."""

    id: str
    target: str
    opened_at: float
    start: float
    end: float
    alerts: tuple[Mapping[str, Any], ...] = ()
    courses: tuple[Course, ...] = ()
    logs: tuple[LogLine, ...] = ()
    spans: tuple[Span, ...] = ()
    changes: tuple[Change, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    gaps: tuple[Gap, ...] = ()
