"""Sealed drills: written without sight of the agent, hashed before the first score, opened once.

``SEAL`` beside them holds one line a drill: the SHA-256 of everything in its folder, its name, and the day it was sealed.
A line is only ever added. What was changed after sealing is no sealed drill any more, and is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from .unusable import Unusable

FILE: Final = "SEAL"
COMPILED: Final = ("__pycache__",)


@dataclass(frozen=True)
class Sealed:
    """One line of the seal."""

    digest: str
    name: str
    day: str


def digest(folder: Path, left_out: Sequence[str] = COMPILED) -> str:
    """SHA-256 of the names and contents of all files below; ``left_out`` are patterns of names that do not count."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        if any(fnmatchcase(part, pattern) for part in name.parts for pattern in left_out):
            continue
        content = path.read_bytes()
        found.update(f"{name.as_posix()}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def holds(drill: Path) -> bool:
    """Whether the seal beside a drill's folder lists it. Raises `Unusable` for a line that is none."""
    folder = drill.resolve()
    return any(one.name == folder.name for one in read(folder.parent))


def read(folder: Path) -> list[Sealed]:
    """The lines of a folder's seal; none without one. Raises `Unusable` for a line that is none."""
    path = folder / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    parts = [line.split() for line in lines if line.strip()]
    if any(len(one) != 3 for one in parts):  # noqa: PLR2004 - digest, name and day
        raise Unusable(f"{path}: a line holds a digest, a name and a day")
    return [Sealed(*one) for one in parts]


def broken(folder: Path) -> list[str]:
    """The names of sealed drills that are gone or not as they were sealed, and of drills without a seal."""
    lines = read(folder)
    wrong = [one.name for one in lines if not (folder / one.name).is_dir() or digest(folder / one.name) != one.digest]
    return sorted({*wrong, *(_names(folder) - {one.name for one in lines})})


def seal(folder: Path) -> list[Sealed]:
    """Add a line for every drill that has none; returns those.

    Raises `Unusable` when a sealed one was changed, and where there is no drill at all.
    """
    if not folder.is_dir():
        raise Unusable(f"{folder}: there is no such folder")
    lines = read(folder)
    if not lines and not _names(folder):
        hint = f"; it is a drill itself: name {folder.resolve().parent}" if (folder / "drill.toml").exists() else ""
        raise Unusable(f"{folder}: none of its folders holds a drill.toml, so there is nothing to seal{hint}")
    fresh = sorted(_names(folder) - {one.name for one in lines})
    changed = [name for name in broken(folder) if name not in fresh]
    if changed:
        raise Unusable(f"{folder}: sealed and changed since: {', '.join(changed)}; a seal is never renewed")
    today = datetime.now(UTC).date().isoformat()
    added = [Sealed(digest(folder / name), name, today) for name in fresh]
    text = "".join(f"{one.digest}  {one.name}  {one.day}\n" for one in [*lines, *added])
    (folder / FILE).write_text(text, encoding="utf-8")
    return added


def _names(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.glob("*/drill.toml")}
