"""The target's Python environment, built once per lock and shared by every run."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

_BUILD_SECONDS: Final = 600.0


class NotBuilt(Exception):
    """The environment could not be built; the message holds the installer's last words."""


def interpreter(lock: str, root: Path) -> Path | None:
    """The interpreter of an environment that is built; None when it is not."""
    folder = _folder(lock, root)
    return folder / "bin" / "python" if (folder / "complete").exists() else None


def build(lock: str, root: Path) -> Path:
    """The interpreter of the environment for the text of a lock file. Raises `NotBuilt`."""
    ready = interpreter(lock, root)
    if ready is not None:
        return ready
    folder = _folder(lock, root)
    python = folder / "bin" / "python"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    requirements = folder / "requirements.txt"
    requirements.write_text(lock, encoding="utf-8")
    _run([_interpreter(), "-m", "venv", "--copies", str(folder)])
    options = ["--require-hashes", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet"]
    _run([str(python), "-m", "pip", "install", *options, "-r", str(requirements)])
    (folder / "complete").touch()
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
    try:
        subprocess.run(argv, check=True, capture_output=True, text=True, timeout=_BUILD_SECONDS, env={**passed, **pip})
    except subprocess.CalledProcessError as error:
        raise NotBuilt(f"{' '.join(argv[:4])}: {error.stderr[-1500:]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotBuilt(str(error)) from error
