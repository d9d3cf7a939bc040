"""The agent's built-in rules said in PromQL, for a target watched by a real Prometheus.

Same signals, limits and windows as the built-in monitor: rates over 10 s, at least 20 requests, probes left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_PROBES: Final = 'route!~"/health|/status|/metrics"'
_REQUESTS: Final = f"sum(increase(http_requests_total{{{_PROBES}}}[10s]))"
_FAILED: Final = f'sum(increase(http_requests_total{{{_PROBES},status=~"5.."}}[10s]))'
_BUCKETS: Final = f"sum by (le) (rate(http_request_duration_seconds_bucket{{{_PROBES}}}[10s]))"
_MEMORY: Final = "process_resident_memory_bytes"


@dataclass(frozen=True)
class Rule:
    """One alerting rule: fires when ``expression`` has a value for ``seconds``."""

    alert: str
    signal: str
    expression: str
    summary: str
    seconds: float = 0.0


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "TargetDown", "down", "max_over_time(up[3s]) == 0", "the target did not answer for longer than a restart takes"
    ),
    Rule(
        "HighErrorRatio",
        "error_ratio",
        f"{_FAILED} / {_REQUESTS} > 0.05 and {_REQUESTS} >= 20",
        "share of failed requests",
    ),
    Rule(
        "HighLatencyP95",
        "latency_p95",
        f"histogram_quantile(0.95, {_BUCKETS}) > 0.25 and {_REQUESTS} >= 20",
        "95th percentile of latency, s",
    ),
    Rule("ModelWorseThanNaive", "mae_ratio", "max(prediction_mae_ratio) > 1", "model error over naive error", 3.0),
    Rule("StaleData", "data_age", "max(data_age_seconds) > 21600", "age of the newest data used, s"),
    Rule(
        "MemoryGrowth",
        "memory_growth",
        f"max(deriv({_MEMORY}[8s])) / 2^20 > 1.5 and max({_MEMORY} - min_over_time({_MEMORY}[1m])) / 2^20 > 20",
        "growth of resident memory, MiB/s",
    ),
)
