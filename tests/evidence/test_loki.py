"""Loki as a source of logs, against a stand-in that answers as recorded answers of Loki 3.4 do."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from source_contracts import END, LINES, SHOP, TRACEBACK, WINDOW, LogSourceContract, alert

from agent.evidence.allowance import Limits
from agent.evidence.loki import SLICES, Loki
from agent.kit.http import HttpClient
from agent.model.record import Window
from fakes.answering import Answering
from fakes.loki_server import LokiServer

RECORDED = Path(__file__).parents[1] / "fixtures" / "loki"
LAST = END.timestamp()


@pytest.fixture
def http():
    client = HttpClient()
    yield client
    client.close()


@pytest.fixture
def server():
    with LokiServer() as server:
        yield server


@pytest.fixture
def look(server, http):
    """Looks at the window."""

    def look(target=SHOP, window=WINDOW, limits=None, **labels):
        return Loki(http, server.url, limits or Limits(seconds=20, lines=6_000)).lines(
            target, window, (alert(**labels),)
        )

    return look


def reasons(found):
    return "\n".join(gap.reason for gap in found.gaps)


def messages(found):
    return [line.message for line in found.lines]


def queries(server):
    return [asked["query"] for asked in server.asked if "query" in asked]


class TestLoki(LogSourceContract):
    """Structured metadata among the labels, as Loki answers without being asked for more."""

    @pytest.fixture(params=[False, True], ids=["merged", "categorized"])
    def source(self, http, request):
        with LokiServer(categorized=request.param) as server:
            for number, (before, text) in enumerate(LINES):
                server.push(LAST - before, text, {"trace_id": str(number)}, service="shop", env="prod")
            yield Loki(http, server.url, Limits(seconds=20))

    @pytest.fixture
    def broken(self, http):
        return Loki(http, "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("labels", "target", "expected"),
    [
        ({"service": "shop"}, {}, '{service="shop"}'),
        ({"service": "other"}, {}, '{service="shop"}'),
        ({"component": "cart", "service": "shop"}, {}, '{service=~"cart|shop"}'),
        ({"namespace": "prod"}, {}, '{service="shop", namespace="prod"}'),
        ({"namespace": "gone"}, {}, '{service="shop"}'),
        ({}, {"matchers": {"team": "a"}}, '{team="a"}'),
        ({}, {"matchers": {"team": "b"}}, '{service="shop"}'),
        ({}, {"component_labels": ("app", "service")}, '{app="shop"}'),
        ({"service": 'x"} |= "y'}, {}, '{service="shop"}'),
    ],
)
def test_streams_are_chosen_by_labels_that_they_have(server, look, labels, target, expected):
    """Those of the alert and of the settings, else the target's name, under any label that names components."""
    server.push(LAST - 9, "a", service="shop", namespace="prod", team="a", app="shop")
    server.push(LAST - 9, "b", service="cart", namespace="prod", team="c", app="cart")
    found = look(SHOP.model_copy(update=target), **labels)
    assert set(queries(server)) == {expected}
    assert "a" in messages(found)


def test_streams_of_nobody_we_know_are_a_gap(server, look):
    """With the labels that there are, so that a person can set the right one."""
    server.push(LAST - 9, "a", host="h1", service="billing")
    found = look()
    assert found.lines == ()
    assert "no stream could be told to be of shop; its labels are host, service" in reasons(found)


def test_pages_go_backwards_until_all_is_read(server, look):
    """Nothing twice and nothing left out, also where many lines are of one moment."""
    server.max_entries = 7
    times = [LAST - 599 + n // 3 for n in range(300)]
    for number, at in enumerate(times):
        server.push(at, f"line {number}", service="shop")
    found = look()
    assert sorted(messages(found)) == sorted(f"line {n}" for n in range(300))
    assert [line.at for line in found.lines] == times
    assert found.gaps == ()


def test_more_lines_of_one_moment_than_a_page_end_the_page_not_the_look(server, look):
    """What lies before that moment is still read."""
    server.max_entries = 5
    for number in range(12):
        server.push(LAST - 50, f"burst {number}", service="shop")
    server.push(LAST - 60, "before", service="shop")
    found = look()
    assert "before" in messages(found)
    assert len(found.lines) >= 6


def test_a_busy_window_keeps_its_beginning_and_its_errors(server, look):
    """Every part of the window has its share of lines; of what does not fit the errors are read."""
    for number in range(600):
        server.push(LAST - 600 + number + 0.5, f"tick {number}", service="shop")
    server.push(LAST - 595, "ERROR early", service="shop")
    found = look(limits=Limits(seconds=20, lines=40 * SLICES))
    said = messages(found)
    assert "ERROR early" in said
    assert "tick 599" in said
    assert any(message in said for message in (f"tick {n}" for n in range(150)))
    assert len(said) < 70 * SLICES
    assert reasons(found).count("more lines than are read, only errors and warnings") == SLICES


def test_tracebacks_in_pieces_are_put_together_per_stream(server, look):
    """Two processes write at once; each entry may have metadata of its own."""
    for number, text in enumerate(TRACEBACK):
        for pod in ("a", "b"):
            server.push(LAST - 50 + number * 0.01, text, {"n": f"{number}{pod}"}, service="shop", pod=pod)
    assert messages(look()) == ["\n".join(TRACEBACK)] * 2


def test_a_busy_loki_is_asked_once_more(server, look):
    """429 is plain text like every error."""
    server.push(LAST - 9, "a", service="shop")
    server.refusals = [(429, "too many outstanding requests")]
    assert messages(look()) == ["a"]
    server.refusals = [(429, "too many outstanding requests")] * 2
    assert "labels: answered 429: too many outstanding requests" in reasons(look())


def test_a_window_longer_than_a_day_is_cut(server, look):
    """Its end is read."""
    server.push(LAST - 3_600, "inside", service="shop")
    server.push(LAST - 30 * 3_600, "outside", service="shop")
    found = look(window=Window(start=END - timedelta(days=60), end=END))
    assert messages(found) == ["inside"]
    assert "only the last 24 hours" in reasons(found)


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("err_*.txt")))
def test_recorded_errors_are_gaps_with_their_words(http, name):
    """What a real Loki said."""
    text = (RECORDED / f"{name}.txt").read_text()
    with Answering(lambda _path: (400, text)) as server:
        found = Loki(http, server.url).lines(SHOP, WINDOW, ())
    assert found.lines == ()
    assert text.strip()[:60] in reasons(found)


def test_recorded_answers_are_read(http):
    """Labels, values and streams as a real Loki gave them; times are strings of nanoseconds."""
    answers = {path.stem: path.read_text() for path in RECORDED.glob("*.json")}

    def answer(path):
        kind = "labels" if "/labels" in path else "label_values" if "/values" in path else "range_streams"
        return 200, answers[kind]

    last = max(
        int(at) for stream in json.loads(answers["range_streams"])["data"]["result"] for at, _ in stream["values"]
    )
    end = END.fromtimestamp(last / 1e9, END.tzinfo) + timedelta(seconds=1)
    target = SHOP.model_copy(update={"name": "checkout"})
    with Answering(answer) as server:
        found = Loki(http, server.url).lines(target, Window(start=end - timedelta(minutes=5), end=end), ())
    assert {(line.component, line.level, line.message) for line in found.lines} == {
        ("checkout", "ERROR", "payment timeout")
    }
    assert {line.attributes["trace_id"] for line in found.lines} == {"t57", "t54", "t51"}
    assert max(line.at for line in found.lines) == pytest.approx(last / 1e9)


@pytest.mark.parametrize(
    "result",
    [
        None, "text", [None, {"stream": None, "values": None}], [{"stream": {}, "values": ["x", ["1"], ["a", "b"], [None, 1]]}],
        [{"values": [["17", "x", "y"]]}],
    ],
)  # fmt: skip
def test_strange_answers_cost_only_themselves(http, result):
    """What is no entry is left out."""

    def answer(path):
        inside = ["service"] if "/labels" in path else ["shop"] if "/values" in path else {"result": result}
        return 200, json.dumps({"status": "success", "data": inside})

    with Answering(answer) as server:
        found = Loki(http, server.url).lines(SHOP, WINDOW, ())
    assert len(found.lines) <= SLICES
