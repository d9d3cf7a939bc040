"""Names everything that a kept result depends on, so that one of something else is never taken for it.

`agent` is whose result it is, `content` what was staged, `monitor` who raises the alarms when no agent acts.
"""

from __future__ import annotations

import hashlib
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

from .drill import Drill
from .history import EXAMPLES, LEFT_OUT, OWN, PROJECT, Example
from .seal import digest

STAGING: Final = 1  # raise it when traffic, staging or judging changes what a result means: all are staged again then
AGENT: Final = "src/agent"
LOCK: Final = "requirements.txt"
DECLARED: Final = "pyproject.toml"
MONITOR: Final = ("src/agent/intake/monitor.py", "src/agent/model/signals.py")
_LETTERS: Final = 8
_LETTERS_OF_A_COMMIT: Final = 12


def agent(project: Path = PROJECT) -> str:
    """The agent as it is now: the commit that last touched it or its lock, and its content where the tree differs.

    Without git it is named by its content alone.
    """
    chosen = ("--", AGENT, LOCK)
    commit = _git(project, "rev-list", "-1", "HEAD", *chosen)[:_LETTERS_OF_A_COMMIT]
    if commit and not _git(project, "status", "--porcelain", "--untracked-files=all", *chosen):
        return commit
    return "-".join(filter(None, (commit, _hash(digest(project / AGENT), *_texts(project, (LOCK, DECLARED))))))


def monitor(project: Path = PROJECT) -> str:
    """The built-in monitor as it is now: the baselines' alarms are its."""
    return _hash(*_texts(project, MONITOR))


def content(drill: Drill) -> str:
    """The drill's folder, what its tests share, what it is staged on, and how it is staged and judged."""
    shared = [drill.shared.read_text(encoding="utf-8")] if drill.shared.is_file() else []
    return _hash(str(STAGING), digest(drill.folder), *shared, _ground(drill))


def _ground(drill: Drill) -> str:
    if OWN in drill.target:
        requests = drill.folder / str(drill.target.get("requests", ""))
        commit = _git(drill.folder / str(drill.target[OWN]), "rev-parse", "HEAD")
        return _hash(commit, requests.read_text(encoding="utf-8", errors="replace") if requests.is_file() else "")
    name = str(drill.target.get("example", next(iter(EXAMPLES))))
    return _example(EXAMPLES[name]) if name in EXAMPLES else name


@cache
def _example(example: Example) -> str:
    """Read once a process: sixty drills stand on two of them."""
    folders = (example.folder, *example.packages)
    return _hash(*(digest(folder, LEFT_OUT) for folder in folders), example.history.read_text(encoding="utf-8"))


def _texts(project: Path, names: tuple[str, ...]) -> list[str]:
    return [(project / name).read_text(encoding="utf-8") for name in names]


def _hash(*parts: str) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(f"{len(part)}\0{part}".encode())
    return found.hexdigest()[:_LETTERS]


def _git(folder: Path, *args: str) -> str:
    """What git says; nothing where it cannot."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *args], capture_output=True, text=True, check=False, timeout=30
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
