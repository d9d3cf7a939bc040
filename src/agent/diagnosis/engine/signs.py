"""Signs: everything that looks different after some moment, from metrics, logs and calls alike, on one scale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from ...model.bundle import Bundle
from .graph import Edge
from .logs import WARNING, Template
from .series import Shift, rates, shift_of
from .words import is_counted, is_inbound

Source = Literal["metric", "log", "trace"]

VISIBLE: Final = ("error", "latency", "availability", "age", "quality")  # what users of a service feel
KIND_WEIGHT: Final = {
    "error": 1.2, "availability": 1.1, "latency": 1.0, "age": 1.0, "quality": 1.0, "saturation": 0.55, "memory": 0.5,
    "drift": 0.6, "traffic": 0.3, "other": 0.35,
}  # fmt: skip
TELLING_HARM, TELLING = 0.3, 0.5  # weights from which a harm, and what is none by itself, may say when it began
BRIEF: Final = 0.04  # of the window: what was gone again by then, once, is a restart or chance
EXTREME: Final = 0.95  # weight of what is no chance however short
LEAST_SHARE: Final = 0.01
FEW: Final = 5  # lines from which an end can be told
SILENT: Final = 8.0  # times the usual gap between two lines
MANY_LINES: Final = 200.0


@dataclass(frozen=True)
class Sign:
    """One thing that changed. ``at`` is when it was first seen, ``after`` the last moment it was not there; ``weight`` 0..1.

    ``harm`` is 1 where the direction is bad, -1 where it is good, 0 where neither is said. ``text`` says it in words.
    """

    component: str
    source: Source
    kind: str
    at: float
    after: float
    weight: float
    harm: int
    text: str
    words: str
    until: float | None = None
    brief: bool = False
    shift: Shift | None = None
    template: Template | None = None

    @property
    def visible(self) -> bool:
        """Whether somebody who uses the component feels it."""
        return self.harm > 0 and self.kind in VISIBLE

    @property
    def telling(self) -> bool:
        """Whether it may say when a component began to fail: what falls with failing callers does not."""
        if self.harm != 0:
            return self.harm > 0 and self.weight >= TELLING_HARM
        if self.brief:
            return False
        rises = self.shift is None or self.shift.level > self.shift.before
        return self.weight >= TELLING and (rises or self.kind == "other")

    @property
    def force(self) -> float:
        """The weight, by what kind of thing it is."""
        return self.weight * KIND_WEIGHT.get(self.kind, 0.3)


def of_metrics(bundle: Bundle) -> list[Sign]:
    """A sign for each course that changed; errors count by their share of the component's traffic."""
    shifts = [shift for course in bundle.courses if (shift := shift_of(course)) is not None]
    faulty = {one.component for one in shifts if one.kind == "error" and is_counted(one.metric)}
    traffic: dict[str, float] = {}
    for course in bundle.courses:
        if course.component in faulty and is_inbound(course.metric, course.component):
            values = rates(course)[1]
            traffic[course.component] = max(
                traffic.get(course.component, 0.0), float(np.median(values)) if len(values) else 0.0
            )
    brief = BRIEF * (bundle.end - bundle.start)
    return [_of_shift(shift, _share(shift, traffic), brief) for shift in shifts]


def _share(shift: Shift, traffic: Mapping[str, float]) -> float:
    """1, or less where the errors are less than a hundredth of the requests."""
    usual = traffic.get(shift.component, 0.0)
    if shift.kind != "error" or not is_counted(shift.metric) or usual <= 0:
        return 1.0
    return float(np.clip(abs(shift.level - shift.before) / (LEAST_SHARE * usual), 0.2, 1.0))


def _of_shift(shift: Shift, share: float, brief: float) -> Sign:
    return Sign(
        component=shift.component,
        source="metric",
        kind=shift.kind,
        at=shift.at,
        after=shift.after,
        weight=shift.weight * share,
        harm=shift.harm,
        text=f"{shift.metric} of {shift.component} went from {shift.before:.4g} to {shift.level:.4g}",
        words=shift.metric,
        until=shift.recovered,
        brief=shift.recovered is not None
        and shift.bursts == 1
        and shift.weight < EXTREME
        and shift.recovered - shift.at < brief,
        shift=shift,
    )


def of_lines(templates: Iterable[Template], end: float, tolerance: float) -> list[Sign]:
    """A sign for each kind of line that is new or surges; it has ended when no more came for far longer than usual."""
    return [_of_template(one, end, tolerance) for one in templates]


def _of_template(one: Template, end: float, tolerance: float) -> Sign:
    gap = (one.last - one.since) / max(one.after - 1, 1)
    ended = one.after >= FEW and end - one.last > max(2.0 * tolerance, SILENT * gap)
    share = 1.0 if one.severe else 0.6 if one.level in WARNING else 0.15
    often = min(1.0, math.log1p(one.after) / math.log1p(MANY_LINES))
    return Sign(
        component=one.component,
        source="log",
        kind="error" if one.severe or one.level in WARNING else "other",
        at=one.since,
        after=one.since,
        weight=share * often * (1.0 if one.new else 0.8),
        harm=1 if one.severe or one.level in WARNING else 0,
        text=f"{'new' if one.new else 'more often'} in the log of {one.component}: {' '.join(one.example.split())[:200]}",
        words=one.example,
        until=one.last if ended else None,
        template=one,
    )


def of_calls(edges: Sequence[Edge], moment: float) -> list[Sign]:
    """A sign for each call that is clearly slower or fails more often."""
    found = []
    for edge in edges:
        if not edge.worse:
            continue
        slower = min(1.0, 0.3 * math.log2(max(edge.slower, 1.0)))
        failing = min(1.0, 2.0 * max(edge.failing, 0.0))
        kind = "error" if failing > slower else "latency"
        text = (
            f"calls of {edge.caller or 'its users'} to {edge.callee} take {edge.slower:.1f} times as long of their own"
        )
        if kind == "error":
            text = f"calls of {edge.caller or 'its users'} to {edge.callee} fail {edge.failing:+.0%}"
        found.append(Sign(edge.callee, "trace", kind, moment, moment, max(slower, failing), 1, text, edge.callee))
    return found
