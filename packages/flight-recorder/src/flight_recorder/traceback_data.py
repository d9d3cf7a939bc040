"""An exception as data: type, message, traceback text, frames."""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import Any

from . import redaction

MOST_FRAMES = 100
LONGEST_TRACEBACK = 32_768


def describe(error: BaseException, in_app: tuple[str, ...]) -> dict[str, Any]:
    """What happened, in a form that two releases can be compared by."""
    frames = [_frame(summary, in_app) for summary in traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]]
    text = "".join(traceback.format_exception(error))  # says "<exception str() failed>" where that is so
    return {
        "type": _name(error),
        "message": redaction.text(_message(error))[:2000],
        "traceback": redaction.text(text)[-LONGEST_TRACEBACK:],
        "frames": frames,
        "chain": _chain(error),
    }


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the failure of a message must not hide the failure that it tells of
        return "<exception str() failed>"


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _chain(error: BaseException) -> list[str]:
    names: list[str] = []
    current = error.__cause__ or error.__context__
    while current is not None and len(names) < 10:  # noqa: PLR2004 - a bound, so that a loop ends
        names.append(_name(current))
        current = current.__cause__ or current.__context__
    return names


def _frame(summary: traceback.FrameSummary, in_app: tuple[str, ...]) -> dict[str, Any]:
    parts = PurePath(summary.filename).parts
    for package in in_app:
        if package in parts and "site-packages" not in parts:
            where = "/".join(parts[len(parts) - 1 - parts[::-1].index(package) :])
            return {"file": where, "line": summary.lineno or 0, "function": summary.name, "in_app": True}
    return {"file": "/".join(parts[-3:]), "line": summary.lineno or 0, "function": summary.name, "in_app": False}
