"""The laboratory is made ready before it is needed."""

from __future__ import annotations

import threading

import pytest

from agent.errors import Permanent
from agent.model.target import Target
from agent.sandbox.readiness import Readiness
from fakes.clock import FakeClock
from fakes.trail import FakeTrail

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40


@pytest.fixture
def shop(tmp_path):
    return Target(name="shop", url="http://127.0.0.1:1", repository=tmp_path)


@pytest.fixture
def trail():
    return FakeTrail(FakeClock())


def test_each_release_is_made_ready_once(shop, trail):
    """Replicas of two releases, seen in turn, cost one build each; what is no commit costs none."""
    made = []
    readiness = Readiness(lambda target, commit: made.append((target.name, commit)), trail)
    for commit in (ONE, TWO, ONE, "", "--help", "main", TWO):
        readiness.released(shop, commit)
        readiness.wait(5)
    assert made == [("shop", ONE), ("shop", TWO)]


def test_only_the_newest_release_waits(shop, trail):
    """While one is built, the next waits, and one after it takes its place."""
    building, go_on, made = threading.Event(), threading.Event(), []

    def make_ready(_, commit):
        made.append(commit)
        building.set()
        go_on.wait(5)

    readiness = Readiness(make_ready, trail)
    readiness.released(shop, ONE)
    assert building.wait(5)
    readiness.released(shop, TWO)
    readiness.released(shop, THREE)
    go_on.set()
    readiness.wait(5)
    assert made == [ONE, THREE]


def test_what_cannot_be_built_is_on_record_and_harms_nothing(shop, trail):
    """The operator reads it before an incident needs it; the next release is tried as well."""

    def make_ready(_, commit):
        if commit == ONE:
            raise Permanent("the lock names no wheel")

    readiness = Readiness(make_ready, trail)
    readiness.released(shop, ONE)
    readiness.wait(5)
    readiness.released(shop, TWO)
    readiness.wait(5)
    said = [(entry.kind, entry.message) for entry in trail.entries()]
    assert said == [
        ("laboratory.unready", f"shop: nothing could be reproduced at {ONE[:10]} now: the lock names no wheel")
    ]


def test_a_stopped_one_begins_nothing(shop, trail):
    """After the stop no build starts."""
    made = []
    readiness = Readiness(lambda _, commit: made.append(commit), trail)
    readiness.stop()
    readiness.released(shop, ONE)
    readiness.wait(5)
    assert made == []
