"""The target's Python environment, built once per lock file and shared by every run.

Packages come as wheels only, checked against the lock's hashes, by a downloader that runs no target code; nothing of the
target itself is installed. The environment is byte-compiled, because the sandbox cannot write beside it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..errors import Busy, Misconfigured, Permanent, Unreachable
from ..kit.command import MINIMAL_ENV, run
from .lock import lock_hash, requirements

BUILD_SECONDS = 600.0
MOST_KEPT = 8
IN_USE_SECONDS = 3600.0
SYSTEM_PYTHON = Path("/usr/bin/python3")
COMPLETE = "complete"
SYSTEM_FOLDERS = ("/usr/", "/bin/", "/lib/", "/lib64/", "/sbin/")
_OFFLINE = ("connection", "timed out", "timeout", "temporary failure", "name resolution", "unreachable", "max retries")
_ASK = "import ensurepip, venv, sys; print(sys.base_prefix)"


class Environments:
    """Environments under one folder: ``root/<lock hash>/bin/python``.

    ``python`` makes them (default: the system's interpreter when it can, else the one this agent runs on).
    ``installer_env`` is what the downloader may see of the process environment (proxy, index, certificate settings).
    ``most`` environments are kept; those used within the hour are never removed. ``ending`` ends a build under way.
    """

    def __init__(
        self,
        root: Path,
        *,
        python: Path | None = None,
        installer_env: Mapping[str, str] | None = None,
        most: int = MOST_KEPT,
        ending: threading.Event | None = None,
    ) -> None:
        self._root, self._most = root.absolute(), most
        self._wanted, self._ending = python, ending
        self._env = {**MINIMAL_ENV, **(installer_env or {})}

    def build(self, lock: str) -> Path:
        """The environment's folder. Raises `Permanent` when the lock cannot be installed, `Unreachable` when offline."""
        folder = self._root / lock_hash(lock)
        if not self._use(folder):
            self._root.mkdir(parents=True, exist_ok=True)
            with self._alone():
                if not self._use(folder):
                    self._make(folder, lock)
                    self._forget_oldest(folder)
        return folder

    @staticmethod
    def _use(folder: Path) -> bool:
        """Whether the environment is there; notes that it was used now."""
        try:
            os.utime(folder / COMPLETE)
        except OSError:
            return False
        return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two processes build one environment once."""
        with (self._root / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _make(self, folder: Path, lock: str) -> None:
        wanted = requirements(lock)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        listed = folder / "requirements.txt"
        listed.write_text(wanted, encoding="utf-8")
        self._call(str(self._python()), "-I", "-m", "venv", "--copies", str(folder))
        python = str(folder / "bin" / "python")
        options = ("--require-hashes", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet", "--no-input")
        if wanted:
            self._call(python, "-I", "-m", "pip", "install", *options, "-r", str(listed))
        _open_for_reading(folder)
        (folder / COMPLETE).touch()

    def _python(self) -> Path:
        """The first interpreter that can make an environment."""
        own = Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
        candidates = [self._wanted] if self._wanted else [SYSTEM_PYTHON, own, Path(sys.executable)]
        for python in candidates:
            if python.exists() and run([str(python), "-I", "-c", _ASK], timeout=30).returncode == 0:
                return python
        raise Misconfigured(
            f"no Python that can make environments ({', '.join(map(str, candidates))}). "
            "Install one: apt-get install python3-venv"
        )

    def _call(self, *argv: str) -> None:
        done = run(list(argv), env=self._env, timeout=BUILD_SECONDS, ending=self._ending)
        if self._ending is not None and self._ending.is_set():
            raise Busy("the agent is ending: the target's environment is built at the next start")
        if done.timed_out:
            raise Unreachable(f"building the target's environment took longer than {BUILD_SECONDS:.0f} s")
        if done.returncode != 0:
            said = (done.stdout + done.stderr).decode("utf-8", "replace").lower()
            kind = Unreachable if any(word in said for word in _OFFLINE) else Permanent
            raise kind(f"the target's environment cannot be built from its lock file: {done.problem}")

    def _forget_oldest(self, newest: Path) -> None:
        marks = sorted((mark.stat().st_mtime, mark) for mark in self._root.glob(f"*/{COMPLETE}"))
        for used, mark in marks[: max(0, len(marks) - self._most)]:
            if mark.parent != newest and time.time() - used > IN_USE_SECONDS:
                mark.unlink()  # first, so that nobody takes a half-removed one
                shutil.rmtree(mark.parent, ignore_errors=True)


def interpreter_folders(python: Path) -> tuple[Path, ...]:
    """Folders outside the system's own that an interpreter needs to run: its environment and its home.

    Raises `Misconfigured` when it does not run.
    """
    done = run([str(python), "-I", "-c", "import sys; print(sys.prefix); print(sys.base_prefix)"], timeout=30)
    if done.returncode != 0:
        raise Misconfigured(f"{python} is not a Python interpreter that runs: {done.problem}")
    return tuple(Path(line) for line in dict.fromkeys(done.text.splitlines()) if not _in_system(line))


def home(environment: Path) -> Path | None:
    """The folder of the interpreter that an environment was made with, when it is not the system's own."""
    for line in (environment / "pyvenv.cfg").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "home" and not _in_system(f"{value.strip()}/"):
            return Path(value.strip()).parent
    return None


def _in_system(path: str) -> bool:
    return f"{path}/".startswith(SYSTEM_FOLDERS)


def _open_for_reading(folder: Path) -> None:
    """The sandbox runs as another user: everything is readable whatever this process's umask."""
    for path, _, files in os.walk(folder):
        Path(path).chmod(0o755)
        for name in files:
            file = Path(path, name)
            if not file.is_symlink():
                file.chmod(file.stat().st_mode & 0o755 | 0o444)
