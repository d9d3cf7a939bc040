"""Who calls whom: from the declared topology and from spans; and what failed first along it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...model.bundle import Span

LEAST_SPANS: Final = 8
SLOWER: Final = 1.8
MORE_FAILED: Final = 0.05
LEAST_FAILED: Final = 3  # one or two say nothing


@dataclass(frozen=True)
class Edge:
    """What the spans of one caller to one callee (or of a component's own roots) say, before and after a moment."""

    caller: str
    callee: str
    before: int
    after: int
    slower: float
    failing: float

    @property
    def worse(self) -> bool:
        """Whether it is clearly slower or fails clearly more often."""
        return self.slower >= SLOWER or self.failing >= MORE_FAILED


class Graph:
    """Callers and callees."""

    def __init__(self, edges: Iterable[tuple[str, str]]) -> None:
        self.callees: dict[str, set[str]] = defaultdict(set)
        self.callers: dict[str, set[str]] = defaultdict(set)
        for caller, callee in edges:
            self.callees[caller].add(callee)
            self.callers[callee].add(caller)

    @property
    def nodes(self) -> set[str]:
        """Every component of an edge."""
        return set(self.callees) | set(self.callers)

    def below(self, component: str) -> set[str]:
        """All that a component depends on, over any number of calls."""
        return _reach(self.callees, component)

    def above(self, component: str) -> set[str]:
        """All that depend on a component."""
        return _reach(self.callers, component)

    def distance(self, start: str, end: str) -> int | None:
        """Calls from one component down to another; None when there is no way."""
        seen, layer, steps = {start}, {start}, 0
        while layer:
            if end in layer:
                return steps
            layer = {one for each in layer for one in self.callees.get(each, ())} - seen
            seen |= layer
            steps += 1
        return None


def _reach(links: Mapping[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for one in links.get(waiting.pop(), ()):
            if one not in seen and one != start:
                seen.add(one)
                waiting.append(one)
    return seen


def from_spans(spans: Sequence[Span]) -> set[tuple[str, str]]:
    """Calls between components, by the spans' parents."""
    where = {(span.trace, span.id): span.component for span in spans}
    found = set()
    for span in spans:
        caller = where.get((span.trace, span.parent)) if span.parent else None
        if caller is not None and caller != span.component:
            found.add((caller, span.component))
    return found


def edges(spans: Sequence[Span], moment: float) -> list[Edge]:
    """Each call's own time (its children's taken off) and failures before and after a moment."""
    own, where = _own_times(spans), {(span.trace, span.id): span.component for span in spans}
    groups: dict[tuple[str, str], tuple[list[tuple[float, bool]], list[tuple[float, bool]]]] = defaultdict(
        lambda: ([], [])
    )
    for span in spans:
        caller = where.get((span.trace, span.parent), "") if span.parent else ""
        side = int(span.start >= moment)
        groups[caller, span.component][side].append((own[span.trace, span.id], span.failed))
    found = []
    for (caller, callee), (early, late) in groups.items():
        if min(len(early), len(late)) < LEAST_SPANS:
            continue
        times = [float(np.quantile([seconds for seconds, _ in part], 0.9)) for part in (early, late)]
        shares = [sum(failed for _, failed in part) / len(part) for part in (early, late)]
        found.append(
            Edge(caller, callee, len(early), len(late), (times[1] + 1e-4) / (times[0] + 1e-4), shares[1] - shares[0])
        )
    return found


def _own_times(spans: Sequence[Span]) -> dict[tuple[str, str], float]:
    """Seconds of each span that are not its children's, never below 0."""
    own = {(span.trace, span.id): span.duration for span in spans}
    for span in spans:
        key = (span.trace, span.parent or "")
        if key in own:
            own[key] = max(0.0, own[key] - span.duration)
    return own


def innermost(spans: Sequence[Span], moment: float) -> dict[str, float]:
    """Where failures begin: each component's share of the innermost failed spans that came on top after a moment."""
    failed = [span for span in spans if span.failed]
    parents = {(span.trace, span.parent) for span in failed if span.parent}
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for span in failed:
        if (span.trace, span.id) not in parents:
            counts[span.component][int(span.start >= moment)] += 1
    if not spans:
        return {}
    lengths = max(moment - spans[0].start, 1.0), max(spans[-1].start - moment, 1.0)
    more = {name: late - early / lengths[0] * lengths[1] for name, (early, late) in counts.items()}
    more = {name: value for name, value in more.items() if value >= LEAST_FAILED}
    total = sum(more.values())
    return {name: value / total for name, value in more.items()}


def load(spans: Sequence[Span], name: str, moment: float) -> float | None:
    """How many times as many spans a second a component has after a moment as before; None where that cannot be said."""
    starts = np.array([span.start for span in spans if span.component == name])
    early, late = int((starts < moment).sum()), int((starts >= moment).sum())
    if min(early, late) < LEAST_SPANS:
        return None
    return (late / max(spans[-1].start - moment, 1.0)) / (early / max(moment - spans[0].start, 1.0))
