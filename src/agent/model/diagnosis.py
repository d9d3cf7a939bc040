"""Diagnosis: ranked hypotheses, onset, blast radius, and the experiments that carry them."""

from __future__ import annotations

from pydantic import AwareDatetime

from .analysis import Analysis
from .evidence import Gap
from .experiment import Capsule, Experiment
from .record import Cause, Ratio, Record

__all__ = ["Cause", "Diagnosis", "Hypothesis"]


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
    """What the investigation found. ``culprit`` is set only when an experiment confirmed it against its parent.

    ``analysis`` is what a language model added, or why none was used; None where nobody asked for one.
    """

    onset: AwareDatetime | None
    blast_radius: tuple[str, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    gaps: tuple[Gap, ...] = ()
    capsule: Capsule | None = None
    culprit: str | None = None
    analysis: Analysis | None = None
    calibration: str = "uncalibrated (n=0)"
    seconds: float = 0.0
