"""The target's Python environment, built once per lock and shared by every run, and by the agent: see `building`."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .processes import marked

_COMPLETE: Final = "complete"
_BUILD_SECONDS: Final = 600.0


class NotBuilt(Exception):
    """The environment could not be built; the message holds the installer's last words."""


def interpreter(lock: str, root: Path) -> Path | None:
    """The interpreter of an environment that is built; None when it is not."""
    folder = _folder(lock, root)
    return folder / "bin" / "python" if used(folder) else None


def build(lock: str, root: Path) -> Path:
    """The interpreter of the environment for the text of a lock file. Raises `NotBuilt`."""
    ready = interpreter(lock, root)
    if ready is not None:
        return ready
    with building(root):
        return interpreter(lock, root) or _make(lock, _folder(lock, root))


def used(folder: Path) -> bool:
    """Whether what a folder is for is complete; notes that it was used now, so that nobody takes it for forgotten."""
    try:
        os.utime(folder / _COMPLETE)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def building(root: Path) -> Iterator[None]:
    """Two processes build one thing once; look again inside. The agent locks the same file for its environments."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def complete(folder: Path) -> None:
    """The folder holds all that it is for."""
    (folder / _COMPLETE).touch()


def _make(lock: str, folder: Path) -> Path:
    python = folder / "bin" / "python"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    requirements = folder / "requirements.txt"
    requirements.write_text(lock, encoding="utf-8")
    _run([_interpreter(), "-m", "venv", "--copies", str(folder)])
    options = ["--require-hashes", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet"]
    if lock.strip():
        _run([str(python), "-m", "pip", "install", *options, "-r", str(requirements)])
    complete(folder)
    return python


def _folder(lock: str, root: Path) -> Path:
    return root / hashlib.sha256(lock.encode()).hexdigest()


def _interpreter() -> str:
    """The system's Python where there is one: the sandbox shows the target no home folder."""
    system = Path("/usr/bin/python3")
    return str(system) if system.exists() else sys.executable


def _run(argv: list[str]) -> None:
    passed = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    env = marked({**passed, **pip})
    try:
        subprocess.run(argv, check=True, capture_output=True, text=True, timeout=_BUILD_SECONDS, env=env)
    except subprocess.CalledProcessError as error:
        raise NotBuilt(f"{' '.join(argv[:4])}: {error.stderr[-1500:]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotBuilt(str(error)) from error
