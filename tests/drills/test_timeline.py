"""What happens in a drill, in which order, and in which releases."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from drills.drill import Drill, Expect, Fault, Planted
from drills.exam import Timeline
from drills.injection import inject, timeline
from drills.plan import plan
from drills.stage import TRAFFIC_SECONDS

FAULT = Planted("Fault", "", "a <a@b>", "diff")
DECOY = Planted("Decoy", "", "a <a@b>", "diff")
LATER = Planted("Later", "", "a <a@b>", "diff", builds_on=True)
COMMIT = Fault("commit", 6.0, FAULT)
DOWN = Fault("process", 5.0)


def drill(*faults, decoys=(), release_after=None):
    return Drill(Path("d"), "t", "f", faults, Expect(), decoys=decoys, release_after=release_after)


def releases(one, seed=1):
    return [
        (step.broken, [each.title for place in sorted(step.places) for each in step.places[place]])
        for step in plan(one, 12, random.Random(seed))
    ]


def shape(one, **more):
    return [(moment.after, moment.fault) for moment in timeline(one, **more)]


def test_one_release_holds_fault_and_decoys():
    """Unless the drill says that the innocents go live by themselves."""
    one = drill(COMMIT, decoys=(DECOY,))
    ((broken, titles),) = releases(one)
    assert broken
    assert sorted(titles) == ["Decoy", "Fault"]
    assert shape(one) == [(6.0, True)]


def test_decoys_may_go_live_before_or_after_the_fault():
    """A release of their own, in the order of the clock."""
    before, after = (drill(COMMIT, decoys=(DECOY,), release_after=seconds) for seconds in (3.0, 9.0))
    assert releases(before) == [(False, ["Decoy"]), (True, ["Fault"])]
    assert shape(before) == [(3.0, False), (6.0, True)]
    assert releases(after) == [(True, ["Fault"]), (True, ["Decoy"])]
    assert shape(after) == [(6.0, True), (9.0, False)]


def test_a_decoy_deploy_comes_seconds_before_a_fault_that_is_no_commit():
    """The change that everybody suspects, and wrongly."""
    one = drill(DOWN, decoys=(DECOY,))
    assert releases(one) == [(False, ["Decoy"])]
    assert shape(one) == [(3.0, False), (5.0, True)]
    assert shape(one, decoys=False) == [(5.0, True)]
    assert releases(drill(DOWN)) == []


def test_what_builds_on_the_fault_comes_behind_it():
    """Wherever the seed puts the fault."""
    for seed in range(30):
        ((_, titles),) = releases(drill(COMMIT, decoys=(LATER, DECOY)), seed)
        assert titles.index("Fault") < titles.index("Later")


def test_a_fault_older_than_the_history_is_in_no_release():
    """It is brought to light by the second one."""
    old = Fault("commit", 0.0, FAULT, old=True)
    one = drill(old, DOWN)
    assert releases(one) == []
    assert shape(one) == [(5.0, True)]
    assert one.code


@pytest.mark.parametrize(("seconds", "waited_for"), [(45.0, True), (600.0, False)])
def test_a_surge_is_waited_for_and_what_is_there_to_stay_is_not(seconds, waited_for):
    """An incident may end before traffic that goes on for ten minutes does."""
    fault = Fault("traffic", 0.0, options={"seconds": seconds})
    (moment,) = timeline(drill(fault))
    quiet = replace(moment, act=lambda _stage: None)
    clock = Timeline(None, [quiet])  # type: ignore[arg-type]  # what it does needs no stage
    began = time.time()
    while clock.began is None or clock.over < began + 10.0:
        clock.run(began - 1.0)
        time.sleep(0.01)
    clock.close()
    assert clock.done is not waited_for
    assert began + 40.0 < clock.over < began + 200.0


@pytest.mark.parametrize(("seconds", "sent_for"), [(45.0, 45.0), (120.0, TRAFFIC_SECONDS)])
def test_a_new_client_stays_until_the_staging_ends(seconds, sent_for):
    """A fix that goes live after its two minutes still meets the requests that failed."""
    asked = []
    stage = SimpleNamespace(more_traffic=lambda rate, seconds, requests: asked.append((rate, seconds, requests)))
    inject(stage, Fault("traffic", 0.0, options={"rate": 5, "seconds": seconds}))
    assert asked == [(5.0, sent_for, ())]
