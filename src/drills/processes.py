"""Detached processes that outlive who started them, and their certain end.

A started process leaves a record (pid, start time and boot) in a folder, and carries the folder's name in its environment,
so that a later run ends exactly what an earlier one left behind: never a process that merely got the same pid. What drops
the mark is found by the recorded process's session, or as a descendant of what was found.
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
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_PARENT, _SESSION, _START_TIME = 0, 2, 18  # fields 4, 6 and 22 of /proc/PID/stat, behind the command name and the state
_CPU: Final = slice(10, 14)  # fields 14 to 17: user and system time, its own and of the children it waited for
_ZOMBIE: Final = "Z"
_ROUNDS: Final = 5  # of looking for what is left; a process that is being started may be missed by one
_CHILDREN: list[subprocess.Popen[bytes]] = []  # ours to reap, whichever `Processes` started them
_STATUSES: dict[int, int] = {}  # pid: exit status of those that were reaped


@dataclass(frozen=True)
class Started:
    """A process as recorded: ``born`` is its start time in clock ticks since boot, which no later pid shares."""

    name: str
    pid: int
    born: int


def born(pid: int) -> int | None:
    """Start time of a living process in clock ticks since boot; None when there is none (or only a zombie)."""
    fields = _fields(pid)
    return None if fields is None else fields[_START_TIME]


def marked(env: Mapping[str, str]) -> dict[str, str]:
    """An environment with this process's own mark, where it has one: what it starts ends with its run."""
    return {**env, **{name: os.environ[name] for name in (MARK,) if name in os.environ}}


class Processes:
    """The processes of one run, recorded in ``folder`` (made when missing)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._folder.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, argv: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> Started:
        """Start ``argv`` in a session of its own, output appended to ``log``. Raises `OSError` when it cannot."""
        with log.open("ab") as output:
            child = subprocess.Popen(
                list(argv),
                env={**env, MARK: str(self._folder)},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _CHILDREN.append(child)
        _STATUSES.pop(child.pid, None)
        started = Started(name=name, pid=child.pid, born=born(child.pid) or 0)
        record = self._folder / f"{name}.json"
        record.write_text(json.dumps({**asdict(started), "boot": _boot()}), encoding="utf-8")
        return started

    def alive(self, name: str) -> bool:
        """Whether the recorded process of that name still runs."""
        started = self._recorded(name)
        return started is not None and born(started.pid) == started.born

    def pid(self, name: str) -> int | None:
        """The recorded pid of that name."""
        started = self._recorded(name)
        return None if started is None else started.pid

    def status(self, name: str) -> int | None:
        """Exit status of an ended process that this very process started; None while it runs and for all others."""
        started = self._recorded(name)
        _reap()
        return None if started is None else _STATUSES.get(started.pid)

    def ticks(self) -> int:
        """CPU time of all that is this run's, this process included, in clock ticks; also of ended ones, if waited for."""
        recorded = tuple(one for path in self._folder.glob("*.json") if (one := self._recorded(path.stem)) is not None)
        pids = (os.getpid(), *(one.pid for one in self._family(recorded)))
        return sum(sum(fields[_CPU]) for pid in pids if (fields := _fields(pid)) is not None)

    def end(self, name: str, *, grace: float = 8.0) -> None:
        """End one process: asked first, killed with its whole group after ``grace`` seconds."""
        started = self._recorded(name)
        if started is not None:
            _end((started,), grace=grace)
            (self._folder / f"{name}.json").unlink(missing_ok=True)
        _reap()

    def end_all(self, *, grace: float = 8.0) -> None:
        """End every recorded process, then whatever else is this run's, until nothing is found."""
        recorded = tuple(
            started for path in self._folder.glob("*.json") if (started := self._recorded(path.stem)) is not None
        )
        left = self._family(recorded)  # seen before their parents end: orphans without a mark have no other trace
        _end(recorded, grace=grace)
        for _ in range(_ROUNDS):
            left = tuple({*self._family(recorded), *(one for one in left if born(one.pid) == one.born)})
            if not left:
                break
            _end(left, grace=2.0)
        for path in self._folder.glob("*.json"):
            path.unlink(missing_ok=True)
        _reap()

    def _family(self, recorded: Sequence[Started]) -> tuple[Started, ...]:
        """What carries the mark or is in a recorded process's session, and all their descendants."""
        table = _table()
        # A session's number is given to no other process while a member lives: a leader born later is a stranger.
        sessions = {one.pid for one in recorded if one.pid not in table or table[one.pid][_START_TIME] == one.born}
        found = {one.pid for one in marked_processes(self._folder)}
        found |= {pid for pid, fields in table.items() if fields[_SESSION] in sessions}
        while more := {pid for pid, fields in table.items() if fields[_PARENT] in found} - found:
            found |= more
        found.discard(os.getpid())
        return tuple(Started(str(pid), pid, table[pid][_START_TIME]) for pid in found if pid in table)

    def _recorded(self, name: str) -> Started | None:
        try:
            raw = json.loads((self._folder / f"{name}.json").read_text(encoding="utf-8"))
            if raw.get("boot", _boot()) != _boot():
                return None  # pids and start times count from a boot
            return Started(name=str(raw["name"]), pid=int(raw["pid"]), born=int(raw["born"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
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
    for child in list(_CHILDREN):
        status = child.poll()
        if status is not None:
            _STATUSES[child.pid] = status
            _CHILDREN.remove(child)


def _table() -> dict[int, list[int]]:
    """The fields of all living processes, by pid."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return {pid: fields for pid in pids if (fields := _fields(pid)) is not None}


def _fields(pid: int) -> list[int] | None:
    """The numbers behind the state in /proc/PID/stat; None for a process that is none, or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state == _ZOMBIE else [int(field) for field in fields]


def _boot() -> str:
    return _BOOT.read_text(encoding="ascii").strip()
