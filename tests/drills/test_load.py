"""How busy the machine was with other things, and what counts as too busy."""

from __future__ import annotations

import os
import sys
import time

import pytest

from drills.load import Load, Sample, Watch, summary, ticks, too_much, windows
from drills.processes import Processes

STAT = """cpu  100 10 20 500 5 0 1 2 0 0
cpu0 60 10 10 200 5 0 1 2 0 0
cpu1 40 0 10 300 0 0 0 0 0 0
intr 1
"""
BURN = "import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass"


def samples(*others, every=5.0, per=1000):
    """Measured each ``every`` seconds, with what others took since the one before, of ``per`` ticks."""
    found = [Sample(0.0, 0, 0)]
    for number, one in enumerate(others, 1):
        found.append(Sample(number * every, number * per, found[-1].others + one))
    return found


def test_only_the_processors_that_a_staging_may_use_are_counted():
    """What is idle or waits for a disk is not busy; what a hypervisor took is."""
    assert ticks(STAT, {0}) == (288, 83)
    assert ticks(STAT, {0, 1}) == (638, 133)


def test_the_mean_and_the_busiest_ten_seconds_are_told():
    """A busy moment is not lost in a long staging."""
    found = summary(samples(0, 0, 900, 900, 0, 0, 0, 0), 2)
    assert found == Load(2, 0.225, 0.9)
    assert found.overloaded
    assert summary([Sample(0.0, 0, 0)], 2) is None


def test_busy_is_asked_for_a_time():
    """What was busy before, or afterwards, explains nothing."""
    seen = samples(0, 0, 900, 900, 0, 0, 0, 0)
    assert max(windows(seen, 12.0, 14.0)) == 0.9
    assert max(windows(seen, 31.0, 40.0)) == 0.0


def test_a_staging_shorter_than_ten_seconds_is_taken_whole():
    """Else nothing could be said of it."""
    assert windows(samples(900, every=4.0), 1.0, 2.0) == [0.9]


@pytest.mark.parametrize(
    ("others", "cpus", "busy"), [(0.9, 2, True), (0.5, 2, False), (0.7, 16, False), (0.95, 16, True), (0.3, 1, False)]
)
def test_a_machine_is_too_busy_when_it_leaves_less_than_a_staging_needs(others, cpus, busy):
    """Another staging beside it on two processors is not; many processors leave enough for long."""
    assert too_much(others, cpus) is busy


def test_what_the_staging_takes_itself_is_no_load(tmp_path):
    """Its processes and theirs, with or without its mark, also those that it waited for."""
    processes = Processes(tmp_path / "processes")
    burner = [sys.executable, "-c", BURN.format(seconds=1)]
    nested = [sys.executable, "-c", f"import subprocess, time; subprocess.run({burner!r}, env={{}}); time.sleep(60)"]
    before, hertz = processes.ticks(), os.sysconf("SC_CLK_TCK")
    processes.start("burner", nested, env=dict(os.environ), log=tmp_path / "log", cwd=tmp_path)
    try:
        deadline = time.monotonic() + 30
        while processes.ticks() - before < 0.3 * hertz:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        while processes.ticks() - before < 0.8 * hertz:
            assert time.monotonic() < deadline, "what ended was forgotten"
            time.sleep(0.05)
    finally:
        processes.end_all(grace=0.1)


def test_a_watch_measures_until_it_is_closed(tmp_path, monkeypatch):
    """At least once at its beginning and once later."""
    monkeypatch.setattr("drills.load._EVERY", 0.05)
    watch = Watch(Processes(tmp_path / "processes"))
    deadline = time.monotonic() + 20
    while watch.load() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    watch.close()
    found = watch.load()
    assert found is not None
    assert found.cpus == len(os.sched_getaffinity(0))
    assert 0 <= found.others <= found.busiest <= 1
    assert watch.overloaded(0.0, 1.0) is False
