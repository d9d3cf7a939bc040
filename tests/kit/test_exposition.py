"""The Prometheus text format, from well-behaved and from hostile targets."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from agent.kit.exposition import MOST_SAMPLES, Sample, parse


def test_what_the_client_library_writes_is_read():
    """Counters, gauges and histograms with awkward label values come back as they were."""
    registry = CollectorRegistry()
    awkward = 'a "quoted", {braced} \\ value\nsecond = line'
    Gauge("data_age_seconds", "Age", registry=registry).set(math.nan)
    Counter("requests", "Count", ["route"], registry=registry).labels(awkward).inc(3)
    Histogram("seconds", "Time", buckets=(0.1, math.inf), registry=registry).observe(0.05)
    samples = parse(generate_latest(registry).decode())
    assert Sample("requests_total", {"route": awkward}, 3.0) in samples
    assert Sample("seconds_bucket", {"le": "0.1"}, 1.0) in samples
    assert math.isnan(next(sample.value for sample in samples if sample.name == "data_age_seconds"))


def test_a_bad_line_costs_only_itself():
    """Good lines around bad ones are read."""
    text = 'a 1\nb{x="1" 2\n{} 3\nc{x=1} 4\nd one\ne\n=\nf{x="1",} 5 1700000000\ng 6 7 8\nh{} +Inf\n  i 9  \n'
    assert parse(text) == [
        Sample("a", {}, 1.0),
        Sample("f", {"x": "1"}, 5.0),
        Sample("h", {}, math.inf),
        Sample("i", {}, 9.0),
    ]


def test_the_number_of_samples_is_bounded():
    """A target that says too much is cut."""
    assert len(parse("x 1\n" * (MOST_SAMPLES + 10))) == MOST_SAMPLES


@settings(deadline=None)
@given(st.text(alphabet='ab_{}=,"\\ 1.\n#', max_size=200))
def test_any_text_can_be_read(text):
    """Whatever comes, samples come out."""
    assert all(isinstance(sample, Sample) for sample in parse(text))


def test_hostile_lines_are_worked_through():
    """Lines that almost match are given up: a pattern that backtracks without bound would take hours here."""
    pieces = ("a", "a=", 'a="', "{", "a{", '\\"', " ", "a 1 ")
    text = "\n".join(piece * (16_000 // len(piece)) for piece in pieces) * 50
    assert parse(f"{text}\nlast 1") == [Sample("last", {}, 1.0)]
