"""A git diff as rows for a page: what kind of line it is, and its numbers in the old and the new file. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_ROWS = 4_000
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")


@dataclass(frozen=True)
class Row:
    """One line; ``kind`` is file, hunk, added, removed, same or note. A number is None where there is no such line."""

    kind: str
    text: str
    old: int | None = None
    new: int | None = None


@dataclass(frozen=True)
class Shown:
    """The rows that fit on a page, how many lines the whole diff adds and removes, and how many rows were left out."""

    rows: tuple[Row, ...]
    added: int
    removed: int
    left_out: int


def shown(diff: str) -> Shown:
    """A diff for a page; a very long one is cut, and says so."""
    rows = tuple(_rows(diff))
    counts = {kind: sum(row.kind == kind for row in rows) for kind in ("added", "removed")}
    return Shown(rows[:MOST_ROWS], counts["added"], counts["removed"], max(0, len(rows) - MOST_ROWS))


def _rows(diff: str) -> Iterator[Row]:
    """Only a hunk's own counts say where it ends: a removed line may read ``-- a/file`` or ``diff --git``."""
    old = new = old_left = new_left = 0
    for line in diff.removesuffix("\n").split("\n") if diff else ():
        hunk = _HUNK.match(line) if old_left <= 0 and new_left <= 0 else None
        if hunk:
            old, new = int(hunk[1]), int(hunk[3])
            old_left, new_left = (1 if hunk[2] is None else int(hunk[2])), (1 if hunk[4] is None else int(hunk[4]))
            yield Row("hunk", line)
        elif line.startswith("\\"):
            yield Row("note", line)
        elif new_left > 0 and line.startswith("+"):
            yield Row("added", line[1:], None, new)
            new, new_left = new + 1, new_left - 1
        elif old_left > 0 and line.startswith("-"):
            yield Row("removed", line[1:], old, None)
            old, old_left = old + 1, old_left - 1
        elif old_left > 0 or new_left > 0:
            yield Row("same", line[1:], old, new)
            old, new, old_left, new_left = old + 1, new + 1, old_left - 1, new_left - 1
        else:
            yield Row("file", line)
