"""Diagnosis: ranked hypotheses, onset, blast radius, and the experiments that carry them."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from .evidence import Gap
from .experiment import Capsule, Experiment
from .record import Ratio, Record

Cause = Literal[
    "code", "configuration", "dependency", "capacity", "data", "model", "infrastructure", "traffic", "unknown"
]


class Hypothesis(Record):
    """A candidate cause. ``evidence`` and ``against`` hold ids of evidence or experiments, or short statements."""

    rank: int
    cause: Cause
    component: str
    change: str | None
    confidence: Ratio
    remediation: str
    title: str
    evidence: tuple[str, ...] = ()
    against: tuple[str, ...] = ()


class Diagnosis(Record):
    """What the investigation found. ``culprit`` is set only when an experiment confirmed it against its parent."""

    onset: AwareDatetime | None
    blast_radius: tuple[str, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    gaps: tuple[Gap, ...] = ()
    capsule: Capsule | None = None
    culprit: str | None = None
    calibration: str = "uncalibrated (n=0)"
    seconds: float = 0.0
