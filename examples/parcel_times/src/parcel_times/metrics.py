"""Prometheus metrics. Gauges are computed when they are scraped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector

from . import __version__
from .accuracy import Accuracy
from .estimates import Estimator
from .shelf import NoFeatures, Shelf

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """One registry per application, so that tests do not share counters."""

    def __init__(self, shelf: Shelf, estimator: Estimator, accuracy: Accuracy, commit: str) -> None:
        registry = self.registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self.requests = Counter("http_requests_total", "Requests.", labels, registry=registry)
        self.seconds = Histogram(
            "http_request_duration_seconds", "Seconds a request took.", ("route",), buckets=BUCKETS, registry=registry
        )
        self._shelf, self._estimator, self._accuracy, self._commit = shelf, estimator, accuracy, commit
        registry.register(self)
        ProcessCollector(registry=registry)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)

    def describe(self) -> list[Metric]:
        """Nothing is known before a scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Accuracy, age of the data, cache and release."""
        score = self._accuracy.score()
        yield CounterMetricFamily("scans_reported", "Deliveries reported by depots.", self._accuracy.total)
        if score.mae is not None:
            yield GaugeMetricFamily("prediction_mae_minutes", "Rolling mean absolute error.", score.mae)
        if score.ratio is not None:
            yield GaugeMetricFamily("prediction_mae_ratio", "Model error over the error of one median for all.", score.ratio)
        try:
            features = self._shelf.features()
        except NoFeatures:
            pass  # no data has no age; the routes answer 503
        else:
            age = (datetime.now(UTC) - features.newest_scan).total_seconds()
            yield GaugeMetricFamily("data_age_seconds", "Since the newest scan behind the features.", age)
            yield GaugeMetricFamily("feature_groups", "Groups in the features.", len(features.groups))
            yield GaugeMetricFamily("feature_scans", "Scans behind the features.", features.scans)
        yield CounterMetricFamily("estimate_cache_hits", "Estimates found in the cache.", self._estimator.cache.hits)
        yield CounterMetricFamily("estimate_cache_misses", "Estimates made anew.", self._estimator.cache.misses)
        yield InfoMetricFamily("build", "The running release.", {"commit": self._commit, "version": __version__})
