"""The demo's own measurements of the target, independent of the agent: its traffic's answers, its ``/metrics``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from .traffic import DROPPED, Second, read

TRAILING: Final = 5.0  # seconds of traffic behind one measured point
_MIB: Final = 2**20
_GAUGES: Final[Mapping[str, str]] = {
    "mae_ratio": "prediction_mae_ratio",
    "data_age": "data_age_seconds",
    "rss": "process_resident_memory_bytes",
}
_SLOPE: Final = 15.0  # seconds of memory use behind one measured growth


@dataclass(frozen=True)
class Reading:
    """All signals at one moment (epoch seconds); one that could not be measured is absent."""

    at: float
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """What the traffic got within a window: counts, ratios of errors and of refusals 0..1, 95th percentile in seconds."""

    requests: int
    error_ratio: float
    latency_p95: float
    refused_ratio: float = 0.0


class Meter:
    """Measures the target at ``url``; ``traffic`` is the file that the traffic process writes."""

    def __init__(self, url: str, traffic: Path) -> None:
        self._url = url
        self._traffic = traffic
        self._client = httpx2.Client(base_url=url, timeout=2.0)
        self.readings: list[Reading] = []

    def sample(self) -> Reading:
        """Measure now and remember it."""
        now = time.time()
        signals = self._scraped()
        answers = self.answers(now - TRAILING - 1, now)
        if answers.requests:
            signals["error_ratio"] = answers.error_ratio
            signals["latency_p95"] = answers.latency_p95
        if (growth := self._growth(now, signals.get("rss"))) is not None:
            signals["memory_growth"] = growth
        reading = Reading(now, signals)
        self.readings = [*self.readings[-599:], reading]
        return reading

    def course(self, signal: str) -> list[float | None]:
        """One signal over time, oldest first; None where it could not be measured."""
        return [reading.signals.get(signal) for reading in self.readings]

    def index(self, at: float) -> int:
        """Which reading was the first at or after a moment (epoch seconds)."""
        return next((number for number, each in enumerate(self.readings) if each.at >= at), len(self.readings))

    def between(self, signal: str, start: float, end: float) -> list[float]:
        """A signal's values in a window (epoch seconds)."""
        inside = (reading for reading in self.readings if start <= reading.at <= end)
        return [reading.signals[signal] for reading in inside if signal in reading.signals]

    def answers(self, start: float, end: float) -> Answers:
        """What the traffic got in the whole seconds from ``start`` to ``end`` (epoch seconds)."""
        return summary([second for second in read(self._traffic, start) if second.at + 1 <= end])

    def running(self) -> str | None:
        """The commit that the target itself says it runs."""
        try:
            return _commit(self._client.get("/status").json())
        except (httpx2.HTTPError, ValueError):
            return None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _growth(self, now: float, rss: float | None) -> float | None:
        """MiB a second that the service's memory grew over the trailing seconds."""
        past = [each for each in self.readings if "rss" in each.signals and each.at >= now - _SLOPE]
        if rss is None or not past or now - past[0].at < _SLOPE / 3:
            return None
        return (rss - past[0].signals["rss"]) / (now - past[0].at)

    def _scraped(self) -> dict[str, float]:
        try:
            text = self._client.get("/metrics").text
        except httpx2.HTTPError:
            return {}
        return signals_of(text)


def signals_of(text: str) -> dict[str, float]:
    """The signals that a metrics page states directly; the worst value where there are several."""
    values: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            values[sample.name] = max(sample.value, values.get(sample.name, float("-inf")))
    signals = {}
    for signal, name in _GAUGES.items():
        if name in values:
            signals[signal] = values[name] / _MIB if signal == "rss" else values[name]
    return signals


def summary(seconds: list[Second]) -> Answers:
    """Counts, error ratio and 95th percentile of these seconds."""
    requests = sum(sum(second.status.values()) for second in seconds)
    failed = sum(
        count
        for second in seconds
        for status, count in second.status.items()
        if status == DROPPED or status.startswith("5")
    )
    refused = sum(count for second in seconds for status, count in second.status.items() if status.startswith("4"))
    durations = sorted(duration for second in seconds for duration in second.durations)
    p95 = durations[int(0.95 * (len(durations) - 1))] if durations else 0.0
    return Answers(requests, failed / (requests or 1), p95, refused / (requests or 1))


def _commit(status: Any) -> str | None:
    """The commit in a status document, at its top or in one of its parts."""
    if not isinstance(status, dict):
        return None
    if isinstance(status.get("commit"), str):
        return str(status["commit"])
    return next((found for part in status.values() if (found := _commit(part)) is not None), None)
