"""Numbers that a change sets anew, and whether each gives a resource more room or less.

A line that is the same but for its numbers, or ``12 -> 8`` in a title, says what a value was and what it becomes. More of what
holds work (a pool, a limit, a time to wait) relieves; so does asking less often. Less of it tightens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ...model.evidence import Change
from .words import listed, parts_of

_NUMBER: Final = re.compile(r"(?<![\w.])(\d[\d_]*(?:\.\d+)?)\s*([A-Za-z%]{0,12})(?![\w.])")
_ARROW: Final = re.compile(
    r"(?<![\w.])(\d[\d_]*(?:\.\d+)?)\s*([A-Za-z%]{0,12})\s*(?:->|=>|→)"
    r"\s*(\d[\d_]*(?:\.\d+)?)\s*([A-Za-z%]{0,12})(?!\.?\w)"
)
_SCALES: Final = {
    "ms": 1e-3, "millis": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0,
    "minutes": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0, "d": 86400.0, "day": 86400.0, "days": 86400.0,
    "k": 1e3, "ki": 1024.0, "kb": 1e3, "mi": 1024.0**2, "mb": 1e6, "mib": 1024.0**2, "gi": 1024.0**3, "gb": 1e9, "gib": 1024.0**3,
    "g": 1e9,
}  # fmt: skip
MOST_LINES: Final = 400
NEAR_WORDS: Final = 6  # before an arrow that say what its numbers are
CLEARLY: Final = 1.05  # times


@dataclass(frozen=True)
class Reset:
    """One value that was set anew: the words that name it, and what it was and is, in base units where those are known."""

    words: frozenset[str]
    old: float
    new: float

    @property
    def room(self) -> int:
        """1 where the new value gives more room, -1 where it gives less, 0 where its name says neither."""
        if max(self.old, self.new) < CLEARLY * min(self.old, self.new):
            return 0
        grows = 1 if self.new > self.old else -1
        if self.words & listed("values", "strains"):
            return max(0, -grows)  # more of it harms only where what it calls gets more than it bears
        if self.words & (listed("values", "holds") | listed("values", "pauses")):
            return grows if min(self.old, self.new) > 0 else 0  # 0 stands for "without a limit" as often as for none
        return 0


def resets(change: Change) -> tuple[Reset, ...]:
    """All values that a change sets anew, by its title and its diff."""
    return (*_of_title(change.title), *_of_diff(change.diff or ""))


def only_resets(diff: str) -> bool:
    """Whether every line that a diff changes is the same but for its numbers."""
    removed, added = _sides(diff)
    return bool(added) and sorted(map(_masked, removed)) == sorted(map(_masked, added))


def _of_title(title: str) -> Iterator[Reset]:
    for found in _ARROW.finditer(title):
        old, unit, new, other = found.groups()
        named = parts_of(re.split(r"[,;]", title[: found.start()])[-1])[-NEAR_WORDS:]
        yield Reset(frozenset(named), _value(old, unit or other), _value(new, other or unit))


def _of_diff(diff: str) -> Iterator[Reset]:
    removed, added = _sides(diff)
    for line in removed:
        twin = next((one for one in added if _masked(one) == _masked(line)), None)
        for (old, unit), (new, other) in zip(_NUMBER.findall(line), _NUMBER.findall(twin or ""), strict=False):
            if (old, unit) != (new, other):
                yield Reset(_named(line), _value(old, unit), _value(new, other))


def _named(line: str) -> frozenset[str]:
    """The words before the first number; all of the line where there are none."""
    return frozenset(parts_of(_NUMBER.split(line)[0]) or parts_of(line))


def _sides(diff: str) -> tuple[list[str], list[str]]:
    """The removed and the added lines, without their signs and the spaces around them."""
    lines = [line for line in diff.splitlines()[:MOST_LINES] if not line.startswith(("+++", "---"))]
    removed = [line[1:].strip() for line in lines if line.startswith("-")]
    added = [line[1:].strip() for line in lines if line.startswith("+")]
    return [line for line in removed if line], [line for line in added if line]


def _masked(line: str) -> str:
    return " ".join(_NUMBER.sub("#", line).split())


def _value(number: str, unit: str) -> float:
    return float(number.replace("_", "")) * _SCALES.get(unit.lower(), 1.0)
