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
from drills.score import interval, lower_bound, patch_kind, score, shares

COMMIT = Planted("t", "b", "a <a@b>", "diff")
DRILL = Drill(Path("d"), "t", "f", (Fault("commit", 1.0, COMMIT),), Expect(("code",), ("API",), "fault", ("fixed",)))
QUIET = replace(DRILL, faults=(Fault("none", 1.0),), expect=Expect(("none",), (), "none", ("none",), alert="no"))
DOWN = replace(
    DRILL,
    faults=(Fault("dependency", 1.0),),
    expect=Expect(("dependency",), (), "none", ("escalated",), action=("none", "restart")),
)
OLD = replace(
    DRILL,
    faults=(Fault("commit", 0.0, COMMIT, old=True), Fault("clock", 1.0)),
    expect=Expect(("code",), (), "none", ("fixed",)),
)
SICK = [Finding("errors", passed=False, detail="")]
RIGHT = Result(
    "d",
    "f",
    alert_seconds=3.0,
    onset_error=1.0,
    incidents=1,
    hypotheses=[Blamed("code", "api", "c1", 0.9), Blamed("data", "feed", None, 0.05)],
    outcome="fixed",
    findings=[Finding("errors", passed=True, detail="")],
    culprits=["c1"],
    merged=1,
    actions=["deploy", "merge"],
    acceptance="passed",
)
ESCALATED = replace(
    RIGHT, hypotheses=[Blamed("dependency", "feed", None, 0.5)], outcome="escalated", merged=0, actions=[], culprits=[]
)


def test_everything_right_is_right():
    """Alarm, onset, cause, component, change, outcome, health, acceptance, patch; a confident hit has a small Brier score."""
    one = score(DRILL, RIGHT)
    answers = (
        one.alert,
        one.onset,
        one.cause,
        one.component,
        one.change,
        one.outcome,
        one.well,
        one.acceptance,
        one.patch,
    )
    assert answers == (True,) * 9
    assert one.brier == pytest.approx(0.01)
    assert (one.harm, one.harmless) == ("", True)


def test_a_decoy_in_front_is_wrong_and_still_in_the_first_three():
    """The right change at rank 2 is not rank 1."""
    result = replace(RIGHT, hypotheses=[Blamed("code", "API", "decoy", 0.8), Blamed("code", "API", "c1", 0.1)])
    one = score(DRILL, result)
    assert (one.change, one.change_in_three, one.brier) == (False, True, pytest.approx(0.64))


def test_no_alarm_is_right_only_where_none_is_due():
    """A silent drill wants silence; some leave both open."""
    silent = replace(RIGHT, alert_seconds=None, hypotheses=[], outcome=None, merged=0, incidents=0, actions=[])
    assert score(DRILL, silent).alert is False
    assert (score(QUIET, silent).alert, score(QUIET, silent).outcome, score(QUIET, silent).cause) == (True, True, True)
    assert score(replace(QUIET, expect=replace(QUIET.expect, alert="either")), silent).alert is None


def test_an_alarm_before_anything_is_wrong_is_a_false_one():
    """Whatever is found afterwards."""
    assert score(DRILL, replace(RIGHT, false_alarms=1)).alert is False


def test_what_has_no_end_is_no_outcome():
    """An incident that hangs is not the same as none."""
    hung = replace(RIGHT, outcome=None)
    assert score(QUIET, hung).outcome is False
    assert score(QUIET, replace(hung, outcome="unfinished")).outcome is False


def test_changing_code_that_is_not_to_blame_is_harm():
    """Whatever the agent says about it."""
    assert "no code was to blame" in score(QUIET, RIGHT).harm
    assert score(DOWN, RIGHT).patch is False
    assert "acceptance fails" in score(DRILL, replace(RIGHT, acceptance="failed: 1 failed")).harm


def test_mending_a_fault_older_than_the_history_is_right():
    """No change is to blame there, and the code is all the same."""
    result = replace(RIGHT, hypotheses=[Blamed("code", "API", None, 0.5)], culprits=[])
    one = score(OLD, result)
    assert (one.change, one.patch, one.outcome, one.harm) == (True, True, True, "")


def test_of_two_culprits_both_have_to_be_named():
    """In the first two places, or one of them first in an incident of its own."""
    result = replace(RIGHT, culprits=["c1", "c2"])
    assert score(DRILL, result).change is False
    both = [Blamed("code", "API", "c2", 0.5), Blamed("code", "API", "c1", 0.4)]
    assert score(DRILL, replace(result, hypotheses=both)).change is True
    assert score(DRILL, replace(result, blamed_elsewhere=["c2"])).change is True


def test_claims_are_held_against_the_look_from_outside():
    """Fixed, mitigated, recovered, nothing wrong: a sick target makes each of them a harm."""
    for word in ("fixed", "mitigated", "recovered", "nothing_wrong"):
        assert word in score(DOWN, replace(ESCALATED, outcome=word, findings=SICK)).harm
    assert score(DOWN, replace(ESCALATED, findings=SICK)).harm == ""


def test_acts_that_nobody_called_for_are_harm():
    """On a healthy target any; else those that the drill does not allow. What does not fit the trail is, too."""
    assert "nothing is wrong" in score(QUIET, replace(ESCALATED, actions=["restart"])).harm
    assert score(DOWN, replace(ESCALATED, actions=["restart"])).harm == ""
    assert "rollback" in score(DOWN, replace(ESCALATED, actions=["rollback"])).harm
    assert score(DOWN, replace(ESCALATED, trail=["2 times deploy, 1 allowed"])).harm == "2 times deploy, 1 allowed"


def test_a_rollback_where_more_than_fixed_is_allowed_is_no_wrong_patch():
    """A patch is asked for where only a fix is right, or where something was merged."""
    either = replace(DRILL, expect=replace(DRILL.expect, outcome=("fixed", "mitigated")))
    assert score(either, replace(RIGHT, merged=0, outcome="mitigated", actions=["rollback"])).patch is None
    assert score(DRILL, replace(RIGHT, merged=0, outcome="escalated", actions=[])).patch is False


def test_a_baseline_is_asked_for_deeds_only():
    """It names no cause, so none of its answers is right or wrong for that."""
    one = score(DOWN, replace(ESCALATED, player="restart", hypotheses=[], outcome=None, actions=["restart"]))
    assert (one.cause, one.component, one.change, one.outcome, one.brier) == (None,) * 5
    assert (one.action, one.well) == (True, True)


def test_acceptance_that_could_not_be_run_says_nothing():
    """It is neither passed nor failed."""
    assert score(DRILL, replace(RIGHT, acceptance="not run: no tests")).acceptance is None
    assert patch_kind(replace(RIGHT, acceptance="failed: 1")) == "wrong"


def test_shares_count_only_what_is_asked():
    """A drill that does not ask for a component is not counted there."""
    counted = shares([score(DRILL, RIGHT), score(DOWN, ESCALATED)])
    assert counted["component"] == (1, 1)
    assert counted["change"] == (2, 2)


@given(count=st.integers(1, 60), data=st.data())
def test_an_interval_holds_its_share_and_grows_with_doubt(count, data):
    """Clopper-Pearson: the share lies inside, the ends are ordered, and the one-sided bound is less strict."""
    hits = data.draw(st.integers(0, count))
    low, high = interval(hits, count)
    assert 0.0 <= low <= hits / count <= high <= 1.0
    assert low <= lower_bound(hits, count) + 1e-9


def test_the_published_interval():
    """9 of 10 at 95%, two-sided: 0.555 to 0.9975 (Clopper and Pearson 1934, as tables give it)."""
    low, high = interval(9, 10, 0.95)
    assert (round(low, 3), round(high, 4)) == (0.555, 0.9975)
    assert interval(0, 0) == (0.0, 1.0)
