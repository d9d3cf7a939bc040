"""Signals from scraped samples, and the built-in alert rules over them. Pure.

Rates come from counter increases between scrapes of one process (a restart starts anew, as Prometheus' ``increase`` does);
quantiles from histogram buckets by linear interpolation (Prometheus documentation, ``histogram_quantile``); growth is
the Theil-Sen slope (Sen 1968), which single spikes do not move.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from statistics import median
from typing import NamedTuple, Protocol

from .record import Record

MEBI = 1 << 20
Labels = tuple[tuple[str, str], ...]


class SampleLike(Protocol):
    """One sample of a scrape."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def labels(self) -> dict[str, str]: ...  # noqa: D102
    @property
    def value(self) -> float: ...  # noqa: D102


class MetricNames(Record):
    """Which metric carries which signal; defaults follow the Prometheus conventions."""

    requests: str = "http_requests_total"
    status_labels: tuple[str, ...] = ("status", "code", "status_code", "http_status")
    route_labels: tuple[str, ...] = ("route", "handler", "path", "endpoint")
    latency: str = "http_request_duration_seconds"
    mae_ratio: str = "prediction_mae_ratio"
    data_age: str = "data_age_seconds"
    memory: str = "process_resident_memory_bytes"
    started: str = "process_start_time_seconds"
    build: str = "build_info"

    @property
    def gauges(self) -> dict[str, str]:
        """Signals that one metric carries as it is; a name that ends in ``_total`` is a counter."""
        return {"mae_ratio": self.mae_ratio, "data_age": self.data_age}


class Scrape(NamedTuple):
    """What one scrape kept: time (seconds since the epoch), whether it worked, and the series that signals need."""

    at: float
    up: bool
    values: Mapping[tuple[str, Labels], float]

    def gauge(self, name: str) -> float | None:
        """The largest finite value of a gauge over its label sets."""
        found = [value for (metric, _), value in self.values.items() if metric == name and math.isfinite(value)]
        return max(found, default=None)


def keep(at: float, samples: Iterable[SampleLike], names: MetricNames) -> Scrape:
    """Reduce a scrape to the series that signals need."""
    wanted = {
        names.requests, f"{names.latency}_bucket", names.mae_ratio, names.data_age, names.memory, names.started, names.build,
    }  # fmt: skip
    values = {(s.name, tuple(sorted(s.labels.items()))): s.value for s in samples if s.name in wanted}
    return Scrape(at, True, values)  # noqa: FBT003 - a field, not a switch


def absent(scrape: Scrape, names: MetricNames) -> dict[str, str]:
    """Every signal that metrics carry, with what keeps this scrape from telling it; empty text where nothing does."""
    present = {name for name, _ in scrape.values}
    labelled = any(
        set(dict(labels)) & set(names.status_labels) for name, labels in scrape.values if name == names.requests
    )
    needed = {
        "error_ratio": names.requests,
        "latency_p95": f"{names.latency}_bucket",
        "mae_ratio": names.mae_ratio,
        "data_age": names.data_age,
        "memory_growth": names.memory,
    }
    found = {signal: "" if metric in present else f"no {metric}" for signal, metric in needed.items()}
    if not found["error_ratio"] and not labelled:
        found["error_ratio"] = f"{names.requests} has no label {' or '.join(names.status_labels)}"
    return found


class Rule(Record):
    """An alert rule: ``signal`` above ``limit`` for ``for_seconds``, judged on at least ``least`` requests."""

    signal: str
    alertname: str
    limit: float
    for_seconds: float = 0.0
    least: int = 0
    severity: str = "critical"
    summary: str


BUILT_IN = (
    Rule(signal="down", alertname="TargetDown", limit=0.5, for_seconds=3.0, summary="the target does not answer"),
    Rule(signal="error_ratio", alertname="HighErrorRatio", limit=0.05, least=20, summary="share of failed requests"),
    Rule(signal="latency_p95", alertname="HighLatencyP95", limit=0.25, least=20, summary="95th percentile of latency, s"),
    Rule(
        signal="mae_ratio", alertname="ModelWorseThanNaive", limit=1.0, for_seconds=3.0,
        summary="model error over naive error",
    ),
    Rule(signal="data_age", alertname="StaleData", limit=21_600.0, summary="age of the newest data used, s"),
    Rule(signal="memory_growth", alertname="MemoryGrowth", limit=1.5, summary="growth of resident memory, MiB/s"),
)  # fmt: skip
WINDOW_SECONDS = 10.0
GROWTH_SECONDS = 8.0
GROWTH_LEAST = 20 * MEBI


class Reading(Record):
    """Signals over one window; a signal that cannot be measured is absent. ``requests`` counts them by route."""

    signals: dict[str, float]
    requests: dict[str, int]

    @property
    def total(self) -> int:
        """Requests in the window."""
        return sum(self.requests.values())


def read(
    scrapes: Sequence[Scrape],
    names: MetricNames,
    ignored: tuple[str, ...],
    window: float = WINDOW_SECONDS,
    growth: float = GROWTH_SECONDS,
) -> Reading:
    """Signals over the last ``window`` seconds of ``scrapes`` (oldest first); ``ignored`` routes are left out.

    Growth of memory is measured over ``growth`` seconds. Both must span a few scrapes.
    """
    if not scrapes:
        return Reading(signals={}, requests={})
    last = scrapes[-1]
    signals: dict[str, float] = {"down": float(len(scrapes) > 1 and not any(scrape.up for scrape in scrapes[-2:]))}
    if not last.up:
        return Reading(signals=signals, requests={})
    inside = [scrape for scrape in scrapes if scrape.up and scrape.at >= last.at - window - 0.25]
    requests, errors = _requests(inside, names, ignored)
    total = sum(requests.values())
    if total > 0:
        signals["error_ratio"] = errors / total
    quantile = _quantile(inside, names, ignored, 0.95)
    if quantile is not None:
        signals["latency_p95"] = quantile
    for signal, metric in (("mae_ratio", names.mae_ratio), ("data_age", names.data_age)):
        value = last.gauge(metric)
        if value is not None:
            signals[signal] = value
    grown = memory_growth(scrapes, names, growth)
    if grown is not None:
        signals["memory_growth"] = grown
    return Reading(signals=signals, requests={route: round(count) for route, count in requests.items()})


def course(
    scrapes: Sequence[Scrape], names: MetricNames, ignored: tuple[str, ...], signal: str
) -> tuple[tuple[float, float], ...]:
    """A signal over time as (seconds since the epoch, value), from one scrape to the next and not over a whole window.

    Growth of memory is told by the memory itself (bytes), for growth needs a window. Other values as in `Reading`.
    """
    if signal == "down":
        return tuple((scrape.at, float(not scrape.up)) for scrape in scrapes)
    if signal == "memory_growth":
        gauges = ((scrape.at, scrape.gauge(names.memory)) for scrape in scrapes if scrape.up)
        return tuple((at, value) for at, value in gauges if value is not None)
    pairs = ((after.at, read((before, after), names, ignored, math.inf)) for before, after in pairwise(scrapes))
    return tuple((at, reading.signals[signal]) for at, reading in pairs if signal in reading.signals)


def breached(rule: Rule, reading: Reading) -> bool:
    """Whether a reading breaks a rule now."""
    value = reading.signals.get(rule.signal)
    return value is not None and value > rule.limit and reading.total >= rule.least


def _increases(scrapes: Sequence[Scrape], metric: str) -> dict[Labels, float]:
    """Increase of every series of a counter over the scrapes; a value that falls is a restart from zero."""
    grown: dict[Labels, float] = {}
    for before, after in pairwise(scrapes):
        for (name, labels), value in after.values.items():
            if name == metric:
                old = before.values.get((name, labels), 0.0)
                grown[labels] = grown.get(labels, 0.0) + (value - old if value >= old else value)
    return grown


def _route(labels: Mapping[str, str], names: MetricNames) -> str:
    return next((labels[key] for key in names.route_labels if key in labels), "")


def _requests(
    scrapes: Sequence[Scrape], names: MetricNames, ignored: tuple[str, ...]
) -> tuple[dict[str, float], float]:
    counts: dict[str, float] = {}
    errors = 0.0
    for pairs, grown in _increases(scrapes, names.requests).items():
        labels = dict(pairs)
        route = _route(labels, names)
        if route in ignored:
            continue
        counts[route] = counts.get(route, 0.0) + grown
        status = next((labels[key] for key in names.status_labels if key in labels), "")
        errors += grown if status.startswith("5") else 0.0
    return counts, errors


def _quantile(scrapes: Sequence[Scrape], names: MetricNames, ignored: tuple[str, ...], share: float) -> float | None:
    buckets: dict[float, float] = {}
    for pairs, grown in _increases(scrapes, f"{names.latency}_bucket").items():
        labels = dict(pairs)
        if _route(labels, names) not in ignored and "le" in labels:
            edge = float(labels["le"])
            buckets[edge] = buckets.get(edge, 0.0) + grown
    edges = sorted(buckets)
    if not edges or buckets[edges[-1]] <= 0:
        return None
    rank, low, below = share * buckets[edges[-1]], 0.0, 0.0
    for edge in edges:
        if buckets[edge] >= rank:
            if math.isinf(edge):
                return low
            within = buckets[edge] - below
            return low + (edge - low) * ((rank - below) / within if within > 0 else 1.0)
        low, below = edge, buckets[edge]
    return None


def memory_growth(scrapes: Sequence[Scrape], names: MetricNames, seconds: float = GROWTH_SECONDS) -> float | None:
    """MiB per second over the last seconds of one process; 0 until it is well above where the process began."""
    started = scrapes[-1].gauge(names.started)
    same = [
        (scrape.at, memory)
        for scrape in scrapes
        if scrape.up and scrape.gauge(names.started) == started and (memory := scrape.gauge(names.memory)) is not None
    ]
    if not same or same[-1][0] - same[0][0] < seconds:
        return None
    recent = [(at, memory) for at, memory in same if at >= same[-1][0] - seconds]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(recent, 2) if b[0] > a[0]]
    if not slopes or same[-1][1] - same[0][1] < GROWTH_LEAST:
        return 0.0
    return median(slopes) / MEBI
