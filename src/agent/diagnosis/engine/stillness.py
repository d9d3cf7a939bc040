"""Readings that stand still: a series that always moved and from a moment on repeats one value, as of a stuck feed."""

from __future__ import annotations

from typing import Final

import numpy as np

from ...model.bundle import Course
from .words import is_counter, kind_of

LEAST_STILL: Final = 10  # equal values at the end
LEAST_BEFORE: Final = 20
MOVING: Final = 0.9  # of the steps before are no zeros
ONE_WAY: Final = 0.8  # of the steps before go the same way: it ran into something, and is not stuck
MEASURED: Final = ("other", "quality", "drift", "age")


def still_since(course: Course) -> float | None:
    """When a series began to stand still, at a value that is not 0; None when it did not, or was never lively."""
    values = course.values
    if len(values) < LEAST_STILL + LEAST_BEFORE or not np.isfinite(values[-1]) or values[-1] == 0:
        return None
    if is_counter(course.metric) or kind_of(course.metric, course.component) not in MEASURED:
        return None
    different = np.flatnonzero(values != values[-1])
    start = int(different[-1]) + 1 if len(different) else 0
    if len(values) - start < LEAST_STILL or start < LEAST_BEFORE:
        return None
    steps = np.diff(values[: start + 1])
    moving = float((steps != 0).mean())
    if moving < MOVING or max(float((steps > 0).mean()), float((steps < 0).mean())) > ONE_WAY:
        return None
    within = float(values[:start].min()) <= values[-1] <= float(values[:start].max())  # beyond it, a bound holds it
    return float(course.at[start]) if within else None
