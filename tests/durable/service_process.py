"""The real agent as a process that can be killed, and what one can know of it from outside."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from drills.door import Door
from drills.processes import born

SOURCES = Path(__file__).resolve().parents[2] / "src"
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
STOP_SECONDS = 20.0
GONE_SECONDS = 10.0


def until(ready: Callable[[], Any], seconds: float, what: str, *, every: float = 0.05) -> Any:
    """The first true value of ``ready``. Raises AssertionError that says what was waited for."""
    deadline = time.monotonic() + seconds
    while not (value := ready()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(every)
    return value


def children(pid: int) -> dict[int, int]:
    """Living descendants of a process: pid and start time."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue  # it ended meanwhile
            parents.setdefault(parent, []).append(int(entry.name))
    found, waiting = {}, [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            start = born(child)
            if start is not None:
                found[child] = start
            waiting.append(child)
    return found


def living(processes: Mapping[int, int]) -> list[int]:
    """Which of some processes (pid and start time) are alive."""
    return [pid for pid, start in processes.items() if born(pid) == start]


def running_in(folder: Path) -> list[str]:
    """Command lines of living processes that name a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
            except OSError:
                continue  # it ended meanwhile
            if str(folder) in command:
                found.append(command.replace("\0", " ").strip())
    return found


class Service:
    """``python -m agent.cli serve`` in ``folder``, with its state in ``folder/state``; started as often as one likes."""

    def __init__(self, folder: Path, port: int, env: Mapping[str, str]) -> None:
        self.folder, self.port = folder, port
        self.state = folder / "state"
        self._env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self._env |= {"PYTHONPATH": str(SOURCES), "MPA_STATE": str(self.state), "API_PORT": str(port), **env}
        self.door = Door(f"http://127.0.0.1:{port}", self.state / "token")
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self._left: dict[int, int] = {}

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        assert self.process is not None
        return self.process.pid

    def start(self, seconds: float = 60.0) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "agent.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agent.cli", "serve"],
                env=self._env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.starts += 1
        until(self.up, seconds, "the agent's health")
        until(lambda: not living(self._left), GONE_SECONDS, "the end of what the killed agent had started")

    def up(self) -> bool:
        """Whether it answers; a process that ended fails with its log's end."""
        assert self.process is not None
        assert self.process.poll() is None, f"the agent ended by itself:\n{self.last_words()}"
        return self.door.healthy()

    def kill(self) -> None:
        """SIGKILL, nothing else; whatever it had started must be gone soon after the next start."""
        assert self.process is not None
        assert self.process.poll() is None, f"the agent ended before it was killed:\n{self.last_words()}"
        self._left = children(self.pid)
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait(10) == -signal.SIGKILL

    def interrupt(self) -> None:
        """Ctrl-C, as a person presses it; it ends in order within seconds, and takes with it what it had started."""
        assert self.process is not None
        self._left = children(self.pid)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(STOP_SECONDS)
        assert not living(self._left)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    def end(self) -> None:
        """For the end of a test, whatever happened in it."""
        self.door.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def last_words(self) -> str:
        """The end of its log."""
        log = self.folder / "agent.log"
        return log.read_text(encoding="utf-8", errors="replace")[-4000:] if log.exists() else ""


class Rows:
    """The service's database, read from outside while it runs or lies dead."""

    def __init__(self, database: Path) -> None:
        self._url = f"file:{database}?mode=ro"

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of one query; none while there is no database yet."""
        try:
            with closing(sqlite3.connect(self._url, uri=True, timeout=5)) as connection:
                return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError:
            return []

    def incident(self) -> dict[str, Any]:
        """The newest incident; empty when there is none."""
        rows = self.ask("SELECT body FROM incidents ORDER BY opened_at DESC LIMIT 1")
        return json.loads(rows[0][0]) if rows else {}

    def kinds(self, kind: str) -> list[str]:
        """Messages of the trail's entries of one kind, oldest first."""
        return [message for (message,) in self.ask("SELECT message FROM audit WHERE kind = ? ORDER BY seq", kind)]

    def effect(self, name: str) -> str:
        """How far an effect whose name begins so has come: empty, ``intended`` or ``done``."""
        rows = self.ask("SELECT done_at FROM effects WHERE name LIKE ?", f"{name}-%")
        return ("done" if rows[0][0] else "intended") if rows else ""


def waits_for_a_lock(pid: int) -> bool:
    """Whether a process is blocked at somebody else's file lock."""
    words = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any("->" in line and str(pid) in line for line in words)
