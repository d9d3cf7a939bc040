"""Detached processes end for certain, and nothing else does."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drills.ground import Ground, Occupied
from drills.processes import MARK, Processes, born, marked_processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)",
]
PARENT_SOURCE = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""
PARENT = [sys.executable, "-c", PARENT_SOURCE]


@pytest.fixture
def processes(tmp_path):
    made = Processes(tmp_path / "processes")
    yield made
    made.end_all(grace=0.1)


def start(processes: Processes, name: str, argv: list[str], tmp_path: Path):
    return processes.start(name, argv, env=dict(os.environ), log=tmp_path / f"{name}.log", cwd=tmp_path)


def until(condition, seconds: float = 10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_started_process_has_a_session_of_its_own(processes, tmp_path):
    """A hang-up of the terminal that started the demo does not reach the process."""
    started = start(processes, "one", SLEEP, tmp_path)
    assert os.getsid(started.pid) == started.pid
    assert processes.alive("one")


def test_end_stops_the_process_and_forgets_it(processes, tmp_path):
    """An ended process is gone and its record too."""
    started = start(processes, "one", SLEEP, tmp_path)
    processes.end("one")
    assert born(started.pid) is None
    assert not processes.alive("one")
    assert not (tmp_path / "processes" / "one.json").exists()


def test_a_process_that_ignores_the_request_is_killed(processes, tmp_path):
    """Asking comes first, killing after the grace."""
    started = start(processes, "one", STUBBORN, tmp_path)
    until(lambda: "ready" in (tmp_path / "one.log").read_text())
    processes.end("one", grace=0.1)
    assert born(started.pid) is None


def test_orphans_of_a_killed_process_are_found_by_their_mark(processes, tmp_path):
    """A grandchild in another session whose parent was killed ends with the run."""
    started = start(processes, "one", PARENT, tmp_path)
    until(lambda: (tmp_path / "one.log").read_text().strip())
    grandchild = int((tmp_path / "one.log").read_text())
    os.kill(started.pid, signal.SIGKILL)
    assert born(grandchild) is not None
    processes.end_all(grace=0.5)
    assert born(grandchild) is None
    assert marked_processes(tmp_path / "processes") == ()


def test_another_process_with_the_recorded_pid_is_left_alone(processes, tmp_path):
    """A record whose start time differs names somebody else's process."""
    with subprocess.Popen(SLEEP) as other:
        record = {"name": "one", "pid": other.pid, "born": 1}
        (tmp_path / "processes" / "one.json").write_text(json.dumps(record))
        processes.end_all(grace=0.1)
        assert other.poll() is None
        other.kill()


def test_a_record_cut_short_is_no_obstacle(processes, tmp_path):
    """A half-written record neither raises nor hides the process, which its mark still names."""
    started = start(processes, "one", SLEEP, tmp_path)
    (tmp_path / "processes" / "one.json").write_text('{"name": "o')
    assert not processes.alive("one")
    processes.end_all(grace=0.5)
    assert born(started.pid) is None


def test_the_mark_reaches_the_environment(processes, tmp_path):
    """What a process starts can be traced to its run."""
    started = start(processes, "one", SLEEP, tmp_path)
    until(lambda: f"{MARK}={tmp_path / 'processes'}".encode() in Path(f"/proc/{started.pid}/environ").read_bytes())


def test_a_second_demo_in_the_same_place_is_refused(tmp_path):
    """Two demos never share a ground; the message names the holder."""
    ground = Ground(tmp_path / "demo")
    with ground.locked(), pytest.raises(Occupied, match=str(os.getpid())), Ground(tmp_path / "demo").locked():
        pass


def test_cleaning_ends_and_removes_what_a_killed_run_left(tmp_path):
    """The next start finds a clean ground, and kept folders stay."""
    ground = Ground(tmp_path / "demo")
    with ground.locked():
        run, kept = ground.new_run(), tmp_path / "demo" / "runs" / "kept"
        (kept / "processes").mkdir(parents=True)
        (kept / "keep").touch()
        started = start(run.processes, "one", SLEEP, tmp_path)
        assert ground.clean() == 2
    assert born(started.pid) is None
    assert not run.folder.exists()
    assert kept.exists()
