"""A service is frozen for a while, and nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from drills.drill import Fault
from drills.injection import inject


class Restarting:
    """A supervisor whose service has no process at the first looks."""

    def __init__(self, pid, looks):
        self._pids = [*[0] * looks, pid]

    def state(self):
        return {"pid": self._pids.pop(0) if len(self._pids) > 1 else self._pids[0]}


def state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def freeze(supervisor):
    inject(SimpleNamespace(supervisor=supervisor), Fault("process", 0.0, options={"action": "freeze", "seconds": 0.5}))


def test_a_service_that_is_being_restarted_is_frozen_once_it_is_there():
    """Pid 0 would be the whole group of the examiner itself."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as service:
        freeze(Restarting(service.pid, looks=3))
        assert _becomes(service.pid, "T")
        assert _becomes(service.pid, "S")
        service.kill()


def test_without_a_process_nobody_is_frozen():
    """Not within the time in which a restart should have made one."""
    began = time.monotonic()
    freeze(Restarting(0, looks=0))
    assert state(os.getpid()) == "R"
    assert time.monotonic() < began + 10


def _becomes(pid, wanted):
    deadline = time.monotonic() + 5
    while state(pid) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    return state(pid) == wanted
