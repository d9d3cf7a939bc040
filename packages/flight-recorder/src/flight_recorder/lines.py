"""A size-rotated file of JSON lines, shared by the middleware and ordinary logging."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .traceback_data import describe


def now() -> str:
    """UTC time, RFC 3339, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class LineFile:
    """Appends JSON objects, one a line; thread-safe; never raises for a file that cannot be written."""

    def __init__(self, path: str | Path, max_bytes: int = 16 << 20) -> None:
        self._path, self._max = Path(path), max_bytes
        self._lock = threading.Lock()
        self._made = False
        self.lost = 0

    def write(self, record: dict[str, Any]) -> None:
        """Append one line; a failure is counted in ``lost`` and said once on standard error."""
        line = json.dumps(record, ensure_ascii=False, default=str) + "\n"
        line = line.encode("utf-8", "replace").decode("utf-8")
        with self._lock:
            try:
                self._append(line)
            except OSError as error:
                if not self.lost:
                    print(f"flight-recorder: cannot write {self._path}: {error}", file=sys.stderr)  # noqa: T201
                self.lost += 1

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
        """Write one record."""
        line: dict[str, Any] = {
            "timestamp": now(),
            "level": record.levelname.lower(),
            "component": self._component,
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = describe(record.exc_info[1], self._in_app)
        self._lines.write(line)
