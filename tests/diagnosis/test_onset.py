"""When it began, and what is said where that cannot be known."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.diagnosis.onset import onset, step
from agent.model.evidence import Spell
from agent.model.record import Window
from fakes import records
from fakes.clock import NOON

NOISE = Random(7)


def seconds(count):
    return timedelta(seconds=count)


def ask(signature=None, signal="mae_ratio", **fields):
    window = Window(start=NOON, end=NOON + seconds(60))
    evidence = records.evidence(**{"window": window, "alerted_at": NOON + seconds(40), **fields})
    return onset(evidence, signature, signal, NOON + seconds(45))


def course(change, *, base=0.8, noise=0.01, high=1.4, start=-100, end=60):
    """A noisy signal that changes at a second."""
    return tuple(
        (NOON.timestamp() + n, (high if n >= change else base) + NOISE.uniform(-noise, noise))
        for n in range(start, end)
    )


@pytest.mark.parametrize(
    ("quiet", "count", "sure"),
    [(60, 601, True), (2, 601, False), (0, 601, False), (60, 11, False), (300, 11, True), (60, 1, True), (0, 1, False)],
)
def test_the_first_failure_is_certain_after_a_silence_only(quiet, count, sure):
    """Three usual gaps without one before it; else the log may begin in the midst of it, and that is said."""
    first = NOON - seconds(600)
    spell = Spell(first=first, last=first if count == 1 else NOON, count=count)
    found = ask(records.FAULT, spells={records.FAULT.fingerprint: spell}, log_begins=first - seconds(quiet))
    assert found.at == first
    assert (found.doubts == ()) is sure


@pytest.mark.parametrize("change", [-40, -3, 0, 17, 40])
def test_a_signal_began_when_it_stepped_out_of_its_usual_range(change):
    """Before the window or within it, whatever the alert waited for."""
    found = ask(course=course(change))
    assert found == (NOON + seconds(change), ())


@pytest.mark.parametrize(
    "fields",
    [
        {"course": course(1000)},
        {"course": course(10, start=-4)},
        {"course": course(10, noise=0.9)},
        {"course": ()},
        {"course": course(43)},
    ],
    ids=["no-step", "nothing-before", "noise", "nothing", "after-the-alert"],
)
def test_without_a_clear_step_the_alert_s_own_start_is_taken(fields):
    """And that it may have begun earlier is said."""
    found = ask(**fields)
    assert found.at == NOON + seconds(40)
    assert "may have begun earlier" in found.doubts[0]


def test_an_incident_without_an_alert_s_time_has_its_own():
    """Nothing better is known than when it was opened."""
    assert ask(alerted_at=None).at == NOON + seconds(45)


def test_nothing_begins_after_its_alert():
    """A scrape that is stamped a moment later is the one that raised it."""
    assert ask(course=course(41)).at == NOON + seconds(40)


def test_an_unknown_signature_is_no_onset():
    """Nothing in the log: the signal tells."""
    assert ask(records.FAULT, course=course(5)).at == NOON + seconds(5)


def test_spikes_before_it_are_no_onset():
    """Two bad seconds a while ago, and single good ones since."""
    points = list(course(10))
    for second in (-30, -29):
        points[second + 100] = (NOON.timestamp() + second, 9.0)
    for second in (15, 25):
        points[second + 100] = (NOON.timestamp() + second, 0.8)
    assert ask(course=tuple(points)).at == NOON + seconds(10)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(allow_nan=False, allow_infinity=False, width=32)), max_size=60))
def test_a_step_is_one_of_the_points(points):
    """Whatever the signal did: never before what was read begins, never after the alert."""
    before = [point for point in points if point[0] < 50]
    found = step(points, before, until=80)
    assert found is None or (found <= 80 and found in [at for at, _ in points])
