"""What a model may look at: nothing but what the case names, and never for long."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from agent.kit.fencing import Fence
from agent.llm.budget import Meter
from agent.llm.table import LONGEST_LOOK, Table
from agent.llm.tools import LINES, Bench, tools_for
from agent.model.case import Readings
from agent.model.language import Allowances
from fakes.analyst import FakePurse
from fakes.clock import FakeClock
from llm.cases import CULPRIT, WINDOW, case


def bench(**readings):
    """Tools over these sources."""
    given = case(readings=Readings(**readings))
    table, clock = Table(given, Fence()), FakeClock()
    return Bench(table, Meter(FakePurse(clock), clock, "inc-1", Allowances(), {}), tools_for(given, table))


def use(of, name, **arguments):
    """Use a tool by its name."""
    [tool] = [each for each in of.tools if each.name == name]
    return of.use(tool, arguments)


def test_only_what_there_is_is_offered():
    """A case without sources can list its changes."""
    assert [tool.name for tool in bench().tools] == ["list_changes"]
    every = bench(metrics=str, logs=str, source=str, diff=str, experiment=str)
    assert [tool.name for tool in every.tools] == [
        "list_changes", "query_metrics", "search_logs", "read_source", "show_change", "run_experiment",
    ]  # fmt: skip


def test_source_is_read_at_a_commit_of_the_case():
    """By the id of the change or the beginning of its commit; so many lines from the one that is asked for."""
    asked = []
    of = bench(source=lambda *given: asked.append(given) or "\n".join(f"line {n}" for n in range(1, 1_001)))
    for commit in ("C1", CULPRIT, CULPRIT[:10]):
        shown = use(of, "read_source", commit=commit, path="src/shop.py", first_line=500)
    assert asked == [(CULPRIT, "src/shop.py")] * 3
    assert "500: line 500" in shown
    assert f"{500 + LINES}: " not in shown


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../../x", "-x", ".git/config", ".env", "a/.env.local", "k/tls.pem"]
)
def test_paths_that_lead_elsewhere_are_refused(path):
    """And files that hold nothing but secrets."""
    asked = []
    of = bench(source=lambda *given: asked.append(given) or "x")
    assert use(of, "read_source", commit="C1", path=path).startswith("no answer: ")
    assert asked == []


def test_windows_are_bounded():
    """A day before the case at the most, and not after its end; what is no time is refused."""
    asked = []
    of = bench(metrics=lambda _, window: asked.append(window) or "1")
    use(of, "query_metrics", expression="up")
    use(of, "query_metrics", expression="up", start="2026-11-02T11:55:00", end="2026-11-02T13:00:00+01:00")
    use(of, "query_metrics", expression="up", start="1999-01-01", end="2999-01-01")
    refused = use(of, "query_metrics", expression="up", start="yesterday")
    assert "no ISO 8601 time" in refused
    assert asked[0] == WINDOW
    assert asked[1].seconds == 300
    assert (asked[2].start, asked[2].end) == (WINDOW.start - timedelta(days=1), WINDOW.end)


def test_what_hangs_or_breaks_is_told():
    """Whatever a source does, the model gets a line, and nothing is on the table."""
    of = bench(logs=lambda *_: time.sleep(30) or "", metrics=lambda *_: {}[0], diff=lambda _: None)
    of.tools = tuple(each.__class__(**{**vars(each), "seconds": 0.1}) for each in of.tools)
    assert "longer than 0.1 s" in use(of, "search_logs", query="x")
    assert "KeyError" in use(of, "query_metrics", expression="x")
    assert of.table.looked == []
    assert "its diff is not known" in use(of, "show_change", change="C1")


def test_experiments_are_few():
    """They cost minutes."""
    asked = []
    of = bench(experiment=lambda commit: asked.append(commit) or "red")
    said = [use(of, "run_experiment", commit=commit) for commit in ("C1", "C2", "C1")]
    assert len(asked) == 2
    assert "may be used 2 times" in said[2]


def test_what_was_looked_up_may_be_cited():
    """It gets an id, is fenced, bounded, and stands on the table as it was shown."""
    of = bench(logs=lambda *_: "x" * 100_000)
    shown = use(of, "search_logs", query="x")
    assert shown.startswith(f"[data {of.table.fence.mark} L1 logs]")
    assert of.table.texts["L1"] in shown
    assert len(of.table.texts["L1"]) == LONGEST_LOOK
    assert of.table.origins["L1"] == "logs"


@pytest.mark.parametrize(
    ("first", "second", "again"),
    [
        ("up", "UP ", True),
        ('rate(x_total{a="b"}[5m])', "rate(x_total{a='b'}[5m])", True),
        ("rate(x_total[5m])", "rate(x_total[6m])", False),
        ("rate(x_total[5m])", "rate(y_total[5m])", False),
        ("errors of the shop", "errors of the bank", False),
    ],
)
def test_nearly_the_same_is_the_same(first, second, again):
    """Numbers and identifiers count, dressing does not; another tool is another question."""
    of = bench()
    assert not of.again("query_metrics", {"expression": first})
    assert of.again("query_metrics", {"expression": second}) is again
    assert not of.again("search_logs", {"query": first})
