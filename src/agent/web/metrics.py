"""The agent's own metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, Info, generate_latest
from prometheus_client.process_collector import ProcessCollector

from .. import __version__
from ..model.views import Figures

_process = CollectorRegistry()
ProcessCollector(registry=_process)


def exposition(figures: Figures) -> bytes:
    """Prometheus text format."""
    registry = CollectorRegistry()
    incidents = Gauge(
        "mpa_incidents", "Incidents by outcome; active ones as `active`.", ("outcome",), registry=registry
    )
    for outcome, count in figures.incidents.items():
        incidents.labels(outcome).set(count)
    Gauge("mpa_queue", "Phases that are due now.", registry=registry).set(figures.queue)
    Info("mpa_build", "The running agent.", registry=registry).info({"version": __version__})
    return generate_latest(registry) + generate_latest(_process)
