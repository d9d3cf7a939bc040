"""Runs a command under bubblewrap: own namespaces, read-only system, no network, no secrets, bounded resources.

The namespaces isolate; rlimits bound one process each; a watcher bounds memory and processes of all of them together;
what can be written lies in memory file systems of a fixed size. On a broken limit the namespace's first process is
killed, and with it everything inside.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ..errors import Busy, Unsafe
from ..kit.command import MINIMAL_ENV, run
from .watcher import ENDING, Watcher

MEBI = 1 << 20
SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SYSTEM_FILES = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
    "/etc/mime.types",
)
SCRATCH = "/tmp"  # noqa: S108 - the sandbox's own, not the host's
SCRATCH_MIB = 256
JAIL = "/jail"
ENTER = 'cd "$1" && shift && exec "$@"'
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the sandbox's own
SHARED_MEMORY_MIB = 64
# systemd's range for users that exist only while a service runs: nobody else has them, and every 16-bit map has them.
# A uid of its own for every run, because RLIMIT_NPROC counts all processes of a uid on the host.
INSIDE_UIDS = range(61184, 65520)
ENDED_BY = {128 + signal.SIGXCPU: "cpu", 128 + signal.SIGXFSZ: "file"}
_runs = itertools.count(os.getpid() * 101)


@dataclass(frozen=True)
class Limits:
    """Upper bounds of one run.

    ``wall`` is in seconds, ``cpu`` in seconds of one process, ``output`` in bytes per stream, ``file_mib`` bounds one
    file. Memory counts all processes together, unlinked memory files included.
    """

    wall: float = 60.0
    cpu: int = 120
    memory_mib: int = 1536
    processes: int = 128
    file_mib: int = 128
    open_files: int = 512
    output: int = 4 * MEBI


@dataclass(frozen=True)
class Bind:
    """A host path made visible inside. What is writable is bounded by ``Limits.file_mib`` per file only."""

    source: Path
    at: str
    writable: bool = False


@dataclass(frozen=True)
class SandboxResult:
    """How a run ended; ``limit`` names the bound that ended it (wall, memory, processes, cpu, file), if one did."""

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


@dataclass(frozen=True)
class _Job:
    """Everything that makes one command line."""

    argv: Sequence[str]
    uid: int
    binds: Sequence[Bind] = ()
    scratch: Mapping[str, int] = field(default_factory=dict)
    cwd: str = SCRATCH
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


class Bubblewrap:
    """Isolation by bubblewrap 0.8 or newer. When ``ending`` is set, what runs is killed and nothing more is run."""

    def __init__(self, program: str = "bwrap", ending: threading.Event | None = None) -> None:
        self._program = program
        self._ending = ending or threading.Event()
        self._checked = False

    def check(self) -> None:
        """Prove that isolation works here. Raises `Unsafe` with what to do when it does not."""
        if self._checked:
            return
        if shutil.which(self._program, path=MINIMAL_ENV["PATH"]) is None:
            raise Unsafe(
                "bubblewrap is not installed, so target code will not be run. Install it: apt-get install bubblewrap"
            )
        with _etc(_uid()) as (etc, files):
            command = [*self._command(_Job(["/bin/true"], _uid()), etc)]
            done = run(command, timeout=10, pass_fds=files)
        if done.returncode != 0:
            raise Unsafe(
                f"bubblewrap cannot isolate here, so target code will not be run: {done.problem or 'it hangs'}. "
                "Unprivileged user namespaces must be allowed (sysctl kernel.unprivileged_userns_clone=1), "
                "or the container needs permission to create namespaces; prlimit comes with util-linux"
            )
        self._checked = True

    def run(
        self,
        argv: Sequence[str],
        *,
        binds: Sequence[Bind] = (),
        scratch: Mapping[str, int] | None = None,
        cwd: str = SCRATCH,
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        stdin: bytes = b"",
    ) -> SandboxResult:
        """Run ``argv`` inside; ``scratch`` maps paths to the MiB of a writable memory file system there.

        Raises `Unsafe` where no isolation is to be had (it is never run without), `Busy` when the agent is ending.
        """
        self.check()
        self._unless_ending()
        job = _Job(argv, _uid(), binds, scratch or {}, cwd, env or {}, limits or Limits())
        began = time.monotonic()
        with _streams(stdin) as (feed, out, err), _etc(job.uid) as (etc, files):
            status_read, status_write = os.pipe()
            try:
                process = subprocess.Popen(
                    self._command(job, [*etc, "--json-status-fd", str(status_write)]),
                    stdin=feed,
                    stdout=out,
                    stderr=err,
                    env=dict(MINIMAL_ENV),
                    pass_fds=(status_write, *files),
                    start_new_session=True,
                )
            except BaseException:  # whatever it was, the pipe's other end is closed before it goes on its way up
                os.close(status_read)
                raise
            finally:
                os.close(status_write)
            limit = Watcher(process, status_read, job.limits, self._ending).watch()
            if limit == ENDING:
                self._unless_ending()
            texts, truncated = _read(out, err, job.limits.output)
        limit = limit or ENDED_BY.get(process.returncode)
        return SandboxResult(process.returncode, *texts, limit, truncated, time.monotonic() - began)

    def _unless_ending(self) -> None:
        if self._ending.is_set():
            raise Busy("the agent is ending, and its runs with it: they are made again at the next start")

    def _command(self, job: _Job, more: Sequence[str]) -> list[str]:
        jail = _jail()
        flags = [self._program, *_namespaces(), *(_folders("") if jail else []), *_system(jail), *more]
        for bind in job.binds:
            flags += _way_to(jail, bind.at)
            flags += ["--bind" if bind.writable else "--ro-bind", str(bind.source), f"{jail}{bind.at}"]
        for path, mebibytes in job.scratch.items():
            flags += _way_to(jail, path)
            flags += _memory(f"{jail}{path}", mebibytes)
        inside = {"PATH": MINIMAL_ENV["PATH"], "HOME": SCRATCH, "LANG": "C.UTF-8", **job.env}
        for name, value in inside.items():
            flags += ["--setenv", name, value]
        flags += ["--remount-ro", f"{jail}/dev", "--remount-ro", "/", "--chdir", "/", "--"]
        return [*flags, *_bounded(job)]


def _jail() -> str:
    """Where the sandbox's files lie. As root it is a folder to be chrooted to, else the new root itself.

    Somebody who is chrooted may not make user namespaces, in which there would be rights and memory file systems that
    nobody counts. Without root bubblewrap forbids them itself.
    """
    return JAIL if os.getuid() == 0 else ""


def _namespaces() -> list[str]:
    """As root no user namespace is made: the way out of root is a real other uid, which needs SETUID until then."""
    flags = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    flags += ["--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv", "--cap-drop", "ALL"]
    if os.getuid() == 0:
        return [*flags, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SYS_CHROOT"]
    return [*flags, "--unshare-user", "--disable-userns"]


def _folders(jail: str) -> list[str]:
    flags: list[str] = []
    for folder in SYSTEM_FOLDERS:
        path = Path(folder)
        if path.is_symlink():
            flags += ["--symlink", str(path.readlink()), f"{jail}{folder}"]
        elif path.exists():
            flags += ["--ro-bind", folder, f"{jail}{folder}"]
    return flags


def _system(jail: str) -> list[str]:
    flags = [*_way_to(jail, "/etc/passwd"), *_folders(jail)]
    for file in SYSTEM_FILES:
        flags += ["--ro-bind-try", file, f"{jail}{file}"]
    # /dev is a memory file system without a size: it is made read-only at the end, with a bounded /dev/shm in it.
    flags += ["--proc", f"{jail}/proc", "--dev", f"{jail}/dev"]
    return [*flags, *_memory(f"{jail}{SHARED_MEMORY}", SHARED_MEMORY_MIB), *_memory(f"{jail}{SCRATCH}", SCRATCH_MIB)]


def _way_to(jail: str, path: str) -> list[str]:
    """The folders above a path, said beforehand: made on the way they would be for their owner only."""
    above = reversed([str(folder) for folder in Path(f"{jail}{path}").parents if folder != folder.parent])
    return [part for folder in above for part in ("--perms", "0755", "--dir", folder)]


def _memory(path: str, mebibytes: int) -> list[str]:
    return ["--perms", "1777", "--size", str(mebibytes * MEBI), "--tmpfs", path]


def _uid() -> int:
    return INSIDE_UIDS[next(_runs) % len(INSIDE_UIDS)] if os.getuid() == 0 else os.getuid()


@contextlib.contextmanager
def _etc(uid: int) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """Made-up account and host files: nothing about the host's users, and ``localhost`` has an address."""
    contents = {
        "/etc/passwd": f"root:x:0:0::/:/bin/false\nsandbox:x:{uid}:{uid}::{SCRATCH}:/bin/false\n",
        "/etc/group": f"root:x:0:\nsandbox:x:{uid}:\n",
        "/etc/hosts": "127.0.0.1 localhost sandbox\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }
    flags: list[str] = []
    with contextlib.ExitStack() as stack:
        files: list[int] = []
        for path, text in contents.items():
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(text.encode())
            file.seek(0)
            files.append(file.fileno())
            flags += ["--perms", "0444", "--ro-bind-data", str(file.fileno()), f"{_jail()}{path}"]
        yield flags, tuple(files)


@contextlib.contextmanager
def _streams(stdin: bytes) -> Iterator[tuple[IO[bytes], IO[bytes], IO[bytes]]]:
    """Files, not pipes: a flood stops at the file size limit, and nobody has to drain it."""
    with tempfile.TemporaryFile() as feed, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        feed.write(stdin)
        feed.seek(0)
        yield feed, out, err


def _bounded(job: _Job) -> list[str]:
    """Leave root, which RLIMIT_NPROC does not bind, then set rlimits."""
    limits, drop = job.limits, []
    if os.getuid() == 0:
        drop = ["/usr/sbin/chroot", f"--userspec={job.uid}:{job.uid}", "--groups=", JAIL]
    bounds = [
        f"--cpu={limits.cpu}:{limits.cpu + 1}",
        f"--data={limits.memory_mib * MEBI}",
        f"--nproc={limits.processes}",
        f"--nofile={limits.open_files}",
        f"--fsize={limits.file_mib * MEBI}",
        "--core=0",
    ]
    return [*drop, "/usr/bin/prlimit", *bounds, "--", "/bin/sh", "-c", ENTER, "sandbox", job.cwd, *job.argv]


def _read(out: IO[bytes], err: IO[bytes], limit: int) -> tuple[tuple[bytes, bytes], bool]:
    texts, truncated = [], False
    for file in (out, err):
        truncated = truncated or file.seek(0, os.SEEK_END) > limit
        file.seek(0)
        texts.append(file.read(limit))
    return (texts[0], texts[1]), truncated
