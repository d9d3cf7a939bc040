"""Plain-text logs: one line an event, tracebacks as Python prints them; times are UTC."""

from __future__ import annotations

import logging
import time
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def write_to(path: Path) -> logging.Handler:
    """Send everything that this package logs to a file; several processes may append to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    formatter = logging.Formatter(FORMAT)
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logger = logging.getLogger(__package__)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # waitress sets up the root logger, which would tell everything twice
    return handler
