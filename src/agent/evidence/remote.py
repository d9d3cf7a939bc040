"""Which servers are asked beside the target itself, by the settings."""

from __future__ import annotations

from ..kit.http import HttpClient
from ..ports import LogSource, MetricSource
from .loki import Loki
from .prometheus import Prometheus


def remote_sources(
    http: HttpClient, prometheus: str | None, loki: str | None
) -> tuple[tuple[MetricSource, ...], tuple[LogSource, ...]]:
    """Metric and log sources for those that have an address."""
    metrics = () if prometheus is None else (Prometheus(http, prometheus),)
    return metrics, () if loki is None else (Loki(http, loki),)
