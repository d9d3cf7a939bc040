"""Stagings side by side: each answers or is lost by itself, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from drills.ground import Ground
from drills.pool import Lost, Pool
from drills.processes import marked_processes
from drills.sitting import Order
from drills.stage import child_environment

KILLED = """
import sys
from pathlib import Path
from drills.ground import Ground
from drills.pool import Pool
from drills.sitting import Order
ground = Ground(Path(sys.argv[1]))
with ground.locked():
    list(Pool(ground, 1).each([Order(drill=sys.argv[2], cache=str(ground.cache))], lambda number: print("begun", flush=True)))
"""
DRILL = 'title = "t"\nfamily = "f"\n[target]\nexample = "{example}"\n[[fault]]\nkind = "none"\nafter = 60\n'


def drill(tmp_path, example):
    folder = tmp_path / example
    folder.mkdir()
    (folder / "drill.toml").write_text(DRILL.format(example=example))
    return str(folder)


def test_one_that_crashes_and_one_that_cannot_be_staged_cost_only_themselves(tmp_path):
    """The first ends without an answer, the second says why; both folders are gone afterwards."""
    ground = Ground(tmp_path / "ground")
    orders = [
        Order(drill=str(tmp_path / "nowhere"), cache=str(ground.cache)),
        Order(drill=drill(tmp_path, "no-such-target"), cache=str(ground.cache)),
    ]
    begun = []
    answers = dict(Pool(ground, 2).each(orders, begun.append))
    assert begun == [0, 1]
    assert isinstance(answers[0], Lost)
    assert "drill.toml" in answers[0].why
    assert "no-such-target" in answers[1]["problem"]
    assert list((ground.root / "runs").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_what_a_killed_range_leaves_is_ended_by_the_next_start(tmp_path, number):
    """Every process of a staging carries its run's mark, the examiner's own included."""
    root = tmp_path / "ground"
    folder = drill(tmp_path, "market-predictor")
    argv = [sys.executable, "-c", KILLED, str(root), folder]
    with subprocess.Popen(argv, env=child_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as range_:
        assert range_.stdout.readline() == b"begun\n"
        (processes,) = _until(
            lambda: [run / "processes" for run in (root / "runs").glob("*/") if (run / "processes").exists()]
        )
        _until(lambda: marked_processes(processes))
        os.kill(range_.pid, number)
        range_.wait(20)
    ground = Ground(root)
    with ground.locked():
        ground.clean()
    assert marked_processes(processes) == ()
    assert list((root / "runs").iterdir()) == []


def _until(look, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found
