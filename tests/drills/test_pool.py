"""Stagings side by side: each answers or is lost by itself, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from small_service import small_drill

from drills.ground import Ground
from drills.pool import Lost, Pool
from drills.processes import Processes, born, marked_processes
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


class Enough(Exception):
    """What was waited for was heard."""


def test_what_a_staging_says_is_heard_on_its_way(tmp_path):
    """With the number of its order; nobody waits a minute without a word."""
    ground, lines = Ground(tmp_path / "ground"), []

    def heard(number, text):
        lines.append((number, text))
        if len(lines) > 1:
            raise Enough

    order = Order(drill=str(small_drill(tmp_path)), cache=str(ground.cache))
    with pytest.raises(Enough):
        list(Pool(ground, 1, heard).each([order], lambda _number: None))
    assert [number for number, _ in lines] == [0, 0]
    assert "history is written" in lines[0][1]
    assert "environment is built" in lines[1][1]
    assert list((ground.root / "runs").iterdir()) == []


def test_the_answer_of_an_examiner_that_failed_is_not_believed(tmp_path):
    """Whoever wrote it; order and answer lie outside of the run's folder, for the owner only, and go with it."""
    ground = Ground(tmp_path / "ground")
    answers = Pool(ground, 1).each([Order(drill=str(tmp_path / "nowhere"), cache="")], lambda _number: None)
    forger = threading.Thread(target=_forge, args=(ground.root,))
    forger.start()
    ((_, answer),) = answers
    forger.join()
    assert isinstance(answer, Lost)
    assert list((ground.root / "orders").iterdir()) == []


def _forge(root):
    (order,) = _until(lambda: list(root.glob("orders/*/order.json")))
    assert order.parent.stat().st_mode & 0o077 == 0
    (order.parent / "result.json").write_text('{"problem": ""}')


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_what_a_killed_range_leaves_is_ended_by_the_next_start(tmp_path, number):
    """The examiner, the agent, and a service without the run's mark whose supervisor was killed, too."""
    root = tmp_path / "ground"
    folder = small_drill(tmp_path)
    argv = [sys.executable, "-c", KILLED, str(root), str(folder)]
    with subprocess.Popen(argv, env=child_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as range_:
        assert range_.stdout.readline() == b"begun\n"
        (run,) = _until(lambda: list((root / "runs").glob("*/")))
        processes = Processes(run / "processes")
        _until(lambda: processes.alive("agent"), seconds=90.0)
        service = _until(lambda: _child(processes.pid("supervisor")))
        family = {processes.pid(name) for name in ("examiner", "traffic", "agent")} | {service}
        if number == signal.SIGKILL:
            os.kill(processes.pid("supervisor"), number)  # the service is left alone with nothing that names its run
        os.kill(range_.pid, number)
        range_.wait(60)
    if number == signal.SIGKILL:
        assert all(born(pid) for pid in family)
    ground = Ground(root)
    with ground.locked():
        ground.clean()
    assert [pid for pid in family if born(pid)] == []
    assert marked_processes(run / "processes") == ()
    assert list((root / "runs").iterdir()) == []


def _child(pid):
    """The first process that was started by another."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(found[0]) if found else None


def _until(look, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found
