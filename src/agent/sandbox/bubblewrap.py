"""Runs a command under bubblewrap: own namespaces, read-only system, no network, no secrets, bounded resources.

The namespaces isolate; rlimits bound one process each; a watcher bounds memory and processes of all of them together. On
a timeout the namespace's first process is killed, and with it everything inside.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import Unsafe
from ..kit.command import MINIMAL_ENV, run

INSIDE_UID = 65534
MEBI = 1 << 20
WATCH_EVERY = 0.05
SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SYSTEM_FILES = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
    "/etc/mime.types",
)
TMP = ("--perms", "1777", "--size", str(256 * MEBI), "--tmpfs", "/tmp")  # noqa: S108 - the sandbox's own /tmp


@dataclass(frozen=True)
class Limits:
    """Upper bounds of one run. ``wall`` and ``cpu`` in seconds, ``output`` in bytes per stream."""

    wall: float = 60.0
    cpu: int = 120
    memory_mib: int = 1536
    processes: int = 128
    file_mib: int = 128
    open_files: int = 512
    output: int = 4 * MEBI


@dataclass(frozen=True)
class Bind:
    """A host path made visible inside."""

    source: Path
    at: str
    writable: bool = False


@dataclass(frozen=True)
class SandboxResult:
    """How a run ended; ``limit`` names the bound that ended it (wall, memory, processes), if one did."""

    returncode: int
    stdout: bytes
    stderr: bytes
    limit: str | None
    truncated: bool
    seconds: float

    @property
    def timed_out(self) -> bool:
        """Whether the wall-clock limit ended it."""
        return self.limit == "wall"


class Bubblewrap:
    """Isolation by bubblewrap 0.8 or newer."""

    def __init__(self, program: str = "bwrap") -> None:
        self._program = program
        self._checked = False

    def check(self) -> None:
        """Prove that isolation works here. Raises `Unsafe` with what to do when it does not."""
        if self._checked:
            return
        if shutil.which(self._program) is None:
            raise Unsafe(
                "bubblewrap is not installed, so target code will not be run. Install it: apt-get install bubblewrap"
            )
        done = run([self._program, *self._namespaces(), *self._system(), "--", "/bin/true"], timeout=10)
        if done.returncode != 0:
            raise Unsafe(
                f"bubblewrap cannot isolate here, so target code will not be run: {done.problem}. "
                "Unprivileged user namespaces must be allowed (sysctl kernel.unprivileged_userns_clone=1), "
                "or the container needs permission to create namespaces"
            )
        self._checked = True

    def run(
        self,
        argv: Sequence[str],
        *,
        binds: Sequence[Bind] = (),
        cwd: str = "/tmp",  # noqa: S108 - the sandbox's own /tmp, not the host's
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        stdin: bytes = b"",
    ) -> SandboxResult:
        """Run ``argv`` inside. Raises `Unsafe` where no isolation is to be had; never runs it without."""
        self.check()
        limits = limits or Limits()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as feed:
            feed.write(stdin)
            feed.seek(0)
            began = time.monotonic()
            status_read, status_write = os.pipe()
            command = [*self._command(argv, binds, cwd, env or {}, limits, status_write)]
            process = subprocess.Popen(
                command,
                stdin=feed,
                stdout=out,
                stderr=err,
                env=dict(MINIMAL_ENV),
                pass_fds=(status_write,),
                start_new_session=True,
                preexec_fn=_file_size_limit(limits),  # noqa: PLW1509 - only setrlimit, no locks are taken in it
            )
            os.close(status_write)
            watcher = _Watcher(process, status_read, limits)
            try:
                limit = watcher.wait()
            finally:
                watcher.end()
            texts, truncated = _read(out, err, limits.output)
        return SandboxResult(process.returncode, *texts, limit, truncated, time.monotonic() - began)

    def _namespaces(self) -> list[str]:
        """As root no user namespace is made: the way out of root is a real other uid, which needs SETUID until then."""
        flags = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        flags += ["--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv", "--cap-drop", "ALL"]
        if os.getuid() == 0:
            return [*flags, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        return [*flags, "--unshare-user", "--disable-userns"]

    def _system(self) -> list[str]:
        flags: list[str] = []
        for folder in SYSTEM_FOLDERS:
            path = Path(folder)
            if path.is_symlink():
                flags += ["--symlink", str(path.readlink()), folder]
            elif path.exists():
                flags += ["--ro-bind", folder, folder]
        for file in SYSTEM_FILES:
            flags += ["--ro-bind-try", file, file]
        return [*flags, "--proc", "/proc", "--dev", "/dev", *TMP]

    def _command(
        self,
        argv: Sequence[str],
        binds: Sequence[Bind],
        cwd: str,
        env: Mapping[str, str],
        limits: Limits,
        status: int,
    ) -> list[str]:
        flags = [self._program, *self._namespaces(), "--json-status-fd", str(status), *self._system()]
        for bind in binds:
            flags += ["--bind" if bind.writable else "--ro-bind", str(bind.source), bind.at]
        inside = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", **env}  # noqa: S108
        for name, value in inside.items():
            flags += ["--setenv", name, value]
        flags += ["--remount-ro", "/", "--chdir", cwd, "--"]
        return [*flags, *_bounded(argv, limits)]


def _bounded(argv: Sequence[str], limits: Limits) -> list[str]:
    """Set rlimits, and leave root first: RLIMIT_NPROC does not bind the superuser."""
    drop = []
    if os.getuid() == 0:
        drop = [
            "/usr/bin/setpriv", f"--reuid={INSIDE_UID}", f"--regid={INSIDE_UID}", "--clear-groups", "--no-new-privs", "--",
        ]  # fmt: skip
    bounds = [
        f"--cpu={limits.cpu}",
        f"--data={limits.memory_mib * MEBI}",
        f"--nproc={limits.processes}",
        f"--nofile={limits.open_files}",
        "--core=0",
    ]
    return ["/usr/bin/prlimit", *bounds, "--", *drop, *argv]


def _file_size_limit(limits: Limits) -> Callable[[], None]:
    import resource

    size = limits.file_mib * MEBI

    def apply() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return apply


def _read(out: IO[bytes], err: IO[bytes], limit: int) -> tuple[tuple[bytes, bytes], bool]:
    texts, truncated = [], False
    for file in (out, err):
        file.seek(0, os.SEEK_END)
        truncated = truncated or file.tell() > limit
        file.seek(0)
        texts.append(file.read(limit))
    return (texts[0], texts[1]), truncated


class _Watcher:
    """Waits for a run, bounds the memory and the processes of its whole namespace, and ends it."""

    def __init__(self, process: subprocess.Popen[bytes], status: int, limits: Limits) -> None:
        self._process, self._limits = process, limits
        self._status = status
        self._first: int | None = None

    def wait(self) -> str | None:
        """The limit that was broken, or None when the run ended by itself."""
        deadline = time.monotonic() + self._limits.wall
        self._find_first()
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(WATCH_EVERY)
                return None
            if time.monotonic() > deadline:
                return "wall"
            count, memory = _usage(self._process.pid)
            if memory > self._limits.memory_mib * MEBI:
                return "memory"
            if count > self._limits.processes:
                return "processes"

    def _find_first(self) -> None:
        """The pid, outside, of the namespace's first process; bubblewrap writes it when it is up."""

        def read() -> None:
            with os.fdopen(self._status, "rb") as status:
                for line in status:
                    with contextlib.suppress(ValueError):
                        self._first = json.loads(line).get("child-pid", self._first)

        threading.Thread(target=read, daemon=True).start()

    def end(self) -> None:
        """Kill what is left, inside first, and reap."""
        for pid in (self._first, self._process.pid):
            if pid is not None and self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        self._process.wait()


def _usage(root: int) -> tuple[int, int]:
    """Number of processes below ``root`` and their resident bytes (shared pages counted once a process)."""
    children: dict[int, list[int]] = {}
    sizes: dict[int, int] = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = Path(f"/proc/{entry.name}/stat").read_text()
            fields = stat[stat.rindex(")") + 2 :].split()
            children.setdefault(int(fields[1]), []).append(int(entry.name))
            sizes[int(entry.name)] = int(fields[21]) * 4096
    found, waiting = 0, list(children.get(root, ()))
    memory = 0
    while waiting:
        pid = waiting.pop()
        found += 1
        memory += sizes.get(pid, 0)
        waiting.extend(children.get(pid, ()))
    return found, memory
