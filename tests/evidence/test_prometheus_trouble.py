"""A Prometheus that is late, full, broken or lies: what came is used, what did not is a gap, and nothing is raised."""

from __future__ import annotations

import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from source_contracts import END, SHOP, WINDOW, alert

from agent.evidence.allowance import Limits
from agent.evidence.prometheus import Prometheus
from agent.kit.http import HttpClient
from fakes.answering import Answering

RANGE = [END.timestamp() - 60, END.timestamp() - 30]


def matrix(*series, **more):
    """An answer of `query_range`."""
    return 200, json.dumps({"status": "success", "data": {"resultType": "matrix", "result": list(series)}, **more})


def data(value):
    return 200, json.dumps({"status": "success", "data": value})


def error(status, kind, text):
    return status, json.dumps({"status": "error", "errorType": kind, "error": text})


class Server:
    """Answers as Prometheus does for one metric, whatever it is asked; another one has a name only.

    ``given`` answers come first, by a pattern of the path and the query.
    """

    def __init__(self):
        self.given = []
        self.queries = []

    def __call__(self, path):
        parts = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        query = asked.get("query", "")
        self.queries.append(query)
        for pattern, answer in self.given:
            if re.search(pattern, f"{parts.path} {query}"):
                return answer() if callable(answer) else answer
        if parts.path.endswith("/query_range"):
            if query.startswith("count"):
                return matrix({"metric": {"__name__": "data_age_seconds"}, "values": [[RANGE[0], "1"]]})
            labels = {"__name__": "data_age_seconds", "service": "shop"}
            return matrix({"metric": labels, "values": [[at, "5"] for at in RANGE]})
        known = {"values": ["data_age_seconds", "more_gauge"], "labels": ["__name__", "service"], "rules": {"groups": []},
                 "targets": {"activeTargets": []}, "metadata": {}}  # fmt: skip
        return data(known[parts.path.rpartition("/")[2]])


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def look(server):
    """Looks at the window through the server."""
    http = HttpClient()

    def look(expression="data_age_seconds > 1", limits=None, **labels):
        source = Prometheus(http, running.url, limits or Limits(seconds=20, seconds_a_query=10))
        return source.courses(SHOP, WINDOW, (alert(expression, service="shop", **labels),))

    with Answering(server) as running:
        yield look
    http.close()


def names(found):
    return sorted(course.metric for course in found.courses)


def reasons(found):
    return "\n".join(gap.reason for gap in found.gaps)


def test_nothing_is_missing_when_all_goes_well(look):
    """The alert's measure and its series."""
    found = look()
    assert names(found) == ["alert:HighErrors", "data_age_seconds"]
    assert found.gaps == ()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((200, "<html>Sign in</html>"), "no answer of its API: <html>Sign in"),
        ((502, "<html>Bad gateway</html>"), "answered 502: <html>"),
        ((302, ""), "answered 302"),
        ((200, "[1, 2]"), "no answer of its API"),
        ((200, '{"status": "success"}'), "no answer of its API"),
        ((200, "[" * 100_000), "no answer of its API"),
        (error(400, "bad_data", "invalid parameter"), "answered 400: invalid parameter"),
        (error(422, "execution", "query processing would load too many samples"), "answered 422: query processing"),
        (error(503, "timeout", "query timed out"), "answered 503: query timed out"),
    ],
)
def test_a_refused_query_is_a_gap_and_the_others_come(server, look, answer, reason):
    """Of the alert's own expression."""
    server.given = [(r"query_range data_age_seconds$", answer)]
    found = look()
    assert reason in reasons(found)
    assert "data_age_seconds" in names(found)


def test_a_busy_server_is_asked_once_more(server, look):
    """After a short pause."""
    answers = iter([(503, "busy"), (429, "too many requests")])
    server.given = [(r"/rules", lambda: next(answers, data({"groups": []})))]
    assert "its rules: answered 429" in reasons(look())
    assert look().gaps == ()


def test_a_part_of_an_answer_is_used_and_named(server, look):
    """Thanos and the like answer with what they have, and warn."""
    whole = {"metric": {"service": "shop"}, "values": [[RANGE[0], "7"]]}
    server.given = [(r"query_range data_age_seconds$", matrix(whole, warnings=["store s1 did not answer"]))]
    found = look()
    assert "only a part came: store s1 did not answer" in reasons(found)
    assert "alert:HighErrors" in names(found)


def test_fifty_thousand_series_are_counted_and_not_read(server, look):
    """The count says so; the single series are never asked for."""
    counted = matrix({"metric": {"__name__": "data_age_seconds"}, "values": [[RANGE[0], "50000"]]})
    server.given = [(r"query_range count", counted)]
    found = look("avg(data_age_seconds) > 1")
    assert "alert:HighErrors" in names(found)
    assert 'data_age_seconds{service="shop"} matches 50000 series' in reasons(found)
    assert "no room for the single series of data_age_seconds (50000)" in reasons(found)
    single = [query for query in server.queries if not query.startswith(("count", "avg"))]
    assert not [query for query in single if "data_age_seconds" in query]


def test_an_answer_larger_than_allowed_is_left_out(server, look):
    """It is not even read to its end."""
    server.given = [(r"query_range data_age_seconds$", (200, " " * 300_000))]
    found = look(limits=Limits(seconds=20, bytes=200_000))
    assert "answered with more than" in reasons(found)


def test_a_hanging_query_costs_its_own_time_only(server, look):
    """The rest is asked meanwhile and afterwards."""
    server.given = [(r"query_range data_age_seconds$", lambda: time.sleep(8) or matrix())]
    began = time.monotonic()
    found = look(limits=Limits(seconds=20, seconds_a_query=1.0))
    assert time.monotonic() - began < 8
    assert "alert:HighErrors: " in reasons(found)
    assert "did not finish its answer within" in reasons(found)
    assert names(found) == ["data_age_seconds"]


def test_a_server_that_hangs_all_the_time_is_given_up(server, look):
    """After two queries in a row without an answer nothing more is asked."""
    server.given = [("", lambda: time.sleep(5) or data([]))]
    began = time.monotonic()
    found = look(limits=Limits(seconds=20, seconds_a_query=0.3))
    assert time.monotonic() - began < 5
    assert "nothing more was asked" in reasons(found)
    assert found.courses == ()


def test_time_and_queries_are_bounded(look):
    """What came until then is used."""
    assert "after 6 queries the rest was not asked" in reasons(look(limits=Limits(seconds=20, queries=6)))
    assert "after 0 s the rest was not asked" in reasons(look(limits=Limits(seconds=0)))


def test_strange_series_cost_only_themselves(server, look):
    """What cannot be read, what is no number, what is out of order, twice, or a native histogram."""
    at = RANGE[0]
    histogram = {"count": "9", "sum": "1.5", "buckets": [[0, "1", "2", "9"]]}
    series = [
        {"metric": {"__name__": "a"}, "values": [[at, "NaN"], [at + 1, "+Inf"], [at + 2, "3"]]},
        {"metric": {"__name__": "b"}, "values": [[at + 2, "2"], [at, "1"], [at + 2, "4"]]},
        {"metric": {"__name__": "h"}, "histograms": [[at, histogram]]},
        {"metric": {"__name__": "x"}, "values": [[at, "much"]]},
        {"metric": {"__name__": "y"}, "values": "none"},
        {"metric": None},
        "text",
        {"metric": {"__name__": "gone"}, "values": []},
    ]
    server.given = [(r"query_range \{", matrix(*series))]
    found = {course.metric: (list(course.at - at), list(course.values)) for course in look().courses}
    del found["alert:HighErrors"], found["data_age_seconds"]
    assert found == {"a": ([2], [3]), "b": ([0, 2], [1, 4]), "h_count": ([0], [9])}
    assert "4 series could not be read" in reasons(look())
    assert "2 values of 1 series are no finite numbers" in reasons(look())


def test_what_comes_is_harmless_to_show(server, look):
    """Labels of strangers may hold secrets and control characters."""
    labels = {"__name__": "m", "password": "hunter2hunter2", "x": "a\u202eb", "service": "sh\nop"}
    server.given = [
        (r"query_range \{", matrix({"metric": labels, "values": [[RANGE[0], "1"]]})),
        (r"/rules", error(500, "x", "see http://user:hunter2hunter2@host/")),
    ]
    found = look()
    (course,) = (one for one in found.courses if one.metric.startswith("m"))
    assert "hunter2" not in str((found.courses, found.gaps))
    assert course.metric.isprintable()
    assert course.component.isprintable()


def test_hostile_labels_of_an_alert_stay_values(server, look):
    """They are quoted, and what cannot be sent is replaced."""
    found = look(job='x"} or {__name__=~".+', namespace="\ud800")
    assert found.courses
    assert not [query for query in server.queries if '{__name__=~".+"}' in query.replace('\\"', "")]


def test_many_alerts_are_bounded(server):
    """A storm does not multiply the queries."""
    http = HttpClient()
    with Answering(server) as running:
        alerts = tuple(alert(f"data_age_seconds > {n}", service=f"s{n}") for n in range(200))
        found = Prometheus(http, running.url, Limits(seconds=20)).courses(SHOP, WINDOW, alerts)
    http.close()
    assert "192 of 200 alerts were not followed" in reasons(found)
    assert len(server.queries) <= Limits().queries * 2
