"""Prometheus metrics. Gauges are computed when they are scraped."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector

from . import __version__
from .predictor import Predictor

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One registry per application, so that tests do not share counters."""

    def __init__(self, predictor: Predictor) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "http_requests_total", "Requests by route, method and status.", ("route", "method", "status"), registry=self.registry
        )
        self.errors = Counter("http_errors_total", "Requests that failed (5xx).", ("route",), registry=self.registry)
        self.latency = Histogram(
            "http_request_duration_seconds", "Seconds a request took.", ("route",), buckets=BUCKETS, registry=self.registry
        )
        self._measure_background(predictor)
        self.registry.register(_Pipeline(predictor))
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def _measure_background(self, predictor: Predictor) -> None:
        self.job_success = Gauge(
            "scheduler_job_last_success_seconds", "When a job last succeeded (epoch).", ("job",), registry=self.registry
        )
        self.job_failures = Counter("scheduler_job_failures_total", "Runs of a job that failed.", ("job",), registry=self.registry)
        if predictor.exchange is None:
            return
        self.upstream_requests = Counter(
            "upstream_requests_total", "Requests to the exchange by outcome.", ("outcome",), registry=self.registry
        )
        self.upstream_latency = Histogram(
            "upstream_request_duration_seconds", "Seconds the exchange took.", buckets=BUCKETS, registry=self.registry
        )
        predictor.exchange.vendor.observe = self.asked_upstream

    def asked_upstream(self, outcome: str, seconds: float) -> None:
        """Count one request to the exchange."""
        self.upstream_requests.labels(outcome).inc()
        self.upstream_latency.observe(seconds)

    def job_succeeded(self, job: str) -> None:
        """Remember when a job last did its work."""
        self.job_success.labels(job).set_to_current_time()
        self.job_failures.labels(job)  # a counter that starts at 0 shows its first failure

    def job_failed(self, job: str) -> None:
        """Count one failure of a job."""
        self.job_failures.labels(job).inc()

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)


class _Pipeline:
    """Prediction quality, data age, drift, model and build."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        predictor = self._predictor
        now = predictor.clock.now()
        predictor.settle()
        score = predictor.scorer.score()
        yield CounterMetricFamily("prediction_scored", "Predictions scored so far.", predictor.scorer.total)
        yield CounterMetricFamily("prediction_invalid", "Predictions served that are no finite number.", predictor.scorer.invalid)
        yield GaugeMetricFamily("prediction_scored_window", "Scored predictions in the rolling window.", score.n)
        yield from _gauge("prediction_mae", "Rolling mean absolute error relative to the price.", score.mae)
        yield from _gauge("prediction_mae_naive", "The same of the naive last-value forecast.", score.mae_naive)
        yield from _gauge("prediction_mae_ratio", "Model MAE over naive MAE; above 1 the model is worse.", score.ratio)
        yield from _gauge("prediction_directional_accuracy", "Share of right directions.", score.directional_accuracy)
        yield GaugeMetricFamily("prediction_directional_n", "Predictions behind the accuracy.", score.directional_n)
        age = predictor.data_age()
        yield from _gauge("data_age_seconds", "Market seconds since the newest bar used.", None if age is None else age.total_seconds())
        yield from _gauge("feature_drift_psi", "Mean population stability index of the features.", predictor.drift.psi())
        yield GaugeMetricFamily("model_age_seconds", "Market seconds since training.", predictor.model.age_seconds(now))
        yield InfoMetricFamily("model", "The serving model.", {"version": predictor.model.version})
        build = {"commit": predictor.settings.commit, "version": __version__, "python": platform.python_version()}
        yield InfoMetricFamily("build", "The running release.", build)


def _gauge(name: str, text: str, value: float | None) -> Iterator[Metric]:
    if value is not None:
        yield GaugeMetricFamily(name, text, value)
