"""The built-in monitor's scrapes as a source of metrics, for a target that no Prometheus watches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from ..model.alert import Alert
from ..model.evidence import Gap
from ..model.record import Window
from ..model.signals import BUILT_IN, Labels, Scrape, course
from ..model.sources import Metrics
from ..model.target import Target
from .courses import Told, cleaned, courses
from .naming import component_labels

SOURCE: Final = "monitor"
MOST_SCRAPES: Final = 600


class ScrapedMetrics:
    """Implements `MetricSource` over what ``scrapes`` gives for a target's name, oldest first."""

    name = SOURCE

    def __init__(self, scrapes: Callable[[str], Sequence[Scrape]]) -> None:
        self._scrapes = scrapes

    def courses(self, target: Target, window: Window, alerts: Sequence[Alert]) -> Metrics:  # noqa: ARG002 - it knows the target only
        """The signals of the built-in rules over time, and every series that they are made of."""
        start, end = window.start.timestamp(), window.end.timestamp()
        inside = [scrape for scrape in self._scrapes(target.name) if start <= scrape.at <= end][-MOST_SCRAPES:]
        if not inside:
            return Metrics(gaps=(Gap(source=SOURCE, reason=f"{target.name} was not scraped in this window"),))
        found = [*_signals(inside, target), *_series(inside, target)]
        return Metrics(courses((one for one in found if len(one.at)), component_labels(target)))


def _signals(scrapes: Sequence[Scrape], target: Target) -> Iterator[Told]:
    ignored = target.health_path, target.status_path, target.metrics_path
    for signal in dict.fromkeys(rule.signal for rule in BUILT_IN if rule.signal != "memory_growth"):
        points = course(scrapes, target.metrics, ignored, signal)
        if points:
            yield _told(signal, {}, points, target.name)


def _series(scrapes: Sequence[Scrape], target: Target) -> Iterator[Told]:
    found: dict[tuple[str, Labels], list[tuple[float, float]]] = defaultdict(list)
    for scrape in scrapes:
        for key, value in scrape.values.items():
            if not key[0].endswith(("_bucket", "_info")):
                found[key].append((scrape.at, value))
    for (name, labels), points in found.items():
        yield _told(name, dict(labels), points, target.name)


def _told(name: str, labels: Mapping[str, str], points: Sequence[tuple[float, float]], owner: str) -> Told:
    import numpy as np

    table = np.array(points, dtype=float)
    return Told(labels, *cleaned(table[:, 0], table[:, 1]), name, owner)
