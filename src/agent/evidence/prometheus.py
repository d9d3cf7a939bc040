"""Prometheus as a source of metrics: what the alert measured, the target's golden signals, and what the alert selects.

Nothing is asked that `promql` refuses. How many series a query would bring is asked first. What is refused, late, too
much or broken becomes a gap; what came is used.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

from ..kit.http import HttpClient
from ..kit.redact import fence
from ..model.alert import Alert
from ..model.record import Window
from ..model.sources import Fact, Metrics
from ..model.target import Target
from . import golden, promql
from .allowance import Allowance, Limits
from .api import Api
from .courses import Counted, Notes, Told, counted, courses, told
from .naming import component_labels, component_of, selecting
from .promql import Refused, Selector
from .surroundings import Surroundings, look_around

SOURCE: Final = "prometheus"
SIDE_BY_SIDE: Final = 4
MOST_ALERTS: Final = 8
MOST_OF_ONE: Final = 100  # series of one metric
MOST_NAMES: Final = 3_000
COUNTED: Final = 20  # moments of the window at which series are counted
FINEST_STEP: Final = 0.5
NAMES_A_QUERY: Final = 40
RATE_STEPS: Final = 4


class Prometheus:
    """One Prometheus (or what speaks its API) at a base address; implements `MetricSource`."""

    name = SOURCE

    def __init__(self, http: HttpClient, url: str, limits: Limits | None = None) -> None:
        self._http, self._url, self._limits = http, url, limits or Limits()

    def courses(self, target: Target, window: Window, alerts: Sequence[Alert]) -> Metrics:
        """What the window shows; never raises for a server that is down, slow or strange."""
        return _Look(Api(self._http, self._url, Allowance(SOURCE, self._limits)), target, window, alerts).taken()


@dataclass(frozen=True)
class _Selected:
    """What a selector finds: the number of series of each metric, and when the first of them was seen."""

    selector: Selector
    counts: Mapping[str, int]
    first: float


class _Look:
    """One look at one window."""

    def __init__(self, api: Api, target: Target, window: Window, alerts: Sequence[Alert]) -> None:
        self._api, self._target, self._alerts = api, target, tuple(alerts)[:MOST_ALERTS]
        self._allowance, self._limits = api.allowance, api.allowance.limits
        self._labels = component_labels(target)
        self._start, self._end = window.start.timestamp(), window.end.timestamp()
        self._step = self._rate = 0.0
        self._notes = Notes()
        self._lock, self._room = threading.Lock(), self._limits.series
        self._known: dict[Selector, tuple[str, ...]] = {}
        self._whole: set[str | None] = set()  # metrics of which all series were read for an alert
        self._around = Surroundings()
        if len(alerts) > MOST_ALERTS:
            self._allowance.gap(f"{len(alerts) - MOST_ALERTS} of {len(alerts)} alerts were not followed")

    def taken(self) -> Metrics:
        """All of it, in the order of what matters most while there is room."""
        self._around = look_around(self._api)
        with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix=SOURCE) as pool:
            selected = self._selected_once()
            self._scale(min((one.first for one in selected), default=self._start))
            found = _flat(pool, self._of_alert, self._distinct())
            asked = [one for some in selected for one in self._golden(some, pool)]
            found += _flat(pool, self._asked, asked)
            found += _flat(pool, self._batch, [one for some in selected for one in self._raw(some)])
        for text in self._notes.texts():
            self._allowance.gap(text)
        facts = (*self._around.facts(self._target, self._alerts), *_asked_of(self._alerts))
        return Metrics(courses(found, self._labels), facts, self._allowance.gaps)

    def _scale(self, first: float) -> None:
        """A step no finer than the scrapes: repeated values would look like a calm that is not there.

        Where scrapes are so frequent that the window would need a coarser step, it begins with the target's ``first`` data.
        """
        scrape = self._around.scrape_seconds(self._target) or promql.USUAL
        if (self._end - self._start) / self._limits.points > scrape:
            self._start = max(self._start, first - (self._end - self._start) / COUNTED)
        step = max((self._end - self._start) / self._limits.points, scrape, FINEST_STEP)
        self._step = step if step < 1 else float(math.ceil(step))
        self._rate = max(RATE_STEPS * scrape, 2 * self._step)
        self._start = min(math.ceil(self._start / self._step) * self._step, self._end)

    # -- what the alert measured -------------------------------------------------------------------------------------

    def _distinct(self) -> list[tuple[Alert, str]]:
        """Each alert's expression, once; from the rules where the alert itself does not say."""
        found: dict[str, tuple[Alert, str]] = {}
        for alert in self._alerts:
            text = promql.expression_of(alert.generator_url) or self._around.expression(alert.name)
            if text is None:
                self._allowance.gap(f"{alert.name}: neither the alert nor a rule says what was measured")
            else:
                found.setdefault(text, (alert, text))
        return list(found.values())

    def _of_alert(self, item: tuple[Alert, str]) -> list[Told]:
        alert, text = item
        try:
            whole = promql.read(text)
        except Refused as refused:
            self._allowance.gap(f"the expression of {alert.name} {refused}")
            return []
        owner = component_of(alert.labels, self._labels, self._target.name)
        found = self._expression(promql.measured(text), f"alert:{alert.name}", owner)
        for selector in whole.selectors:
            if golden.shown_raw(selector.name or ""):
                found += self._selected(selector, alert, owner)
        return found

    def _expression(self, text: str, name: str, owner: str, *, quiet: bool = False) -> list[Told]:
        try:
            step = promql.read(text).step(self._end - self._start, self._step)
        except Refused as refused:
            self._allowance.gap(f"{name} {refused}")
            return []
        answer = self._range(text, step, name)
        found = told(answer, self._notes, name=name, owner=owner, quiet=quiet)
        if answer is not None and not found and not quiet:
            self._allowance.gap(f"{name} has no value in the window")
        room = self._reserved(min(len(found), MOST_OF_ONE))
        if len(found) > room:
            self._allowance.gap(f"{name} has {len(found)} series: {room} of them are used")
        return [replace(one, labels=_unnamed(one.labels)) for one in found[:room]]

    def _reserved(self, count: int) -> int:
        """Room for so many series, or for as many as there still is."""
        with self._lock:
            given = min(count, self._room)
            self._room -= given
            return given

    def _selected(self, selector: Selector, alert: Alert, owner: str) -> list[Told]:
        """The series of one selector of an alert; for its labels only, where there are too many."""
        for one in dict.fromkeys((selector, selector.with_labels(selecting(alert, self._target)))):
            count = self._count(one)
            if count is None:
                return []
            if count <= MOST_OF_ONE:
                if self._reserved(count) < count:
                    break
                answer = self._range(one.text, self._step, one.text)
                if answer is not None and not one.matchers:
                    self._whole.add(one.name)
                return told(answer, self._notes, owner=owner)
        self._allowance.gap(f"{one.text} matches {count} series, more than there is room for: left out")
        return []

    # -- what is selected --------------------------------------------------------------------------------------------

    def _selectors(self) -> list[Selector]:
        """What the alerts' labels select, and the target as it is scraped."""
        wanted = [selecting(alert, self._target) for alert in self._alerts] + self._around.scraped_as(self._target)
        found: dict[Selector, None] = {}
        for labels in {tuple(sorted(one.items())): one for one in wanted if one}.values():
            found.update(dict.fromkeys(self._existing(labels)))
        if not found:
            self._allowance.gap(f"no series could be told to be of {self._target.name}")
        return _apart(list(found))

    def _selected_once(self) -> list[_Selected]:
        """With how many series each metric has; two selectors that find as many of all are taken to find the same."""
        found: dict[tuple[tuple[str, int], ...], _Selected] = {}
        for selector in self._selectors():
            counts = self._counts(selector)
            if counts is not None:
                known = {name: max(1, counts.most.get(name, 1)) for name in self._names(selector)}
                one = _Selected(selector, known, self._start if counts.first is None else counts.first)
                found.setdefault(tuple(sorted(one.counts.items())), one)
        return list(found.values())

    def _existing(self, labels: Mapping[str, str]) -> list[Selector]:
        """All labels together, where series have them all; else the first of them that any series has."""
        whole = Selector().with_labels(labels)
        singles = [Selector().with_labels({name: labels[name]}) for name in self._labels if name in labels]
        for selector in dict.fromkeys((whole, *singles)):
            if selector.matchers and self._names(selector):
                return [selector]
        return []

    def _names(self, selector: Selector) -> tuple[str, ...]:
        """The metrics that a selector finds in the window; alerts are not evidence of what they say."""
        if selector in self._known:
            return self._known[selector]
        asked = {"match[]": selector.text, "start": self._start, "end": self._end}
        answer = self._api.get("/api/v1/label/__name__/values", asked, f"metrics of {selector.text}")
        names = [name for name in answer if isinstance(name, str)] if isinstance(answer, list) else []
        names = [name for name in names if not name.startswith("ALERTS")]
        if len(names) > MOST_NAMES:
            self._allowance.gap(f"{selector.text} has {len(names)} metrics: {MOST_NAMES} of them are looked at")
        return self._known.setdefault(selector, tuple(sorted(names)[:MOST_NAMES]))

    def _golden(self, selected: _Selected, pool: ThreadPoolExecutor) -> list[golden.Asked]:
        selector, names, types = selected.selector, list(selected.counts), self._around.types
        asked = golden.metrics_asked(names, types, self._target)
        labels = dict(zip(asked, pool.map(lambda name: self._labels_of(selector.named(name)), asked), strict=True))
        by = [name for name in self._labels if name != "instance"]
        rate = f"{math.ceil(self._rate)}s"
        return list(golden.queries(golden.Known(names, types, labels), selector, self._target, by, rate))

    def _labels_of(self, selector: Selector) -> tuple[str, ...]:
        asked = {"match[]": selector.text, "start": self._start, "end": self._end}
        answer = self._api.get("/api/v1/labels", asked, f"labels of {selector.text}")
        return tuple(name for name in answer if isinstance(name, str)) if isinstance(answer, list) else ()

    def _asked(self, asked: golden.Asked) -> list[Told]:
        return self._expression(asked.text, asked.name, self._target.name, quiet=True)

    def _raw(self, selected: _Selected) -> list[Selector]:
        """Queries for single series, as many as there is room for, most telling metrics first."""
        selector, counts = selected.selector, selected.counts
        shown = [name for name in counts if golden.shown_raw(name) and name not in self._whole]
        taken, left_out = [], []
        for name in sorted(shown, key=golden.first_needed):
            count = counts[name]
            if count > MOST_OF_ONE or count > self._room:
                left_out.append(f"{name} ({count})")
            else:
                self._reserved(count)
                taken.append(name)
        if left_out:
            told_of = ", ".join(left_out[:5]) + (f" and {len(left_out) - 5} more" if len(left_out) > 5 else "")  # noqa: PLR2004
            self._allowance.gap(f"{selector.text}: no room for the single series of {told_of}")
        batches = [taken[at : at + NAMES_A_QUERY] for at in range(0, len(taken), NAMES_A_QUERY)]
        return [selector.matching("__name__", "=~", golden.one_of(batch)) for batch in batches]

    def _batch(self, selector: Selector) -> list[Told]:
        return told(self._range(selector.text, self._step, "single series"), self._notes, owner=self._target.name)

    def _count(self, selector: Selector) -> int | None:
        """How many series a selector has at most at some moments of the window; None when that is not known."""
        counts = self._counts(selector)
        return None if counts is None else sum(counts.most.values())

    def _counts(self, selector: Selector) -> Counted | None:
        step = max((self._end - self._start) / COUNTED, FINEST_STEP)
        text = f"count by (__name__) ({selector.text})"
        answer = self._range(text, step, f"how many series {selector.text} has")
        return None if answer is None else counted(answer)

    def _range(self, text: str, step: float, why: str) -> Any:
        asked = {"query": text, "start": f"{self._start:.3f}", "end": f"{self._end:.3f}", "step": f"{step:.3f}"}
        # The server's own limit is no promise, but where it holds it saves the server the work.
        return self._api.get("/api/v1/query_range", {**asked, "timeout": "2s"}, why)


def _flat(pool: ThreadPoolExecutor, work: Callable[[Any], list[Told]], things: Sequence[Any]) -> list[Told]:
    """What the work brings of each thing, several at a time."""
    return [one for some in pool.map(work, things) for one in some]


def _unnamed(labels: Mapping[str, str]) -> dict[str, str]:
    """An expression's course goes by the expression's own name, also where a metric's name has stayed on it."""
    return {key: value for key, value in labels.items() if key != "__name__"}


def _apart(selectors: list[Selector]) -> list[Selector]:
    """Without those that another one holds already."""
    sets = [set(one.matchers) for one in selectors]
    return [one for one, own in zip(selectors, sets, strict=True) if not any(other < own for other in sets)]


def _asked_of(alerts: Sequence[Alert]) -> list[Fact]:
    """What each alert says it measured."""
    found = {alert.name: promql.expression_of(alert.generator_url) for alert in alerts}
    return [
        Fact(SOURCE, "expression", fence(f"{name} fires on {text}", 400), {"expression": fence(text, 1_000)})
        for name, text in found.items()
        if text is not None
    ]
