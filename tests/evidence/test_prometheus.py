"""The real Prometheus (Debian's package) as a source of metrics: its past is written by the test, its present scraped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from source_contracts import END, SERIES, SHOP, STEP, WINDOW, MetricSourceContract, alert, points

from agent.evidence.allowance import Limits
from agent.evidence.prometheus import MOST_OF_ONE, Prometheus
from agent.kit.http import HttpClient
from agent.model.record import Window
from fakes.answering import OPEN_METRICS, Answering
from fakes.prometheus_server import PrometheusServer

PATIENT = Limits(seconds=60, seconds_a_query=30)
WHERE = {"job": "shop", "instance": "10.0.0.1:80", "service": "shop"}
ELSEWHERE = {"job": "cart", "instance": "10.0.0.2:80", "service": "cart"}
RATIO = (
    'sum by (service) (rate(http_requests_total{status=~"5.."}[1m])) / sum by (service) (rate(http_requests_total[1m]))'
)
PAGE = """# TYPE live_requests counter
live_requests_total{code="200"} 5 # {trace_id="abc"} 1.0
# TYPE live_gauge gauge
live_gauge NaN
# EOF
"""


def latencies(labels):
    """All requests take 0.05 s at first, and 0.5 s in the last five minutes."""
    for edge, early, late in (("0.1", 10, 0), ("1.0", 10, 10), ("+Inf", 10, 10)):
        rise = lambda s, early=early, late=late: early * min(s, 600) + late * max(0.0, s - 600)  # noqa: E731
        yield "http_request_duration_seconds_bucket", {**labels, "route": "/half", "le": edge}, points(rise)


def past():
    for name, labels, values in SERIES:
        yield name, {**WHERE, **labels}, values
    yield from latencies(WHERE)
    yield "http_requests_total", {**WHERE, "route": "/health", "status": "200"}, points(lambda s: 1_000 * s)
    yield "http_requests_total", {**ELSEWHERE, "route": "/cart", "status": "200"}, points(lambda s: 5 * s)
    yield "process_cpu_seconds_total", WHERE, points(lambda s: 0.25 * s)
    yield "odd_gauge", WHERE, points(lambda s: ("NaN", "+Inf", "-Inf", 3.0)[int(s / STEP) % 4])
    yield "never_gauge", WHERE, points(lambda _s: "NaN")
    yield "young_gauge", {"service": "young"}, points(lambda s: s, timedelta(seconds=100))
    for n in range(MOST_OF_ONE + 50):
        yield "wide_gauge", {**WHERE, "shard": str(n)}, points(lambda s: s)[::40]


@pytest.fixture(scope="module")
def exporter():
    with Answering(lambda _path: (200, PAGE), OPEN_METRICS) as exporter:
        yield exporter


@pytest.fixture(scope="module")
def server(tmp_path_factory, exporter):
    """One for all tests of this file; they only read."""
    scraped = {exporter.place: {"service": "shop"}, "127.0.0.1:1": {"service": "cart"}}
    rules = [
        {"alert": "HighErrors", "expr": f"{RATIO} > 0.05", "labels": {"severity": "critical"}},
        {"alert": "ScrapeFails", "expr": "up == 0", "labels": {"severity": "warning"}},
    ]
    folder = tmp_path_factory.mktemp("prometheus")
    with PrometheusServer(folder, past=past(), scraped=scraped, rules=rules, interval="2500ms") as server:
        server.wait(lambda: server.value('ALERTS{alertname="ScrapeFails",alertstate="firing"}') == 1)
        server.wait(lambda: server.value("live_requests_total") == 5)
        yield server


@pytest.fixture(scope="module")
def http():
    client = HttpClient()
    yield client
    client.close()


@pytest.fixture(scope="module")
def looked(server, http, exporter):
    """What one look at the window shows, with an alert that links to its expression."""
    target = SHOP.model_copy(update={"url": exporter.url})
    return Prometheus(http, server.url, PATIENT).courses(target, WINDOW, (alert(f"{RATIO} > 0.05", service="shop"),))


def course(found, metric, component="shop"):
    """The one course of that name."""
    (one,) = (one for one in found.courses if (one.component, one.metric) == (component, metric))
    return one


def reasons(found):
    return "\n".join(gap.reason for gap in found.gaps)


class TestPrometheus(MetricSourceContract):
    """A real one."""

    @pytest.fixture
    def source(self, server, http):
        return Prometheus(http, server.url, PATIENT)

    @pytest.fixture
    def broken(self, http):
        return Prometheus(http, "http://127.0.0.1:1", PATIENT)


def test_the_alerts_own_measure_is_a_course(looked):
    """What it compares with its limit, below the limit too, for every component that it is computed for."""
    measured = course(looked, "alert:HighErrors")
    assert measured.values[0] == 0.0
    assert measured.values[-1] == pytest.approx(2 / 1012, rel=0.01)
    assert END.timestamp() - measured.at[measured.values > 0][0] == pytest.approx(300, abs=15)


def test_the_series_of_the_alerts_selectors_come_too(looked):
    """Also those of other components, which the expression reads and the alert's labels do not select."""
    assert course(looked, 'http_requests_total{route="/cart",status="200"}', "cart").values[-1] > 0
    assert course(looked, 'http_requests_total{route="/half",status="500"}').values[-1] > 0


def test_golden_signals_are_asked_by_the_names_that_are_there(looked):
    """Rate, errors and latency without the probes, and how full the process is."""
    assert course(looked, "http_requests:rate").values[-1] == pytest.approx(12, rel=0.1)
    errors = course(looked, "http_requests:error_ratio").values
    assert (errors[0], errors[-1]) == (0.0, pytest.approx(2 / 12, rel=0.05))
    latency = course(looked, "http_request_duration_seconds:p95").values
    assert latency[0] < 0.11
    assert latency[-1] > 0.5
    assert course(looked, "process_cpu:utilization").values[-1] == pytest.approx(0.25)


def test_buckets_are_not_read_one_by_one(looked):
    """A histogram's buckets say nothing each; its quantiles do."""
    assert not [one for one in looked.courses if "_bucket" in one.metric]


def test_values_that_are_no_numbers_are_left_out_and_named(looked):
    """What is left of such a series is used."""
    assert set(course(looked, "odd_gauge").values) == {3.0}
    assert not [one for one in looked.courses if one.metric == "never_gauge"]
    assert "no finite numbers" in reasons(looked)


def test_a_metric_of_too_many_series_is_left_out_and_named(looked):
    """How many there are is asked before they are."""
    assert not [one for one in looked.courses if one.metric.startswith("wide_gauge")]
    assert f"wide_gauge ({MOST_OF_ONE + 50})" in reasons(looked)


def test_a_selector_of_too_many_series_is_narrowed_or_left_out(server, http):
    """The alert's labels narrow it; where that does not help it is a gap."""
    found = Prometheus(http, server.url, PATIENT).courses(SHOP, WINDOW, (alert("wide_gauge > 1e9", service="shop"),))
    assert f"wide_gauge matches {MOST_OF_ONE + 50} series" not in reasons(found)
    assert f'wide_gauge{{service="shop"}} matches {MOST_OF_ONE + 50} series' in reasons(found)
    assert "alert:HighErrors has 150 series: 100 of them are used" in reasons(found)
    one = alert("wide_gauge > 1e9", service="shop", shard="7", instance="10.0.0.1:80")
    target = SHOP.model_copy(update={"component_labels": ("shard", "service")})
    narrowed = Prometheus(http, server.url, PATIENT).courses(target, WINDOW, (one,))
    assert {found.component for found in narrowed.courses if found.metric.startswith("wide_gauge")} == {"7"}


def test_rules_and_scrapes_are_facts(looked):
    """Which rules fire on what, and which targets Prometheus cannot reach."""
    told = {(fact.kind, fact.summary.partition(":")[0]) for fact in looked.facts}
    assert ("rule", "rule ScrapeFails is firing (1 alerts)") in told
    assert ("expression", f"HighErrors fires on {RATIO} > 0.05") in told
    (scrape,) = (fact for fact in looked.facts if fact.kind == "scrape")
    assert "service=cart fails" in scrape.summary
    assert "refused" in scrape.summary
    assert scrape.data["instance"] == "127.0.0.1:1"


def test_a_rule_stands_in_for_a_missing_link(server, http):
    """An alert without `generatorURL` is looked up by its name; one that no rule knows is a gap."""
    source = Prometheus(http, server.url, PATIENT)
    found = source.courses(SHOP, WINDOW, (alert(service="shop"),))
    assert course(found, "alert:HighErrors").values[-1] > 0
    unknown = alert(service="shop").model_copy(update={"labels": {"alertname": "Other", "service": "shop"}})
    found = source.courses(SHOP, WINDOW, (unknown,))
    assert "Other: neither the alert nor a rule says what was measured" in reasons(found)
    assert course(found, "http_requests:rate").values[-1] > 0


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("sum(rate(http_requests_total[", "cannot be read"),
        ('{__name__=~".+"} > 1', "selects whatever there is"),
        ("max_over_time(rate(http_requests_total[1m])[1h:1ms]) > 1", "has a subquery finer than 1 s"),
        ("max_over_time(rate(http_requests_total[1h])[30d:1m]) > 1", "would read"),
        ("(" * 500 + "http_requests_total" + ")" * 500, "nests too deep"),
        ("data_age_seconds + http_requests_total * on() vector(1) > 1", "answered 422"),
    ],
)
def test_what_is_refused_is_a_gap_and_the_rest_comes(server, http, expression, reason):
    """By the guard, or by Prometheus itself."""
    found = Prometheus(http, server.url, PATIENT).courses(SHOP, WINDOW, (alert(expression, service="shop"),))
    assert reason in reasons(found)
    assert course(found, "http_requests:rate").values[-1] > 0


def test_labels_that_only_the_rule_gave_do_not_hide_the_target(server, http):
    """An alert may carry labels that no series has; the first of the others that series have selects them."""
    found = Prometheus(http, server.url, PATIENT).courses(SHOP, WINDOW, (alert(component="frontend", job="shop"),))
    assert course(found, "http_requests:rate").values[-1] > 0


def test_the_same_series_by_two_ways_are_asked_once(looked):
    """The alert selects the service, the scrape the job: both find the same, which is not told as too much."""
    assert reasons(looked).count("wide_gauge") == 1


def test_what_was_read_for_the_alert_takes_no_room_again(server, http):
    """Three series of the metric and the rest of the target's, and no room for one more."""
    found = Prometheus(http, server.url, PATIENT).courses(
        SHOP, WINDOW, (alert("http_requests_total > 1e9", service="shop"),)
    )
    exactly = Limits(
        seconds=60, seconds_a_query=30, series=len(found.courses) + 1
    )  # `never_gauge` has a series and no values
    again = Prometheus(http, server.url, exactly).courses(
        SHOP, WINDOW, (alert("http_requests_total > 1e9", service="shop"),)
    )
    assert {course.metric for course in again.courses} == {course.metric for course in found.courses}


def test_a_young_target_is_looked_at_from_its_beginning(server, http):
    """Where the whole window would need a step coarser than the scrapes."""
    few = Limits(seconds=60, seconds_a_query=30, points=100)
    elsewhere = SHOP.model_copy(update={"url": "http://127.0.0.1:9"})
    found = Prometheus(http, server.url, few).courses(elsewhere, WINDOW, (alert("young_gauge > 1", service="young"),))
    young = course(found, "young_gauge", "young")
    assert young.at[1] - young.at[0] == 3.0
    assert young.values[-1] - young.values[0] > 90
    old = Prometheus(http, server.url, few).courses(SHOP, WINDOW, (alert("data_age_seconds > 1", service="shop"),))
    assert set(np.diff(course(old, "data_age_seconds").at)) == {6.0}


def test_exemplars_do_not_disturb(server, http, exporter):
    """A page in the OpenMetrics format is scraped as it is; a gauge that is NaN is none."""
    now = datetime.now(UTC)
    window = Window(start=now - timedelta(seconds=60), end=now)
    target = SHOP.model_copy(update={"url": exporter.url})
    found = Prometheus(http, server.url, PATIENT).courses(target, window, ())
    assert set(course(found, 'live_requests_total{code="200"}').values) == {5.0}
    assert set(course(found, "up").values) == {1.0}
    assert not [one for one in found.courses if one.metric == "live_gauge"]
