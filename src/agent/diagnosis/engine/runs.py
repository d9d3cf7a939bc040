"""When a change that waits could first act: the first run of a job after it, or the hour that a schedule names."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import numpy as np

from .findings import Findings
from .series import rates
from .words import kind_of

IDLE: Final = 0.001  # of the most that it ever did
BUSY: Final = 0.2
LEAST_IDLE: Final = 4  # points
LATEST: Final = 900.0  # seconds from a start to what it harms
_CRON: Final = re.compile(
    r"(?<![\w*/,-])(\d{1,2}|\*/\d{1,2})[ ]+(\*|\d{1,2}|\*/\d{1,2})(?:[ ]+[\w*/,-]{1,15}){3}(?![\w*/-])"
)


def first_run(findings: Findings, component: str, at: float, until: float) -> float | None:
    """When a component that did nothing at a moment began to work after it, before ``until``; None when it worked all along."""
    starts = []
    for course in findings.bundle.courses:
        if course.component != component or kind_of(course.metric, component) != "traffic":
            continue
        moments, values = rates(course)
        most = float(np.max(np.abs(values), initial=0.0))
        waited = (moments > at) & (moments < until)
        busy = np.flatnonzero((moments > at) & (np.abs(values) > BUSY * most))
        if most <= 0 or not len(busy):
            continue
        start = float(moments[busy[0]])
        waited &= moments < start
        if waited.sum() >= LEAST_IDLE and bool((np.abs(values[waited]) <= IDLE * most).all()):
            starts.append(start)
    return min(starts, default=None)


def scheduled(diff: str, moment: float, slack: float) -> str:
    """The schedule in a diff that starts something right before a moment (UTC); empty when there is none."""
    when = datetime.fromtimestamp(moment, UTC)
    for found in _CRON.finditer(diff):
        minute, hour = found.group(1), found.group(2)
        if not (minute.isdigit() and hour.isdigit()):
            continue
        late = (when.hour - int(hour)) * 3600.0 + (when.minute - int(minute)) * 60.0 + when.second
        if -slack <= late <= min(LATEST, 3.0 * slack + 60.0):
            return found.group(0)
    return ""
