"""Which functions a commit touched: a traceback names functions, and most commits of a file touch others.

Read from the diff and the text of the file, line by line; nothing of the target is parsed or run.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk, PatchSet

MODULE = "<module>"
_DEFINITION = re.compile(r"[ \t]*(?:async[ \t]+)?def[ \t]+(?P<name>\w+)")


def touched(diff: str, read: Callable[[str], str | None]) -> frozenset[str]:
    """``path:function`` of every changed line; ``read`` gives the text of a path after the change."""
    try:
        patch = PatchSet(diff)
    except UnidiffParseError:
        return frozenset()
    found = set()
    for file in patch:
        text = read(file.path) if file.path.endswith(".py") else None
        if text is None:
            continue
        lines = text.splitlines()
        for hunk in file:
            found |= {f"{file.path}:{enclosing(lines, number)}" for number in _changed(hunk)}
    return frozenset(found)


def enclosing(lines: list[str], number: int) -> str:
    """The name of the function that line ``number`` (from 1) stands in, or ``<module>``."""
    if not 0 < number <= len(lines):
        return MODULE
    own = _DEFINITION.match(lines[number - 1])
    if own is not None:
        return own["name"]
    depth = _indent(lines, number)
    for line in reversed(lines[: number - 1]):
        if not line.strip():
            continue
        found = _DEFINITION.match(line)
        indent = len(line) - len(line.lstrip())
        if found is not None and indent < depth:
            return found["name"]
        if indent < depth and not line.lstrip().startswith((")", "]", "}")):
            depth = indent
        if depth == 0:
            return MODULE
    return MODULE


def _indent(lines: list[str], number: int) -> int:
    """The line's own indentation; a blank one has that of the next line with text."""
    for line in lines[number - 1 :]:
        if line.strip():
            return len(line) - len(line.lstrip())
    return 0


def _changed(hunk: Hunk) -> list[int]:
    """Line numbers after the change: of added lines, and of the line that follows removed ones."""
    numbers, at = [], hunk.target_start
    for line in hunk:
        if line.is_added:
            numbers.append(at)
        elif line.is_removed:
            numbers.append(max(1, at))
        at += 0 if line.is_removed else 1
    return numbers
