"""Detached processes end for certain, and nothing else does."""

import ast
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drills.addresses import SHORT, socket_file
from drills.ground import Ground, Occupied
from drills.processes import MARK, Processes, born, marked, marked_processes
from drills.stage import PROJECT

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
UNMARKED_SOURCE = """
import subprocess, sys, time
argv = [sys.executable, '-c', 'import time; time.sleep(60)']
child = subprocess.Popen(argv, env={}, start_new_session=sys.argv[1] == 'session')
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


@pytest.mark.parametrize("gone", [True, False], ids=["its parent was killed", "its parent lives"])
def test_a_child_that_dropped_the_mark_ends_with_its_session_or_its_parent(processes, tmp_path, gone):
    """Installers, tests and services get an environment of their own."""
    argv = [sys.executable, "-c", UNMARKED_SOURCE, "group" if gone else "session"]
    started = start(processes, "one", argv, tmp_path)
    until(lambda: (tmp_path / "one.log").read_text().strip())
    child = int((tmp_path / "one.log").read_text())
    if gone:
        os.kill(started.pid, signal.SIGKILL)
    until(lambda: child not in {one.pid for one in marked_processes(tmp_path / "processes")})
    processes.end_all(grace=0.5)
    assert born(child) is None


@pytest.mark.parametrize("changed", [{"born": 1}, {"boot": "an earlier one"}])
def test_a_session_of_somebody_else_is_left_alone(processes, tmp_path, changed):
    """Its leader has the recorded pid, but another start time, or the record is of an earlier boot."""
    with subprocess.Popen(SLEEP, start_new_session=True) as other:
        record = {"name": "one", "pid": other.pid, "born": born(other.pid)}
        (tmp_path / "processes" / "one.json").write_text(json.dumps({**record, **changed}))
        processes.end_all(grace=0.1)
        assert other.poll() is None
        other.kill()


def test_the_exit_status_of_an_ended_child_is_kept(processes, tmp_path):
    """Also when another end has reaped it; a killed one has none that is good."""
    start(processes, "well", [sys.executable, "-c", ""], tmp_path)
    start(processes, "killed", SLEEP, tmp_path)
    assert processes.status("killed") is None
    processes.end("other")
    os.kill(processes.pid("killed"), signal.SIGKILL)
    until(lambda: not processes.alive("well") and not processes.alive("killed"))
    assert (processes.status("well"), processes.status("killed")) == (0, -signal.SIGKILL)


def test_an_environment_is_marked_where_this_process_is(monkeypatch):
    """A demo's own process has no mark to pass on."""
    monkeypatch.delenv(MARK, raising=False)
    assert marked({"A": "1"}) == {"A": "1"}
    monkeypatch.setenv(MARK, "run")
    assert marked({"A": "1"}) == {"A": "1", MARK: "run"}


def test_whoever_makes_an_environment_for_a_program_passes_the_mark_on():
    """Acceptance, installers, git and the target's tests end with their run."""
    made = {
        ast.unparse(value)
        for path in sorted((PROJECT / "src" / "drills").glob("*.py"))
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for value in environments(function)
    }
    assert made
    assert [one for one in made if not one.startswith(("marked(", "{**os.environ", "{**env, MARK:"))] == []


def environments(function):
    """What a function gives programs as their environment; a local variable is looked up."""
    named = {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("subprocess."):
            for keyword in node.keywords:
                if keyword.arg == "env":
                    yield named.get(getattr(keyword.value, "id", ""), keyword.value)


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
    mark = f"{MARK}={tmp_path / 'processes'}".encode()
    until(lambda: mark in Path(f"/proc/{started.pid}/environ").read_bytes())
    assert mark in Path(f"/proc/{started.pid}/environ").read_bytes().split(b"\0")


def test_a_second_demo_in_the_same_place_is_refused(tmp_path):
    """Two demos never share a ground; the message names the holder."""
    ground = Ground(tmp_path / "demo")
    with ground.locked(), pytest.raises(Occupied, match=str(os.getpid())), Ground(tmp_path / "demo").locked():
        pass


def test_a_folder_that_cannot_be_removed_is_told_and_stops_nobody(tmp_path, capsys):
    """The next start is possible; the other runs are removed, with what they have elsewhere."""
    ground, outside = Ground(tmp_path / "demo"), tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "demo" / "runs").mkdir(parents=True)
    (tmp_path / "demo" / "runs" / "a-link").symlink_to(outside)
    run = ground.new_run()
    deep = run.folder / ("x" * 90)
    deep.mkdir()
    short = socket_file(deep).parent
    (deep / SHORT).rename(run.folder / SHORT)
    papers = run.papers
    assert (papers.parent.name, papers.stat().st_mode & 0o077) == ("orders", 0)
    (tmp_path / "demo" / "orders" / "of-nobody").mkdir()
    assert ground.clean() == 2
    assert "a-link cannot be removed" in capsys.readouterr().err
    assert not any(path.exists() for path in (run.folder, short, papers))
    assert list((tmp_path / "demo" / "orders").iterdir()) == []


def test_only_a_short_place_is_removed_through_its_link(tmp_path):
    """Whatever a run's processes made of it."""
    ground = Ground(tmp_path / "demo")
    run, outside = ground.new_run(), tmp_path / "outside"
    outside.mkdir()
    (run.folder / SHORT).symlink_to(outside)
    ground.remove(run)
    assert not run.folder.exists()
    assert outside.exists()


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
