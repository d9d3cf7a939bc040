"""Run a command with bounds on its time and output, and leave no process behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import Misconfigured, Permanent

MINIMAL_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}
CHUNK = 65536
LOOK_EVERY = 0.2


@dataclass(frozen=True)
class Completed:
    """How a command ended. ``returncode`` is negative when a signal ended it."""

    returncode: int
    stdout: bytes
    stderr: bytes
    timed_out: bool
    truncated: bool

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def problem(self) -> str:
        """The last 500 characters of standard error, or of standard output when there is none."""
        return (self.stderr or self.stdout).decode("utf-8", "replace").strip()[-500:]


class _Drain(threading.Thread):
    """Reads a pipe to its end and keeps the first ``limit`` bytes, so that the writer never blocks."""

    def __init__(self, pipe: IO[bytes], limit: int) -> None:
        super().__init__(daemon=True)
        self._pipe, self._limit = pipe, limit
        self.kept = bytearray()
        self.truncated = False
        self.start()

    def run(self) -> None:
        """Read until the pipe closes."""
        with self._pipe:
            while chunk := self._pipe.read(CHUNK):
                room = self._limit - len(self.kept)
                self.kept += chunk[:room]
                self.truncated = self.truncated or len(chunk) > room


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    max_output: int = 1 << 20,
    pass_fds: Sequence[int] = (),
    ending: threading.Event | None = None,
) -> Completed:
    """Run ``argv`` in a process group of its own, at most ``timeout`` seconds, keeping ``max_output`` bytes a stream.

    When ``ending`` is set it is killed, and told as timed out.

    Raises `Misconfigured` when the program does not exist, `Permanent` when it cannot be started with these arguments.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(MINIMAL_ENV if env is None else env),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            pass_fds=tuple(pass_fds),
        )
    except OSError as error:
        if cwd is not None and not cwd.is_dir():
            raise Permanent(f"cannot run {argv[0]} in {cwd}: there is no such folder") from error
        raise Misconfigured(f"cannot run {argv[0]}: {error}. Install it or put it on PATH") from error
    except ValueError as error:  # a zero byte in an argument, which no command line can carry
        raise Permanent(f"cannot run {argv[0]}: {error}") from error
    if process.stdout is None or process.stderr is None:
        raise Misconfigured(f"cannot read what {argv[0]} prints")
    drains = (_Drain(process.stdout, max_output), _Drain(process.stderr, max_output))
    feeder = _feed(process, stdin)
    try:
        timed_out = not _ended(process, timeout, ending)
    finally:
        _end(process)
    for thread in (*drains, *feeder):
        thread.join(timeout=5)
    truncated = any(drain.truncated for drain in drains)
    out, err = (bytes(drain.kept) for drain in drains)
    return Completed(process.returncode, out, err, timed_out, truncated)


def _ended(process: subprocess.Popen[bytes], timeout: float, ending: threading.Event | None) -> bool:
    """Wait; whether the process ended by itself."""
    deadline = time.monotonic() + timeout
    while True:
        left = deadline - time.monotonic()
        try:
            process.wait(max(0.0, left if ending is None else min(left, LOOK_EVERY)))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline or (ending is not None and ending.is_set()):
                return False
        else:
            return True


def _feed(process: subprocess.Popen[bytes], data: bytes | None) -> tuple[threading.Thread, ...]:
    """Write standard input from a thread: a command that does not read must not block us."""
    pipe = process.stdin
    if pipe is None:
        return ()

    def write() -> None:
        try:
            with pipe:
                view = memoryview(data or b"")
                while view:
                    view = view[pipe.write(view) :]
        except (BrokenPipeError, OSError):
            return  # the command ended without reading all of it, which its exit code tells

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return (thread,)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the group, then reap."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # the group is gone
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
