"""Detached processes that outlive who started them, and their certain end.

A started process leaves a record (pid and start time) in a folder, and carries the folder's name in its environment,
so that a later run ends exactly what an earlier one left behind: never a process that merely got the same pid.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

MARK: Final = "MPA_DEMO_RUN"
_START_TIME: Final = 18  # where field 22 of /proc/PID/stat stands after the command name and the state
_ZOMBIE: Final = "Z"
_CHILDREN: list[subprocess.Popen[bytes]] = []  # ours to reap, whichever `Processes` started them


@dataclass(frozen=True)
class Started:
    """A process as recorded: ``born`` is its start time in clock ticks since boot, which no later pid shares."""

    name: str
    pid: int
    born: int


def born(pid: int) -> int | None:
    """Start time of a living process in clock ticks since boot; None when there is none (or only a zombie)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state == _ZOMBIE else int(fields[_START_TIME])


class Processes:
    """The processes of one run, recorded in ``folder`` (made when missing)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._folder.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, argv: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> Started:
        """Start ``argv`` in a session of its own, output appended to ``log``. Raises `OSError` when it cannot."""
        marked = {**env, MARK: str(self._folder)}
        with log.open("ab") as output:
            child = subprocess.Popen(
                list(argv),
                env=marked,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _CHILDREN.append(child)
        started = Started(name=name, pid=child.pid, born=born(child.pid) or 0)
        record = self._folder / f"{name}.json"
        record.write_text(json.dumps(asdict(started)), encoding="utf-8")
        return started

    def alive(self, name: str) -> bool:
        """Whether the recorded process of that name still runs."""
        started = self._recorded(name)
        return started is not None and born(started.pid) == started.born

    def end(self, name: str, *, grace: float = 8.0) -> None:
        """End one process: asked first, killed with its whole group after ``grace`` seconds."""
        started = self._recorded(name)
        if started is not None:
            _end((started,), grace=grace)
            (self._folder / f"{name}.json").unlink(missing_ok=True)
        _reap()

    def end_all(self, *, grace: float = 8.0) -> None:
        """End every recorded process, then whatever else carries this run's mark."""
        recorded = tuple(
            started for path in self._folder.glob("*.json") if (started := self._recorded(path.stem)) is not None
        )
        _end(recorded, grace=grace)
        _end(marked_processes(self._folder), grace=2.0)
        for path in self._folder.glob("*.json"):
            path.unlink(missing_ok=True)
        _reap()

    def _recorded(self, name: str) -> Started | None:
        try:
            raw = json.loads((self._folder / f"{name}.json").read_text(encoding="utf-8"))
            return Started(name=str(raw["name"]), pid=int(raw["pid"]), born=int(raw["born"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None  # a record cut short by a kill names no process; the mark still finds it


def marked_processes(folder: Path) -> tuple[Started, ...]:
    """Living processes that were started (by whatever descendant) under the mark of ``folder``."""
    mark = f"{MARK}={folder.resolve()}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environ = (entry / "environ").read_bytes()
        except OSError:
            continue  # it ended meanwhile, or it belongs to somebody else
        start = born(int(entry.name))
        if start is not None and mark in environ.split(b"\0"):
            found.append(Started(name=entry.name, pid=int(entry.name), born=start))
    return tuple(found)


def _end(processes: Sequence[Started], *, grace: float) -> None:
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 2.0)):
        for process in processes:
            _signal(process, number)
        deadline = time.monotonic() + seconds
        while any(born(each.pid) == each.born for each in processes) and time.monotonic() < deadline:
            time.sleep(0.02)


def _signal(process: Started, number: signal.Signals) -> None:
    """Signal exactly that process, and on SIGKILL its own group too; gone already is fine."""
    if born(process.pid) != process.born:
        return
    try:
        if number is signal.SIGKILL and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)
    except ProcessLookupError:
        return


def _reap() -> None:
    """Take the exit status of ended children, so that no zombie stays."""
    _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]
