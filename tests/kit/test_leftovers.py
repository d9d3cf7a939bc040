"""What a killed process left running is ended, and nothing else."""

import subprocess
import sys

import pytest

from agent.kit.leftovers import end_leftovers
from agent.kit.workspaces import Workspaces

SLEEPS = "import time; time.sleep(60)"


@pytest.fixture
def sleeper():
    """Starts processes that sleep, under any name and with any arguments; ends them all."""
    started = []

    def start(name, *arguments):
        argv = [name, "-c", SLEEPS, *map(str, arguments)]
        started.append(subprocess.Popen(argv, executable=sys.executable))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_only_the_program_that_names_the_folder_is_ended(sleeper, tmp_path):
    """Other programs, other folders, and folders with a longer name stay."""
    gone = sleeper("/usr/bin/bwrap", "--ro-bind", tmp_path / "dead" / "tree")
    stay = [
        sleeper("less", tmp_path / "dead" / "tree"),
        sleeper("bwrap", tmp_path / "dead-not" / "tree"),
        sleeper("bwrap", tmp_path / "live" / "tree"),
    ]
    assert end_leftovers("bwrap", tmp_path / "dead") == 1
    assert gone.wait(10) == -9
    assert [process.poll() for process in stay] == [None, None, None]


def test_a_sweep_ends_sandboxes_of_dead_processes_only(sleeper, tmp_path):
    """A live process's sandbox goes on; one whose owner is dead is killed before its folder goes."""
    live, sweeper = Workspaces(tmp_path), Workspaces(tmp_path)
    dead = tmp_path / "process-dead"
    dead.mkdir()
    orphan, working = sleeper("bwrap", dead / "tree-1"), sleeper("bwrap", live.keep("tree"))
    assert sweeper.sweep() == 1
    assert orphan.wait(10) == -9
    assert working.poll() is None
    assert not dead.exists()
