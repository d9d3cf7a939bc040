"""Watches one sandboxed run from outside: bounds what all its processes use together, and ends it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

ENDING = "ending"
MEBI = 1 << 20
WATCH_EVERY = 0.05
DYING_SECONDS = 10
BLOCK = 512
PAGE = os.sysconf("SC_PAGE_SIZE")
LONGEST_STATUS = 4096


class Bounds(Protocol):
    """What is watched."""

    @property
    def wall(self) -> float:
        """Seconds."""
        ...

    @property
    def memory_mib(self) -> int:
        """Of all processes together."""
        ...

    @property
    def processes(self) -> int:
        """How many there may be at once."""
        ...


class Watcher:
    """Waits for a run. ``status`` is the reading end of bubblewrap's status pipe, closed by `watch`.

    ``ending`` ends the run whatever it has used.
    """

    def __init__(self, process: subprocess.Popen[bytes], status: int, bounds: Bounds, ending: threading.Event) -> None:
        self._process, self._status, self._bounds, self._ending = process, status, bounds, ending
        self._first: int | None = None

    def watch(self) -> str | None:
        """The limit that was broken (wall, memory, processes, ending), or None when the run ended by itself; it is over then."""
        try:
            return self._until_over()
        finally:
            self._end()
            os.close(self._status)

    def _until_over(self) -> str | None:
        deadline = time.monotonic() + self._bounds.wall
        os.set_blocking(self._status, False)
        with _ended(self._process.pid) as ended:
            while not ended.poll(WATCH_EVERY * 1000):
                if self._ending.is_set():
                    return ENDING
                if time.monotonic() > deadline:
                    return "wall"
                count, memory = usage(self._process.pid)
                if memory > self._bounds.memory_mib * MEBI:
                    return "memory"
                if count > self._bounds.processes:
                    return "processes"
        return None

    def _find_first(self) -> None:
        """The pid, outside, of the namespace's first process, which bubblewrap writes when it is up."""
        with contextlib.suppress(BlockingIOError):
            for line in os.read(self._status, LONGEST_STATUS).splitlines():
                with contextlib.suppress(ValueError):
                    self._first = json.loads(line).get("child-pid", self._first)

    def _end(self) -> None:
        """Kill what is left, inside first, and reap. Before bubblewrap has told the pid, it dies with its parent."""
        if self._process.poll() is None:
            self._find_first()
            if self._first is not None:
                _kill_and_wait(self._first)
            self._process.kill()
        self._process.wait()


def _kill_and_wait(first: int) -> None:
    """Kill a namespace's first process; it has ended only when all the others have."""
    with contextlib.suppress(ProcessLookupError, PermissionError), _ended(first) as ended:
        os.kill(first, signal.SIGKILL)
        ended.poll(DYING_SECONDS * 1000)


@contextlib.contextmanager
def _ended(pid: int) -> Iterator[select.poll]:
    """A poll that is ready at once when the process ends."""
    descriptor = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        yield poll
    finally:
        os.close(descriptor)


def usage(root: int) -> tuple[int, int]:
    """Number of processes below ``root``, and the bytes they hold: resident, and in files that have no name any more.

    Shared pages count once a process. Unlinked files are where memory hides from the resident figure (memfd).
    """
    found, memory, waiting = 0, 0, _children(root)
    hidden: dict[tuple[int, int], int] = {}
    while waiting:
        pid = waiting.pop()
        found += 1
        with contextlib.suppress(OSError, ValueError, IndexError):
            memory += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        with contextlib.suppress(OSError):
            hidden |= _hidden(pid)
        waiting += _children(pid)
    return found, memory + sum(hidden.values())


def _children(pid: int) -> list[int]:
    """Children of every thread of a process; empty when it is gone."""
    children: list[int] = []
    with contextlib.suppress(OSError, ValueError):
        for thread in os.scandir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError, ValueError):
                children += [int(child) for child in Path(thread.path, "children").read_text().split()]
    return children


def _hidden(pid: int) -> dict[tuple[int, int], int]:
    sizes: dict[tuple[int, int], int] = {}
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            about = Path(entry.path).stat()
            if stat.S_ISREG(about.st_mode) and about.st_nlink == 0:
                sizes[about.st_dev, about.st_ino] = about.st_blocks * BLOCK
    return sizes
