"""The files of a bundle, from a folder or a zip, within bounds; what cannot be read is noted and left out."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final, Self

from ...errors import Permanent
from ...model.evidence import Gap

MOST_BYTES: Final = 1 << 30
CHUNK: Final = 1 << 20
LONGEST_LINE: Final = 1 << 20
JSON_BYTES: Final = 16 << 20


class Unreadable(Permanent):
    """There is no bundle at this place; the message says why."""


class Notes:
    """What was left out, by file and reason."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._said: list[Gap] = []

    def count(self, file: str, reason: str, number: int = 1) -> None:
        """Some more of the same."""
        self._counts[file, reason] += number

    def say(self, file: str, reason: str) -> None:
        """Something by itself."""
        self._said.append(Gap(source=file, reason=reason))

    def gaps(self) -> tuple[Gap, ...]:
        """All of it."""
        counted = [
            Gap(source=file, reason=f"{number} {reason}") for (file, reason), number in sorted(self._counts.items())
        ]
        return (*self._said, *counted)


class Files:
    """The named files of a folder or an archive."""

    def __init__(self, open_: Callable[[str], IO[bytes] | None], close: Callable[[], None]) -> None:
        self._open, self._close = open_, close
        self._known: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def known(self, name: str) -> bool:
        """Whether a file was there when it was asked for."""
        return name in self._known

    def open(self, name: str, notes: Notes) -> IO[bytes] | None:
        """A file to read, None where there is none."""
        try:
            found = self._open(name)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            notes.say(name, f"cannot be read: {error}")
            return None
        if found is None:
            notes.say(name, "is not there")
        else:
            self._known.add(name)
        return found


def opened(path: Path, notes: Notes) -> Files:
    """The files at a place. Raises `Unreadable` where there is neither a folder nor a zip."""
    if path.is_dir():
        return Files(lambda name: (path / name).open("rb") if (path / name).is_file() else None, lambda: None)
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise Unreadable(f"{path}: there is no such folder or file") from error
    except (OSError, zipfile.BadZipFile) as error:
        raise Unreadable(f"{path}: no folder, and no zip that can be read ({error})") from error
    inside: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        inside.setdefault(info.filename.rpartition("/")[2], info)

    def open_(name: str) -> IO[bytes] | None:
        info = inside.get(name)
        if info is None:
            return None
        if info.file_size > MOST_BYTES:
            notes.say(name, f"unpacks to {info.file_size} bytes, more than {MOST_BYTES}: left out")
            return None
        return archive.open(info)

    return Files(open_, archive.close)


def lines_of(files: Files, name: str, notes: Notes) -> Iterator[str]:
    """The lines of a text file; those that are too long are left out and counted."""
    stream = files.open(name, notes)
    if stream is None:
        return
    rest, skipping, left = b"", False, MOST_BYTES
    with stream:
        while left > 0:
            try:
                chunk = stream.read(CHUNK)
            except (OSError, zipfile.BadZipFile, EOFError, ValueError, zlib.error) as error:
                notes.say(name, f"ends early: {error}")
                break
            if not chunk:
                break
            left -= len(chunk)
            whole, newline, tail = (rest + chunk).rpartition(b"\n")
            if skipping and newline:
                whole, skipping = whole.partition(b"\n")[2], False
            rest = b"" if skipping else tail
            if len(rest) > LONGEST_LINE:
                notes.count(name, f"lines longer than {LONGEST_LINE} characters, left out")
                rest, skipping = b"", True
            if newline:
                yield from whole.decode("utf-8", errors="replace").split("\n")
        else:
            notes.say(name, f"is longer than {MOST_BYTES} bytes: the rest is left out")
    if rest:
        yield rest.decode("utf-8", errors="replace")


def document(files: Files, name: str, notes: Notes) -> Any:
    """A file that is one JSON document; None where it cannot be read."""
    stream = files.open(name, notes)
    if stream is None:
        return None
    with stream:
        try:
            return json.loads(stream.read(JSON_BYTES).decode("utf-8", errors="replace"))
        except (ValueError, RecursionError, OSError, zipfile.BadZipFile, EOFError) as error:
            notes.say(name, f"is no JSON: {str(error)[:200]}")
            return None


def rows_of(files: Files, name: str, most: int, notes: Notes) -> Iterator[Mapping[str, Any]]:
    """The objects of a file with one JSON object a line."""
    count = 0
    for line in lines_of(files, name, notes):
        if not line.strip():
            continue
        count += 1
        if count > most:
            notes.say(name, f"has more than {most} lines: the rest is left out")
            return
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            notes.count(name, "lines that are no JSON, left out")
            continue
        if isinstance(row, dict):
            yield row
        else:
            notes.count(name, "lines that are no object, left out")
