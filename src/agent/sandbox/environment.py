"""The target's Python environment, built once per lock file and shared by every run.

Packages come as wheels only, checked against the lock's hashes, by a downloader that runs no target code; nothing of the
target itself is installed. The environment is byte-compiled, because the sandbox cannot write beside it.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..errors import Permanent, Transient
from ..kit.command import MINIMAL_ENV, run

BUILD_SECONDS = 600.0
MOST_KEPT = 8
SYSTEM_PYTHON = Path("/usr/bin/python3")
COMPLETE = "complete"


def lock_hash(lock: str) -> str:
    """What names an environment: the SHA-256 of the lock file's text."""
    return hashlib.sha256(lock.encode()).hexdigest()


class Environments:
    """Environments under one folder: ``root/<lock hash>/bin/python``.

    ``installer_env`` is what the downloader may see of the process environment (proxy, index and certificate settings).
    """

    def __init__(
        self, root: Path, *, python: Path | None = None, installer_env: Mapping[str, str] | None = None
    ) -> None:
        self._root = root
        self._python = python or (SYSTEM_PYTHON if SYSTEM_PYTHON.exists() else Path(sys.executable))
        self._env = {**MINIMAL_ENV, **(installer_env or {})}

    def build(self, lock: str) -> Path:
        """The environment's folder. Raises `Permanent` when the lock cannot be installed."""
        folder = self._root / lock_hash(lock)
        if (folder / COMPLETE).exists():
            return folder
        self._root.mkdir(parents=True, exist_ok=True)
        with self._alone():
            if not (folder / COMPLETE).exists():
                self._make(folder, lock)
                self._forget_oldest(folder)
        return folder

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two processes build one environment once."""
        with (self._root / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _make(self, folder: Path, lock: str) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        requirements = folder / "requirements.txt"
        requirements.write_text(lock, encoding="utf-8")
        self._call(str(self._python), "-m", "venv", "--copies", str(folder))
        python = str(folder / "bin" / "python")
        options = ("--require-hashes", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet", "--no-input")
        self._call(python, "-I", "-m", "pip", "install", *options, "-r", str(requirements))
        (folder / COMPLETE).touch()

    def _call(self, *argv: str) -> None:
        done = run(list(argv), env=self._env, timeout=BUILD_SECONDS)
        if done.timed_out:
            raise Transient(f"building the target's environment took longer than {BUILD_SECONDS:.0f} s")
        if done.returncode != 0:
            raise Permanent(f"the target's environment cannot be built from its lock file: {done.problem}")

    def _forget_oldest(self, newest: Path) -> None:
        kept = sorted((path.parent for path in self._root.glob(f"*/{COMPLETE}")), key=lambda path: path.stat().st_mtime)
        for folder in kept[:-MOST_KEPT]:
            if folder != newest:
                shutil.rmtree(folder, ignore_errors=True)
