"""Serves the newest features: the file is read again when the job has replaced it."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from .features import Features, load

logger = logging.getLogger("parcel_times.shelf")


class NoFeatures(Exception):
    """The job has not delivered yet."""


class Shelf:
    """The features at hand. A broken file is reported once, and the last good features stay."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._features: Features | None = None

    def features(self) -> Features:
        """The newest features. Raises `NoFeatures`."""
        with self._lock:
            self._refresh()
            if self._features is None:
                raise NoFeatures(f"no features yet: {self._path.name} is missing or unreadable")
            return self._features

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self._features = load(self._path)
        except FileNotFoundError:
            return
        except (OSError, ValueError):
            logger.exception("%s cannot be read, the last features stay", self._path.name)
