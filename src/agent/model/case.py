"""What an analyst is given, and where it may look further."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .diagnosis import Hypothesis
from .evidence import Change, Evidence, Gap
from .incident import Incident
from .record import Window


@dataclass(frozen=True)
class Readings:
    """What an analyst may look at beyond its case; None where there is no such source. All of them only read.

    Each answers with text and may raise; each has its own limits of time and size, and the analyst puts its own on top.
    """

    metrics: Callable[[str, Window], str] | None = None
    logs: Callable[[str, Window], str] | None = None
    source: Callable[[str, str], str | None] | None = None
    diff: Callable[[Change], str | None] | None = None
    experiment: Callable[[str], str] | None = None


@dataclass(frozen=True)
class Case:
    """All that an analyst is given: evidence with ids, the engine's ranking as its prior, and where to look further."""

    incident: Incident
    window: Window
    evidence: tuple[Evidence, ...]
    hypotheses: tuple[Hypothesis, ...]
    changes: tuple[Change, ...] = ()
    gaps: tuple[Gap, ...] = ()
    readings: Readings = Readings()
