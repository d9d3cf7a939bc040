"""The target's log file as a source of lines, JSON or plain text; `logfile` reads the requests of the same file.

Read from the end backwards. A line without a time of its own, such as those of a traceback, belongs to the one above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ..kit.files import lines_backwards
from ..model.alert import Alert
from ..model.record import Window
from ..model.sources import Logs
from ..model.target import Target
from . import loglines
from .allowance import Allowance, Limits
from .logfile import DISORDER, LONGEST_LINE, MOST_BYTES
from .loglines import Entry

SOURCE: Final = "log"
LIMITS: Final = Limits(lines=6_000)
_FIELD: Final = re.compile(r'"@?(?:timestamp|time|ts|datetime)"\s*:\s*(?:"([^"]{1,60})"|(\d{9,20}(?:\.\d+)?))')
_HEAD: Final = re.compile(
    r"[\[<(]?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?)[\]>)]?[:\s]*"
)
_FRACTION: Final = re.compile(r"([.,]\d{6})\d+")
SECONDS_BEFORE: Final = 1e11  # the year 5138: a larger number is of a finer unit


class TextLog:
    """Implements `LogSource` over the file that ``log_file`` of the settings names, and one older generation of it."""

    name = SOURCE

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or LIMITS

    def lines(self, target: Target, window: Window, alerts: Sequence[Alert]) -> Logs:  # noqa: ARG002 - it is the target's
        """The lines of the window; never raises for a file that is not there or cannot be read."""
        allowance = Allowance(SOURCE, self._limits)
        if target.log_file is None or not target.log_file.exists():
            allowance.gap(
                "no `log_file` is set for this target" if target.log_file is None else "the file is not there"
            )
            return Logs(gaps=allowance.gaps)
        reading = _Reading(target.log_file, target.name, window, allowance)
        entries: list[Entry] = []
        try:
            entries.extend(reading.newest_first())
        except OSError as error:
            allowance.gap(f"it cannot be read: {error.strerror}")
        reading.tell()
        return Logs(loglines.lines(reversed(entries)), gaps=allowance.gaps)


class _Reading:
    """One way through the file."""

    def __init__(self, path: Path, component: str, window: Window, allowance: Allowance) -> None:
        self._path, self._allowance = path, allowance
        self._start, self._end = window.start.timestamp(), window.end.timestamp()
        self._form = Entry(0.0, str(path), component, "", own_component=True)
        self._naive = self._long = self._timeless = 0

    def tell(self) -> None:
        """Say what was left out."""
        for count, what in (
            (self._naive, "times without a time zone, taken for UTC"),
            (self._long, f"lines longer than {LONGEST_LINE} bytes, left out"),
            (self._timeless, "lines that have no time and follow none, left out"),
        ):
            if count:
                self._allowance.gap(f"{count} {what}")

    def newest_first(self) -> Iterator[Entry]:
        """Entries of the window; those of one moment in reverse too."""
        count, below = 0, list[str]()
        for text in self._texts():
            moment, rest = self._moment(text)
            if moment is None:
                below.append(text)
                continue
            if moment < self._start - DISORDER.total_seconds():
                return
            if self._start <= moment <= self._end:
                for part in (*below[: loglines.MOST_JOINED], rest):
                    yield replace(self._form, at=moment, text=part)
                    count += 1
                if count >= self._allowance.limits.lines:
                    self._allowance.gap(
                        f"there are more than {self._allowance.limits.lines} lines: older ones are left out"
                    )
                    return
            below.clear()
        self._timeless = len(below)

    def _texts(self) -> Iterator[str]:
        for file in (self._path, self._path.with_name(self._path.name + ".1")):
            if not file.is_file():
                continue
            if file.stat().st_size > MOST_BYTES:
                self._allowance.gap(f"only the last {MOST_BYTES} bytes of {file.name} are read")
            for line in lines_backwards(file, MOST_BYTES):
                if len(line) > LONGEST_LINE:
                    self._long += 1
                else:
                    yield line.decode("utf-8", "replace").rstrip("\r")

    def _moment(self, text: str) -> tuple[float | None, str]:
        """When a line was written, and the line without a time at its head."""
        head = _HEAD.match(text)
        if head:
            return self._read(head[1]), text[head.end() :]
        found = _FIELD.search(text[:2_000]) if text.startswith("{") else None
        if found is None:
            return None, text
        return (_epoch(float(found[2])) if found[2] else self._read(found[1])), text

    def _read(self, text: str) -> float | None:
        try:
            moment = datetime.fromisoformat(_FRACTION.sub(r"\1", text).replace(" Z", "Z").replace(" +", "+"))
            if moment.tzinfo is None:
                self._naive += 1
                moment = moment.replace(tzinfo=UTC)
            return moment.timestamp()
        except (ValueError, OverflowError):
            return None


def _epoch(number: float) -> float:
    while number > SECONDS_BEFORE:
        number /= 1_000.0
    return number
