"""A size-rotated file of JSON lines, shared by the middleware and ordinary logging."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import redaction
from .traceback_data import describe


def now() -> str:
    """UTC time, RFC 3339, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class LineFile:
    """Appends JSON objects, one a line; thread-safe; never raises for a line that cannot be made or written."""

    def __init__(self, path: str | Path, max_bytes: int = 16 << 20) -> None:
        self._path, self._max = Path(path), max_bytes
        self._lock = threading.Lock()
        self._made = False
        self.lost = 0

    def write(self, record: dict[str, Any]) -> None:
        """Append one line; a failure is counted in ``lost`` and said once on standard error."""
        try:
            line = json.dumps(record, ensure_ascii=False, default=str) + "\n"
            line = line.encode("utf-8", "replace").decode("utf-8")
            with self._lock:
                self._append(line)
        except Exception as error:  # noqa: BLE001 - a recorder must never break the service that it records
            self.lose(error)

    def lose(self, error: Exception) -> None:
        """Count a line that could not be made or written; say so the first time."""
        with self._lock:
            first, self.lost = not self.lost, self.lost + 1
        if first:
            print(f"flight-recorder: cannot write {self._path}: {type(error).__name__}", file=sys.stderr)  # noqa: T201

    def _append(self, line: str) -> None:
        """Opened for every line: nothing to close, and a file moved away by others is simply made again."""
        if not self._made:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._made = True
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line)
            size = file.tell()
        if size > self._max:
            self._path.replace(self._path.with_name(self._path.name + ".1"))


class JsonLines(logging.Handler):
    """Puts ordinary log records into the same file."""

    def __init__(self, file: LineFile, component: str, in_app: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._lines, self._component, self._in_app = file, component, in_app

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; one that cannot be formatted is counted as lost."""
        try:
            self._lines.write(self._line(record))
        except Exception as error:  # noqa: BLE001 - a recorder must never break the service that it records
            self._lines.lose(error)

    def _line(self, record: logging.LogRecord) -> dict[str, Any]:
        line: dict[str, Any] = {
            "timestamp": now(),
            "level": record.levelname.lower(),
            "component": self._component,
            "message": redaction.text(record.getMessage()),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = describe(record.exc_info[1], self._in_app)
        return line
