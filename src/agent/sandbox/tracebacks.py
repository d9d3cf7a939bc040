"""Signatures of failures, from a recorder's JSON log line or from a plain Python traceback."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

from ..model.evidence import Frame, Signature

_FRAME = re.compile(r'^\s+File "([^"]+)", line (\d+), in (\S+)')
_ERROR = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning|Group)?)(?::|$)")
_HEADER = "Traceback (most recent call last):"
MOST_FRAMES = 100


def signature_of_line(line: str) -> Signature | None:
    """The signature in one JSON log line with a ``request`` and an ``exception``; None where there is none."""
    if '"exception"' not in line:
        return None
    try:
        data = json.loads(line)
        exception = data["exception"]
        frames = tuple(Frame(**{name: frame[name] for name in Frame.model_fields}) for frame in exception["frames"])
        return Signature.of(str(exception["type"]), frames[-MOST_FRAMES:]) if "path" in data else None
    except (ValueError, KeyError, TypeError):
        return None


def signature_of_text(text: str, source: str) -> Signature | None:
    """The signature of the last traceback in a text; frames below ``source`` are the target's own."""
    start = text.rfind(_HEADER)
    if start < 0:
        return None
    frames: list[Frame] = []
    for line in text[start:].splitlines()[1:]:
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
