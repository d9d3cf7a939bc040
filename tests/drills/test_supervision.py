"""The target's supervisor is configured, started and spoken to over its own socket."""

import configparser
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from drills.processes import Processes
from drills.supervision import PROGRAM, Supervisor, configuration


@pytest.fixture
def supervised(tmp_path):
    """A real supervisord that looks after a program which prints where it runs."""
    folder, first = tmp_path / "s", tmp_path / "first"
    for each in (folder, first):
        each.mkdir()
    (tmp_path / "current").symlink_to(first)
    program = "import os, time; print(os.getcwd(), os.environ['PLAIN'], flush=True); time.sleep(60)"
    (first / "program.py").write_text(program)
    text = configuration(
        folder=folder,
        socket_file=folder / "s.sock",
        logs=folder,
        directory=tmp_path / "current",
        command=f"{sys.executable} program.py",
        environment={"PLAIN": "50%,yes"},
    )
    (folder / "supervisord.conf").write_text(text)
    processes = Processes(tmp_path / "processes")
    argv = [sys.executable, "-m", "supervisor.supervisord", "-c", str(folder / "supervisord.conf")]
    processes.start("supervisor", argv, env=dict(os.environ), log=folder / "log", cwd=folder)
    supervisor = Supervisor(folder / "s.sock")
    until(supervisor.answers)
    yield supervisor, tmp_path
    processes.end_all()


def until(condition):
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_restart_starts_what_does_not_run_and_replaces_what_does(supervised):
    """After each restart another process runs, in the folder that the symlink names now."""
    supervisor, folder = supervised
    first = supervisor.restart()
    until(lambda: "first 50%,yes" in (folder / "s/service.out").read_text())
    second_release = folder / "second"
    second_release.mkdir()
    (second_release / "program.py").write_text((folder / "first/program.py").read_text())
    (folder / "next").symlink_to(second_release)
    (folder / "next").rename(folder / "current")
    second = supervisor.restart()
    assert first != second
    until(lambda: "second 50%,yes" in (folder / "s/service.out").read_text())
    assert supervisor.state()["statename"] == "RUNNING"


def test_a_service_that_dies_is_started_again(supervised):
    """The supervisor, not the agent, keeps the service up."""
    supervisor, _ = supervised
    pid = supervisor.restart()
    os.kill(pid, 9)
    until(lambda: supervisor.state()["pid"] not in {0, pid})
    assert supervisor.state()["pid"] not in {0, pid}


def test_restarts_that_meet_each_other_or_a_crash_all_end_well(supervised):
    """The agent deploys, a service crashes again and again: none of it is an error of the one who restarts."""
    supervisor, folder = supervised
    (folder / "first/program.py").write_text("import time; time.sleep(0.05)")
    with ThreadPoolExecutor(3) as several:
        restarts = [several.submit(Supervisor(folder / "s/s.sock").restart) for _ in range(15)]
    assert len([one.result() for one in restarts]) == 15
    assert supervisor.answers()


def test_a_missing_socket_is_no_answer(tmp_path):
    """Nobody behind the socket reads as not up."""
    assert not Supervisor(tmp_path / "none.sock").answers()


def test_configuration_is_a_readable_file(tmp_path):
    """The text parses, and percent signs reach the service unchanged."""
    parser = configparser.RawConfigParser()
    parser.read_string(
        configuration(
            folder=tmp_path,
            socket_file=tmp_path / "s",
            logs=tmp_path,
            directory=tmp_path,
            command="python 100%",
            environment={},
        )
    )
    assert parser[f"program:{PROGRAM}"]["command"] == "python 100%%"
