"""The supervisor of a target: supervisord, spoken to over its unix socket."""

from __future__ import annotations

import http.client
import socket
import time
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import Misconfigured, Permanent, Unreachable

TIMEOUT = 10.0
POLL = 0.05
DOWN = frozenset({"STOPPED", "EXITED", "FATAL"})
NO_FILE, NOT_RUNNING, ALREADY_STARTED, BAD_NAME = 20, 70, 60, 10
_START_TIME = 19  # field 22 of /proc/PID/stat, counted after the name


@dataclass(frozen=True)
class Identity:
    """One life of a process: the pid and its start in clock ticks since boot, which no later process shares."""

    pid: int
    born: int


@dataclass(frozen=True)
class ProgramState:
    """What the supervisor says about its program; ``identity`` is None when nothing runs."""

    state: str
    identity: Identity | None
    since: datetime | None
    problem: str


class Supervisor:
    """One program of one supervisord. Every call has a time limit; a socket that is not there is `Unreachable`."""

    def __init__(self, path: Path, program: str = "service", *, pause: Callable[[float], None] = time.sleep) -> None:
        self._path = path
        self._program = program
        self._pause = pause

    def answers(self) -> bool:
        """Whether the supervisor is up."""
        try:
            self._call("supervisor.getState")
        except Unreachable:
            return False
        return True

    def state(self) -> ProgramState:
        """The program's state and the identity of its process. Raises `Unreachable`, `Misconfigured`."""
        info = self._call("supervisor.getProcessInfo", self._program)
        pid = int(info["pid"])
        born = _born(pid) if pid else None
        return ProgramState(
            state=str(info["statename"]),
            identity=None if born is None else Identity(pid, born),
            since=datetime.fromtimestamp(info["start"], UTC) if pid and info["start"] else None,
            problem=str(info.get("spawnerr") or info.get("description") or ""),
        )

    def restart(self, *, seconds: float = 30.0) -> None:
        """Stop the program when it runs, then start it; whether it stays up is for the caller to see.

        Raises `Permanent` when it does not stop within ``seconds`` or cannot be started at all.
        """
        self.stop(seconds=seconds)
        try:
            self._call("supervisor.startProcess", self._program, False)  # noqa: FBT003 - the wire format
        except _Refused as refused:
            if refused.code != ALREADY_STARTED:
                raise Permanent(f"the supervisor did not start {self._program}: {refused}") from refused

    def stop(self, *, seconds: float = 30.0) -> None:
        """Stop the program; one that does not run is fine. Raises `Permanent` when it does not end."""
        try:
            self._call("supervisor.stopProcess", self._program, False)  # noqa: FBT003 - the wire format
        except _Refused as refused:
            if refused.code != NOT_RUNNING:
                raise Permanent(f"the supervisor did not stop {self._program}: {refused}") from refused
        deadline = time.monotonic() + seconds
        while (state := self.state()).state not in DOWN:
            if time.monotonic() > deadline:
                raise Permanent(f"{self._program} did not stop within {seconds:.0f} s ({state.state.lower()})")
            self._pause(POLL)

    def log_tail(self, length: int = 4000) -> str:
        """The last bytes of what the program printed; untrusted."""
        texts = []
        for stream in ("Stdout", "Stderr"):
            try:
                texts.append(str(self._call(f"supervisor.readProcess{stream}Log", self._program, -length, 0)))
            except _Refused as refused:
                if refused.code != NO_FILE:
                    texts.append(f"(no log: {refused})")
        return "\n".join(text for text in texts if text)[-length:]

    def shutdown(self) -> None:
        """Ask the supervisor to end with all it runs."""
        self._call("supervisor.shutdown")

    def _call(self, method: str, *arguments: object) -> Any:
        try:
            with xmlrpc.client.ServerProxy("http://supervisor", transport=_Transport(self._path)) as proxy:
                return getattr(proxy, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == BAD_NAME:
                raise Misconfigured(f"the supervisor at {self._path.name} has no program {self._program!r}") from fault
            raise _Refused(fault.faultCode, fault.faultString) from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.Error, ValueError) as error:
            raise Unreachable(f"the supervisor at {self._path.name} did not answer: {error}. Is it started?") from error


class _Refused(Permanent):
    """The supervisor answered with a fault."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("supervisor", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        """Connect to the unix socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.close()
            raise


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        """A fresh connection, kept where the library closes it."""
        connection = _Connection(self._path)
        self._connection = host, connection
        return connection


def _born(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state == "Z" else int(fields[_START_TIME - 1])


def working_folder(pid: int) -> Path | None:
    """The folder a process works in, or None when it is gone or not ours to see."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None
