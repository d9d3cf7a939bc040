"""What names of metrics mean, whatever team named them."""

from __future__ import annotations

import pytest

from agent.diagnosis.engine.words import harm_of, is_inbound, kind_of, related, speaks_of, tokens


@pytest.mark.parametrize(
    ("metric", "kind", "harm"),
    [
        ("http_request_duration_seconds_p99", "latency", 1),
        ("image.request.ms.mean", "latency", 1),
        ("TargetResponseTime.p50", "latency", 1),
        ("nodejs_eventloop_lag_p99_seconds", "latency", 1),
        ("HTTPCode_Target_5XX_Count", "error", 1),
        ('http_responses_total{code="5xx"}', "error", 1),
        ("abs_error_minutes", "quality", 1),
        ("model_accuracy", "quality", -1),
        ("cache.hit_ratio", "availability", -1),
        ("up", "availability", -1),
        ("data_age_seconds", "age", 1),
        ("consumergroup_lag", "age", 1),
        ("container_memory_working_set_bytes", "memory", 1),
        ("node_filesystem_free_bytes", "saturation", -1),
        ("BurstBalance.credits", "saturation", -1),
        ("requests_total", "traffic", 0),
        ("feature_mean", "other", 0),
    ],
)
def test_a_name_tells_what_is_measured(metric, kind, harm):
    """Prometheus', statsd's and cloud providers' habits alike."""
    assert kind_of(metric) == kind
    assert harm_of(metric) == harm


def test_what_comes_in_is_told_from_what_is_sent_on():
    """The name of the component itself says nothing of the direction."""
    assert is_inbound("origin.request.count", "origin")
    assert not is_inbound("origin_requests", "cache")
    assert not is_inbound("response_bytes_total", "cache")


def test_identifiers_are_split_and_common_words_left_out():
    """Snake and camel case; several names of one thing meet in the first."""
    assert tokens("def parseHeaderValue(max_pool_size): return error") == {"parse", "header", "max", "pool", "size"}
    assert related(["openssl"]) & related(["handshake"])


@pytest.mark.parametrize(
    ("cause", "line"),
    [
        ("dependency", "upstream timed out: connection refused"),
        ("capacity", "write failed: No space left on device"),
        ("infrastructure", "x509: certificate has expired"),
        ("data", "row 17: missing column volume"),
    ],
)
def test_log_lines_speak_of_causes(cause, line):
    """In any case of letters."""
    assert speaks_of(cause).search(line)
    assert not speaks_of(cause).search("handled request in 12 ms")
