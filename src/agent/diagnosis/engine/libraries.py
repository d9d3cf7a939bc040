"""How far a change moves what a service is built on: a new major version breaks more than a patch."""

from __future__ import annotations

import re
from typing import Final

_VERSION: Final = re.compile(r"(?<![\w.])v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,6}))?")
_DEVELOPMENT: Final = re.compile(
    r"dev[- ]?only|\(dev\)|devdependenc|dev-dependenc|\[dev|eslint|prettier|linter|pytest|jest|mypy|ruff",
    re.IGNORECASE,
)
MAJOR, MINOR, PATCH, UNKNOWN = 1.0, 0.7, 0.35, 0.7


def leap(title: str, diff: str) -> float:
    """1 for a new major version, less for a smaller step, 0 for what only developers use; between where none is told."""
    if _DEVELOPMENT.search(title) or (_DEVELOPMENT.search(diff) and not _outside(diff)):
        return 0.0
    steps = [*_of_title(title), *_of_diff(diff)]
    return max(steps, default=UNKNOWN)


def _outside(diff: str) -> bool:
    """Whether a diff also moves something that is not for developers only."""
    added = [line for line in diff.splitlines() if line.startswith("+") and not line.startswith("+++")]
    return any(_VERSION.search(line) and not _DEVELOPMENT.search(line) for line in added)


def _of_title(title: str) -> list[float]:
    old, arrow, new = title.partition("->")
    return _step(_VERSION.findall(old)[-1:], _VERSION.findall(new)[:1]) if arrow else []


def _of_diff(diff: str) -> list[float]:
    removed: list[tuple[str, str, str]] = []
    found: list[float] = []
    for line in diff.splitlines():
        if line.startswith("-") and not line.startswith("---"):
            removed += _VERSION.findall(line)
        elif line.startswith("+") and not line.startswith("+++"):
            for version in _VERSION.findall(line):
                found += _step(removed[:1], [version])
                removed = removed[1:]
    return found


def _step(old: list[tuple[str, str, str]], new: list[tuple[str, str, str]]) -> list[float]:
    if not old or not new or old[0] == new[0]:
        return []
    if old[0][0] != new[0][0]:
        return [MAJOR]
    return [MINOR if old[0][1] != new[0][1] else PATCH]
