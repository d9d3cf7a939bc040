"""Files that are either the old or the new content, never half; and bounded reads."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

PRIVATE = 0o600
OWNER_ONLY = 0o700  # of a folder
BLOCK = 1 << 18


def write_atomic(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Replace ``path`` as a whole: temporary file, fsync, rename."""
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def append_line(path: Path, line: str, *, mode: int = 0o644) -> None:
    """Append one line and sync it; a line break inside it becomes a space, so that it stays one line."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, mode)
    try:
        data = memoryview(" ".join(line.splitlines()).encode() + b"\n")
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def tail(path: Path, limit: int) -> bytes:
    """The last ``limit`` bytes of a file, starting at a line when it was cut."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - limit))
        data = file.read(limit)
    return data if size <= limit else data[data.find(b"\n") + 1 :]


def lines_backwards(path: Path, limit: int) -> Iterator[bytes]:
    """Lines, the last one first, of the last ``limit`` bytes of a file; the one that the limit cuts is left out."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        first = max(0, end - limit)
        rest = b""
        while end > first:
            begin = max(first, end - BLOCK)
            file.seek(begin)
            rest = file.read(end - begin) + rest
            end = begin
            head, *whole = rest.split(b"\n") if b"\n" in rest else [rest]
            yield from (line for line in reversed(whole) if line)
            rest = head
        if rest and first == 0:
            yield rest
