"""When a busy machine, and not who was examined, made a staging show what it showed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from made_up import COMMIT, drill, right

from agent.sandbox.bubblewrap import SandboxResult
from agent.sandbox.results import document
from drills.drill import Expect, Fault
from drills.load import Load
from drills.record import restore
from drills.spoilt import LIMITS, may_go_down, spoilt

BEGAN = 1000.0


def stamp(at):
    return datetime.fromtimestamp(at, UTC).isoformat()


def incident(at, title="TargetDown on market-predictor"):
    return {"id": "i1", "opened_at": stamp(at), "title": title}


def run(at, message="abc is untestable: the run gave no report: the wall limit ended it", **data):
    return {"kind": "experiment.run", "at": stamp(at), "message": message, "data": data}


def why(of, incidents=(), trail=(), *, busy=(0.0, 9999.0), goes_down=False, began=BEGAN):
    """Others took too much within ``busy``."""
    overloaded = lambda since, until: since <= busy[1] and until >= busy[0]  # noqa: E731 - one line of arithmetic
    return spoilt(of, incidents, trail, overloaded, began=began, goes_down=goes_down)


def faults(*kinds, component=()):
    made = tuple(Fault(kind, 1.0, COMMIT if kind == "commit" else None) for kind in kinds)
    return drill("d", faults=made, expect=Expect(component=component))


def test_an_alarm_that_no_fault_explains_is_void_only_on_a_busy_machine():
    """The target did not answer, and its features are wrong: that is no reason not to answer."""
    of = faults("commit", component=("features",))
    assert why(of, [incident(BEGAN + 5)]).startswith("the machine was busy: TargetDown on market-predictor")
    assert why(of, [incident(BEGAN + 5)], busy=(BEGAN + 60, BEGAN + 90)) == ""
    assert why(of, [incident(BEGAN + 5, "HighErrorRatio on market-predictor")]) == ""


def test_before_the_first_fault_no_alarm_is_explained():
    """Whatever it is called."""
    of = faults("process")
    assert "LatencyHigh" in why(of, [incident(BEGAN - 2, "LatencyHigh on x")])
    assert "LatencyHigh" in why(of, [incident(BEGAN, "LatencyHigh on x")], began=None)
    assert why(of, [incident(BEGAN + 2, "LatencyHigh on x")]) == ""


@pytest.mark.parametrize(
    ("of", "may"),
    [
        (faults("process", component=("API",)), True),
        (faults("commit", component=("service",)), True),
        (faults("commit"), True),
        (faults("commit", component=("feed",)), False),
        (faults("data", component=("feed",)), False),
        (faults("none"), False),
        (faults("data", "configuration"), True),
        (drill("d", faults=(Fault("none", 1.0, options={"alert": "TargetDown"}),), expect=Expect()), True),
    ],
)
def test_what_may_keep_a_target_from_answering(of, may):
    """By its kind, by what the drill says failed first, or because its stage-check saw it."""
    assert may_go_down(of, goes_down=False) is may
    assert may_go_down(of, goes_down=True)


def test_a_run_that_a_limit_of_time_ended_is_void_only_on_a_machine_that_was_busy_then():
    """Its own end says when it was; without its seconds it may have taken a minute."""
    of = faults("commit", component=("API",))
    assert "wall limit" in why(of, trail=[run(BEGAN + 70)], busy=(BEGAN + 20, BEGAN + 22))
    assert why(of, trail=[run(BEGAN + 70, seconds=5.0)], busy=(BEGAN + 20, BEGAN + 22)) == ""
    assert why(of, trail=[run(BEGAN + 70, "abc is red: 500")]) == ""


def test_the_agent_s_own_words_for_a_limit_of_time_are_known():
    """They are read from its trail; they come from the sandbox."""
    _, said = document(SandboxResult(None, b"", b"", "wall", truncated=False, seconds=60.0))
    assert any(one in said for one in LIMITS)


def test_a_void_result_says_nothing_of_who_was_examined():
    """Results of before have no load, and count."""
    of = drill("one")
    kept = vars(right(of)) | {"hypotheses": [], "findings": []}
    old = {name: value for name, value in kept.items() if name not in ("load", "void")}
    assert restore(old).counts
    fresh = restore({**old, "load": {"cpus": 2, "others": 0.5, "busiest": 0.9}, "void": "the machine was busy"})
    assert fresh.load == Load(2, 0.5, 0.9)
    assert not fresh.counts
    assert not replace(right(of), problem="could not be staged: no").counts
