"""What may be asked of a Prometheus, and what is refused in words before anybody is asked."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.evidence.promql import Refused, Selector, expression_of, measured, read
from drills.rules import RULES

FIXTURES = Path(__file__).parents[1] / "fixtures" / "alertmanager"
RATIO = 'sum by (service) (rate(r{code=~"5.."}[10s])) / sum by (service) (rate(r[10s]))'


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (f"{RATIO} > 0.05", RATIO),
        (f"({RATIO} > 0.05)", RATIO),
        (f"{RATIO} > 0.05 and sum(increase(r[10s])) >= 20", RATIO),
        ("0.05 < a", "a"),
        ("1e3 / 2 <= (a)", "(a)"),
        ("up == bool 0", "up"),
        ("max_over_time(up[3s]) == 0", "max_over_time(up[3s])"),
        ('a{x="b > 5 and c"} > 3 unless d', 'a{x="b > 5 and c"}'),
        ("(a) / (b) > 2", "(a) / (b)"),
        ('absent(up{job="x"})', 'absent(up{job="x"})'),
        ("a > b > 3", "a"),
        ("a OR b", "a"),
    ],
)
def test_what_an_alert_measures_is_found(expression, expected):
    """It is what is compared with the limit, text for text."""
    assert measured(expression) == expected
    assert read(expected).text == expected


def test_rules_as_people_write_them_are_read():
    """Those of the demo, and those of recorded deliveries of a real Alertmanager."""
    payloads = (json.loads(path.read_text())["payload"] for path in FIXTURES.rglob("*.json"))
    links = {alert["generatorURL"] for payload in payloads for alert in payload["alerts"]}
    expressions = {rule.expression for rule in RULES} | {expression_of(link) for link in links}
    assert len(expressions) >= 10
    for expression in expressions:
        assert read(expression).selectors
        part = read(measured(expression))
        assert part.text != expression
        assert part.selectors


def test_selectors_are_taken_out_of_every_corner():
    """Of ranges, subqueries, both sides and arguments; each once, without its offset."""
    found = read(
        'max_over_time(rate(a{x!~"y"}[1m])[1h:1m]) / topk(3, b offset 1h) + on () label_replace(b, "a", "", "b", "")'
    )
    assert [one.text for one in found.selectors] == ['a{x!~"y"}', "b"]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("sum(rate(x[", "cannot be read"),
        ("", "cannot be read"),
        ("rate(x)", "cannot be read"),
        ("nonsense(x)", "cannot be read"),
        ("x[5m]", "no value at a moment"),
        ("x[5m:1m]", "no value at a moment"),
        ('"text"', "no value at a moment"),
        ('{__name__=~".+"}', "whatever there is"),
        ('sum(x) + count({instance!=""})', "whatever there is"),
        ('x{a="b" or c="d"}', "`or`"),
        ("max_over_time(rate(x[1m])[1h:1ms])", "finer than 1 s"),
        ("(" * 100_000 + "x" + ")" * 100_000, "longer than"),
        ("(" * 100 + "x" + ")" * 100, "nests too deep"),
        ("-" * 2_000 + "x", "nests too deep"),
        ("+".join(f"x{n}" for n in range(40)), "more than 30 selectors"),
    ],
)
def test_what_is_refused_says_why(expression, reason):
    """Before the server has any work with it, and before the parser has too much."""
    began = time.process_time()
    with pytest.raises(Refused, match=reason):
        read(expression)
    assert time.process_time() - began < 2.0


def test_a_costly_query_gets_a_coarser_step_or_none():
    """What a window costs of each series is bounded: evaluations times the samples that each reads."""
    assert read("rate(x[5m])").step(1_800, 15) == 15
    assert read("rate(x[3d])").step(1_800, 15) == 32
    with pytest.raises(Refused, match="samples of each series"):
        read("rate(x[60d])").step(1_800, 15)
    with pytest.raises(Refused, match="samples of each series"):
        read("max_over_time(rate(x[1h])[7d:1m])").step(1_800, 15)


def test_labels_are_quoted_whatever_they_hold():
    """A value cannot end its quotes; a name that is none is left out; a lone surrogate does no harm."""
    selector = Selector("x").with_labels({"a": 'b"} or y{c="\\\n', "bad name": "v", "u": "\ud800"})
    assert selector.text == 'x{a="b\\"} or y{c=\\"\\\\\\n",u="?"}'
    assert [one.name for one in read(selector.text).selectors] == ["x"]
    assert Selector("http.requests").text == '{__name__="http.requests"}'
    assert Selector("x", (("a", "=", "b"),)).with_labels({"a": "c"}).text == 'x{a="b"}'


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text(), min_size=1))
def test_a_written_selector_is_read_back(labels):
    """Whatever an alert's labels are, what is asked is a selector of exactly these."""
    (found,) = read(Selector("x").with_labels(labels).text).selectors
    sent = {name: value.encode("utf-8", "replace").decode() for name, value in labels.items()}
    assert {name: value for name, _, value in found.matchers} == sent


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abx(){}[]\"'`=~!<>,:05m. and or\\#-+", max_size=60))
def test_no_text_breaks_the_reader(text):
    """It is read or refused, and so is what is taken out of it."""
    for one in (text, measured(text)):
        with contextlib.suppress(Refused):
            assert read(one).text == one


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://p:9090/graph?g0.expr=up%7Bjob%3D%22a%22%7D+%3D%3D+0&g0.tab=1", 'up{job="a"} == 0'),
        ("http://p:9090/prefix/graph?g0.tab=1&g0.expr=a%2Bb", "a+b"),
        ("http://grafana/alerting/grafana/abc/view", None),
        ("http://p/graph?g0.expr=", None),
        ("", None),
        ("http://[half", None),
        ("mailto:x", None),
    ],
)
def test_the_expression_of_an_alert_is_in_its_link(url, expected):
    """Other links hold none."""
    assert expression_of(url) == expected
