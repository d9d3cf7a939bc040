"""What a bundle shows: all signs by component, when it began, and whether anything is wrong at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from ...model.bundle import Bundle
from . import graph, logs, signs
from .graph import Graph
from .logs import Book, Failure
from .series import rates
from .shipping import Live, live
from .signs import Sign
from .words import is_inbound, listed, parts_of

QUIET: Final = 0.3  # force of a sign that counts for little
STRONG: Final = 0.4  # force of a sign that counts for when it began
LEAST_LEVEL: Final = 3  # points that have a level
CLEAR_ALONE: Final = 0.75  # force of what cannot be missed
CLEAR_TOGETHER: Final = 1.3  # force of all that users feel, from which something is wrong
CLEAR_UNFELT: Final = 1.0  # force of what users do not feel, where an alert fires
FAINT: Final = 0.2  # force of a sign that may still be the first of a burst
TOGETHER: Final = 0.02  # of the window: what begins within it begins together
EARLY_SHARE: Final = 0.12  # of all force: what begins before is a forerunner
MOST_LINES_READ: Final = 20_000
ALONE_SHARE: Final = 0.25  # of all force, of what may be another story
FEWER: Final = 0.8  # times the traffic: clearly less
ALIKE: Final = 0.1  # between two ratios that are the same
LEAST_STRETCH: Final = 3  # points that make a peak
PEAKS: Final = 1.5  # times the median: traffic that comes in waves
LABELS: Final = ("component", "service", "job", "app", "deployment", "instance", "pod", "container", "node")


@dataclass
class Node:
    """One component with its signs, its tracebacks, and how much others point at it (0..1 each)."""

    name: str
    signs: list[Sign] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    innermost: float = 0.0
    alerted: bool = False
    watched: bool = False  # it has metrics or logs of its own
    load: float = 1.0  # how many times the traffic it had before
    counted: bool = False  # its traffic is known

    @property
    def strength(self) -> float:
        """How much is wrong, 0..1: of each kind the strongest harmful sign, half of the next."""
        by_kind: dict[str, list[float]] = defaultdict(list)
        for sign in self.signs:
            if sign.harm > 0 or (sign.telling and sign.source == "metric"):
                by_kind[f"{sign.kind} {sign.source}"].append(sign.force)
        total = sum(max(found) + 0.15 * min(3, len(found) - 1) for found in by_kind.values())
        return float(1.0 - np.exp(-(total + self.innermost) / 1.2))


@dataclass(frozen=True)
class Findings:
    """All that was seen. ``onset`` is None in a healthy window; ``tolerance`` in seconds is how near counts as together."""

    bundle: Bundle
    nodes: Mapping[str, Node]
    signs: tuple[Sign, ...]
    book: Book
    graph: Graph
    onset: float | None
    tolerance: float
    step: float
    recovered: bool
    lived: tuple[Live, ...] = ()

    @cached_property
    def healed(self) -> float | None:
        """When what users felt was gone again; None when it was not."""
        felt = [one.until for one in self.signs if one.visible and one.source == "metric" and one.force >= STRONG]
        ends = [until for until in felt if until is not None and (self.onset is None or until > self.onset)]
        return float(np.median(ends)) if self.recovered and ends else None

    @cached_property
    def alone_healed(self) -> bool:
        """Whether no change went live about when it healed."""
        healed = self.healed
        return healed is not None and not any(
            -self.tolerance <= healed - one.at <= 2 * self.tolerance for one in self.lived
        )

    def first(self, name: str) -> float:
        """When a component showed its first sign that lasted into the incident; infinite when it showed none."""
        found = [one.at for one in self.nodes[name].signs if one.telling and self.lasting(one)]
        return min(found, default=float("inf"))

    def lasting(self, sign: Sign) -> bool:
        """Whether a sign had not gone again before the incident began."""
        return self.onset is None or sign.until is None or sign.until > self.onset


def find(bundle: Bundle) -> Findings:
    """Look at everything once."""
    book, net = Book(bundle.logs), Graph([*bundle.edges, *graph.from_spans(bundle.spans)])
    step = _step(bundle)
    tolerance = max(TOGETHER * (bundle.end - bundle.start), 1.5 * step)
    measured = signs.of_metrics(bundle)
    about = _about(bundle, measured, book)
    seen = [*measured, *signs.of_lines(book.grown(about), bundle.end, tolerance)]
    if any(one.visible for one in seen):
        about = _onset(seen, tolerance, bundle)
    seen += signs.of_calls(graph.edges(bundle.spans, about), about)
    nodes = _nodes(bundle, seen, net, about)
    onset = _onset(seen, tolerance, bundle) if is_sick(bundle, seen) else None
    for node in nodes.values():
        node.load, node.counted = _load(bundle, node.name, onset or about)
        node.signs = [one for one in node.signs if not _falls_with(one, node)]
    recovered, lived = _recovered(seen), tuple(live(bundle.changes))
    return Findings(bundle, nodes, tuple(seen), book, net, onset, tolerance, step, recovered, lived)


def _falls_with(sign: Sign, node: Node) -> bool:
    """Whether a measure of no harm by itself fell just as far as the traffic that comes in: who calls is why."""
    if sign.shift is None or sign.kind != "other" or node.load > FEWER or sign.shift.level >= sign.shift.before:
        return False
    return abs(sign.shift.ratio - node.load) <= ALIKE and sign.at >= sign.shift.after


def _step(bundle: Bundle) -> float:
    """The usual distance of two points of a series, seconds."""
    steps = [float(np.median(np.diff(one.at))) for one in bundle.courses[:50] if len(one.at) >= LEAST_LEVEL]
    return float(np.median(steps)) if steps else 1.0


def _about(bundle: Bundle, measured: Sequence[Sign], book: Book) -> float:
    """A first idea of the moment, to count log lines and spans before and after it."""
    early = _quantile_of([one for one in measured if one.visible and one.weight >= STRONG], EARLY_SHARE)
    severe = sorted(book.first_severe().values())
    if early is not None:
        return min(early, severe[0]) if severe and severe[0] > early - 600.0 else early
    if severe:
        return severe[0]
    anything = _quantile_of([one for one in measured if one.harm >= 0], 0.3)
    if anything is not None:
        return anything
    return bundle.opened_at if bundle.start < bundle.opened_at < bundle.end else (bundle.start + bundle.end) / 2


def _quantile_of(found: Iterable[Sign], share: float) -> float | None:
    """The moment by which a share of all force has shown."""
    ordered = sorted(found, key=lambda one: one.at)
    if not ordered:
        return None
    total = np.cumsum([one.force for one in ordered])
    return ordered[int(np.searchsorted(total, share * total[-1]))].at


def _nodes(bundle: Bundle, seen: Sequence[Sign], net: Graph, about: float) -> dict[str, Node]:
    watched = {one.component for one in bundle.courses} | {line.component for line in bundle.logs[:MOST_LINES_READ]}
    watched |= {span.component for span in bundle.spans[:MOST_LINES_READ]}
    names = watched | net.nodes | {one.component for one in seen}
    nodes = {name: Node(name, watched=name in watched) for name in sorted(names) if name}
    for sign in seen:
        if sign.component in nodes:
            nodes[sign.component].signs.append(sign)
    for failure in logs.failures([line for line in bundle.logs if line.at >= about - 1.0][:MOST_LINES_READ]):
        if failure.component in nodes:
            nodes[failure.component].failures.append(failure)
    for name, share in graph.innermost(bundle.spans, about).items():
        if name in nodes:
            nodes[name].innermost = share
    for alert in bundle.alerts:
        labels: Any = alert.get("labels")
        for key in LABELS:
            name = str(labels.get(key, "")) if isinstance(labels, Mapping) else ""
            if name in nodes:
                nodes[name].alerted = True
    return nodes


def _load(bundle: Bundle, name: str, moment: float) -> tuple[float, bool]:
    """The component's busiest request series: its level after a moment over the one before, and whether it has one."""
    busiest, ratio = 0.0, 1.0
    for course in bundle.courses:
        if course.component != name or not is_inbound(course.metric, name):
            continue
        at, values = rates(course)
        early, late = values[at < moment], values[at >= moment]
        if min(len(early), len(late)) < LEAST_LEVEL:
            continue
        level = float(np.median(early))
        if level > busiest:
            busiest, ratio = level, float(np.quantile(late, 0.75)) / _usual_most(early, len(late))
    if busiest:
        return ratio, True
    traced = graph.load(bundle.spans, name, moment)
    return traced or 1.0, traced is not None


def _of_others(bundle: Bundle, felt: Sequence[Sign]) -> bool:
    """Whether anything but a minority of the places that probe from outside shows that something is wrong."""
    watchers = {one.component for one in felt if frozenset(parts_of(one.component)) & listed("places", "observer")}
    if any(one.component not in watchers and one.force >= STRONG for one in felt):
        return True
    failing = {sign.shift.metric for sign in felt if sign.shift is not None}
    parts = {one.metric for one in bundle.courses if one.component in watchers and "{" in one.metric}
    same = {one for one in parts if one.partition("{")[0] in {each.partition("{")[0] for each in failing}}
    return not failing & parts or 2 * len(failing & parts) >= len(same)


def _usual_most(early: np.ndarray, length: int) -> float:
    """The level of the busiest stretch before: a load that comes and goes every hour is usual, however quiet the rest."""
    level = float(np.median(early))
    width = max(LEAST_STRETCH, min(length, len(early) // 8))
    if len(early) < 4 * width:
        return level
    stretches = early[: len(early) // width * width].reshape(-1, width)
    most = float(np.median(stretches, axis=1).max())
    return most if most > PEAKS * level else level


def is_sick(bundle: Bundle, seen: Sequence[Sign]) -> bool:
    """Whether anything is wrong at all: users feel something, clearly, and for longer than a restart takes."""
    felt = [one for one in seen if one.visible and not one.brief]
    if felt and not _of_others(bundle, felt):
        return False  # only a part of what watches from outside says so
    if felt and all(one.kind == "age" and one.until is not None for one in felt if one.force >= QUIET):
        return False  # a backlog that grew and was worked off, and that nobody felt elsewhere
    loudest = max((one.force for one in felt), default=0.0)
    total = sum(one.force for one in felt if one.force >= QUIET)
    firing = any(alert.get("status", "firing") == "firing" for alert in bundle.alerts)
    if loudest >= CLEAR_ALONE or total >= CLEAR_TOGETHER:
        return True
    others = sum(
        one.force for one in seen if one.telling and not one.visible and one.source == "metric" and one.until is None
    )
    return firing and (loudest >= STRONG or others >= CLEAR_UNFELT)  # an alert says where to look closer


def _in_company(felt: Sequence[Sign], begun: float, tolerance: float) -> float:
    """When it began without the one component that was sick alone, well before all others, for a reason of its own."""
    total = sum(one.force for one in felt)
    early = {one.component for one in felt if one.at <= begun + tolerance}
    if len(early) != 1 or sum(one.force for one in felt if one.component in early) > ALONE_SHARE * total:
        return begun
    later = _quantile_of([one for one in felt if one.component not in early], EARLY_SHARE)
    return begun if later is None or later <= begun + 2.0 * tolerance else later


def _onset(seen: Sequence[Sign], tolerance: float, bundle: Bundle) -> float:
    """The earliest strong sign of the burst in which most of what users feel begins."""
    felt = [one for one in seen if one.visible and one.weight >= QUIET] or [one for one in seen if one.harm >= 0]
    middle = float(np.median([one.at for one in felt])) if felt else bundle.opened_at
    lasted = [one for one in felt if one.until is None or one.until > middle]
    begun = _quantile_of(lasted, EARLY_SHARE)
    if begun is None:
        return bundle.opened_at
    begun = _in_company(lasted, begun, tolerance)
    near = [one.at for one in seen if one.visible and one.force >= FAINT and begun - 2.0 * tolerance <= one.at <= begun]
    return min([begun, *near])


def _recovered(seen: Sequence[Sign]) -> bool:
    """Whether all that users felt is as before at the end."""
    felt = [one for one in seen if one.visible and one.source == "metric" and one.force >= STRONG]
    return bool(felt) and all(one.until is not None for one in felt)
