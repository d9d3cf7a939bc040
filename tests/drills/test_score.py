"""What counts as right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.check import Finding
from drills.drill import Drill, Expect, Fault, Planted
from drills.record import Blamed, Result
from drills.score import interval, score, shares

COMMIT = Planted("t", "b", "a <a@b>", "diff")
DRILL = Drill(Path("d"), "t", "f", (Fault("commit", 1.0, COMMIT),), Expect(("code",), ("API",), "fault", ("fixed",)))
QUIET = replace(DRILL, faults=(Fault("none", 1.0),), expect=Expect(("none",), (), "none", ("none",), alert="no"))
RIGHT = Result(
    "d",
    "f",
    alert_seconds=3.0,
    incidents=1,
    hypotheses=[Blamed("code", "api", "c1", 0.9), Blamed("data", "feed", None, 0.05)],
    outcome="fixed",
    findings=[Finding("errors", passed=True, detail="")],
    culprits=["c1"],
    merged=1,
    acceptance="passed",
)


def test_everything_right_is_right():
    """Alarm, cause, component, change, outcome, health, acceptance; the Brier score of a confident hit is small."""
    one = score(DRILL, RIGHT)
    assert (one.alert, one.cause, one.component, one.change, one.outcome, one.well, one.acceptance) == (True,) * 7
    assert one.brier == pytest.approx(0.01)
    assert one.harm == ""


def test_a_decoy_in_front_is_wrong_and_still_in_the_first_three():
    """The right change at rank 2 is not rank 1."""
    result = replace(RIGHT, hypotheses=[Blamed("code", "API", "decoy", 0.8), Blamed("code", "API", "c1", 0.1)])
    one = score(DRILL, result)
    assert (one.change, one.change_in_three, one.brier) == (False, True, pytest.approx(0.64))


def test_no_alarm_is_right_only_where_none_is_due():
    """A silent drill wants silence."""
    silent = replace(RIGHT, alert_seconds=None, hypotheses=[], outcome=None, merged=0)
    assert score(DRILL, silent).alert is False
    assert score(QUIET, silent).alert is True
    assert score(QUIET, silent).outcome is True


def test_changing_code_that_is_not_to_blame_is_harm():
    """Whatever the agent says about it."""
    assert "no change was to blame" in score(QUIET, RIGHT).harm
    assert "acceptance fails" in score(DRILL, replace(RIGHT, acceptance="failed: 1 failed")).harm


def test_nothing_looked_at_is_not_well():
    """A stage that broke shows no health."""
    assert score(DRILL, replace(RIGHT, findings=[])).well is False


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(10, 10, 0.741, 1.0), (0, 10, 0.0, 0.259), (8, 10, 0.493, 0.963), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_clopper_and_pearsons(hits, count, low, high):
    """Against published tables, 90% two-sided."""
    assert interval(hits, count) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))


@given(st.integers(1, 80), st.data())
def test_the_share_lies_within_its_interval(count, data):
    """For every count."""
    hits = data.draw(st.integers(0, count))
    low, high = interval(hits, count)
    assert 0.0 <= low <= hits / count <= high <= 1.0


def test_shares_count_only_what_was_asked():
    """A drill that expects no component is not in its count."""
    both = [score(DRILL, RIGHT), score(QUIET, replace(RIGHT, alert_seconds=None, hypotheses=[], merged=0))]
    counted = shares(both)
    assert counted["component"] == (1, 1)
    assert counted["alert"] == (2, 2)
