"""Signatures of failures, from a recorder's JSON log line or from a plain Python traceback."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import NamedTuple

from ..model.evidence import Frame, Signature

_FRAME = re.compile(r'^\s+File "([^"]+)", line (\d+), in (\S+)')
_ERROR = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)")
_HEADER = "Traceback (most recent call last):"
MOST_FRAMES = 100
LONGEST_LINE = 256 << 10


class Failure(NamedTuple):
    """One failure as the service logged it: of which request, with which signature."""

    request: tuple[str, str, str]
    signature: Signature


def failure_of_line(line: str) -> Failure | None:
    """The failure in one JSON log line with a ``path`` and an ``exception``; None where there is none."""
    if '"exception"' not in line or len(line) > LONGEST_LINE:
        return None
    try:
        data = json.loads(line)
        exception = data["exception"]
        frames = tuple(Frame(**{name: frame[name] for name in Frame.model_fields}) for frame in exception["frames"])
        request = (str(data.get("method", "")), str(data["path"]), str(data.get("query", "")))
        return Failure(request, Signature.of(str(exception["type"]), frames[-MOST_FRAMES:]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def signatures_of_text(text: str, source: str) -> list[Signature]:
    """The signatures of all complete tracebacks in a text, in order; frames below ``source`` are the target's own.

    Of a chained traceback the last part counts, which is the exception that was not caught.
    """
    found: list[Signature] = []
    parts = text.split(_HEADER)
    for index, part in enumerate(parts[1:], 1):
        signature = _signature(part, source)
        chained = index < len(parts) - 1 and part.rstrip().endswith(
            ("During handling of the above exception, another exception occurred:",
             "The above exception was the direct cause of the following exception:")
        )  # fmt: skip
        if signature is not None and not chained:
            found.append(signature)
    return found


def signature_of_text(text: str, source: str) -> Signature | None:
    """The signature of the last traceback in a text, or None."""
    found = signatures_of_text(text, source)
    return found[-1] if found else None


def _signature(part: str, source: str) -> Signature | None:
    frames: list[Frame] = []
    for line in part.splitlines()[1:]:
        match = _FRAME.match(line)
        if match is not None:
            frames.append(_frame(match[1], int(match[2]), match[3], source))
        elif line and not line[0].isspace():
            error = _ERROR.match(line)
            return Signature.of(error[1] if error else "unknown", tuple(frames[-MOST_FRAMES:]))
    return None


def _frame(file: str, line: int, function: str, source: str) -> Frame:
    path = PurePosixPath(file)
    if "site-packages" in path.parts or file.startswith(("/usr", "<")):
        return Frame(file=file, line=line, function=function, in_app=False)
    parts = path.parts
    inside = parts[parts.index(source) + 1 :] if source in parts else parts[-2:]
    return Frame(file="/".join(inside), line=line, function=function, in_app=True)
