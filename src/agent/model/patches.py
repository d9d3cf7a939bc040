"""Diffs in pieces: files and hunks that can be chosen, and put together again. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

_TEST_FOLDERS = {"test", "tests", "testing", "spec"}


@dataclass(frozen=True)
class Piece:
    """One hunk with the header of its file; ``body`` is empty for a file without hunks (a pure rename, a mode)."""

    path: str
    header: str
    body: str

    @property
    def is_test(self) -> bool:
        """Whether the file is a test."""
        path = PurePosixPath(self.path)
        return bool(_TEST_FOLDERS & set(path.parts)) or path.name.startswith("test_") or path.stem.endswith("_test")


def split(diff: str) -> list[Piece]:
    """Every hunk of a git diff, in order."""
    pieces: list[Piece] = []
    header: list[str] = []
    body: list[str] = []

    def flush() -> None:
        if header and (body or not any(piece.header == "".join(header) for piece in pieces)):
            pieces.append(Piece(_path(header), "".join(header), "".join(body)))
        body.clear()

    for line in diff.splitlines(keepends=True):
        if line.startswith("diff --git "):
            flush()
            header.clear()
            header.append(line)
        elif line.startswith("@@ "):
            if body:
                flush()
            body.append(line)
        elif body:
            body.append(line)
        else:
            header.append(line)
    flush()
    return pieces


def join(pieces: Sequence[Piece]) -> str:
    """A diff of the chosen pieces; hunks of one file stand under one header."""
    parts: list[str] = []
    last = ""
    for piece in pieces:
        if piece.header != last:
            parts.append(piece.header)
            last = piece.header
        parts.append(piece.body)
    return "".join(parts)


def _path(header: Sequence[str]) -> str:
    for line in reversed(header):
        if line.startswith(("+++ b/", "--- a/")):
            return line[6:].rstrip("\n")
    return header[0].rstrip("\n").rpartition(" b/")[2]
