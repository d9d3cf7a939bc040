"""Text of logs as lines: tracebacks in one piece, JSON and logfmt read, levels found, secrets masked.

Whatever shipped the lines may have cut a traceback into an entry a line, put each into JSON of its own, or both. Entries
of one stream that follow each other closely and look like one traceback are one line.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final

from ..kit.redact import fence, redact_values
from ..model.bundle import LogLine

LONGEST: Final = 8_000
LONGEST_VALUE: Final = 500
LONGEST_TRACE: Final = 4_000
MOST_ATTRIBUTES: Final = 24
MOST_JOINED: Final = 300
CLOSE: Final = 1.0  # seconds between two entries of one traceback
JUST_BEFORE: Final = 0.1  # seconds from the line that announces a traceback to its first
LONGEST_JSON: Final = 1 << 20
LONGEST_HEAD: Final = 2_000  # of a line that is looked at to tell what it is
MESSAGES: Final = ("message", "msg", "log", "event", "text", "body", "MESSAGE")
LEVELS: Final = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "PRIORITY")
TIMES: Final = ("timestamp", "time", "ts", "@timestamp", "datetime", "date")
_OWN: Final = ("component", "service")
_TRACES: Final = ("traceback", "stack", "stacktrace", "stack_trace", "exc_info", "exception", "error.stack_trace")
_NAMES: Final = {
    "warn": "WARNING", "err": "ERROR", "crit": "CRITICAL", "fatal": "CRITICAL", "panic": "CRITICAL", "emerg": "CRITICAL",
    "alert": "CRITICAL", "notice": "INFO", "information": "INFO", "informational": "INFO", "dbg": "DEBUG", "unknown": "",
}  # fmt: skip
_SYSLOG: Final = ("CRITICAL", "CRITICAL", "CRITICAL", "ERROR", "WARNING", "INFO", "INFO", "DEBUG")
_PINO: Final = {10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARNING", 50: "ERROR", 60: "CRITICAL"}
_WORD: Final = re.compile(
    r"\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|PANIC|SEVERE)\b|(?<=\[)(debug|info|warn|error|crit)(?=\])"
)
_LOGFMT: Final = re.compile(r'(?:^|\s)([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|[^\s"]+)')
_BEGIN: Final = re.compile(r"(?:^|[\s:|])Traceback \(most recent call last\)|Exception Group Traceback")
_LINK: Final = re.compile(r"^\s*\|?\s*(?:During handling of the above|The above exception was)|^\s*$")
_FRAME: Final = re.compile(
    r"^[\w./$*()-]+\([^)]*\)\s*$|^created by |"  # Go
    r"^\s+(?:File \"|at\s|\.\.\. \d+ more|\^+\s*$|~|\||\+-)|^\s*Caused by:|^\s+Suppressed:|^goroutine \d+ |^\t|^ {4,}\S"
)
_END: Final = re.compile(r"^(?!(?:[A-Z]+):\s)(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?::|$)|^[a-z_][\w.]*\.[A-Z]\w*(?::|$)")
_FAILURE: Final = re.compile(r"error|exception|fail|panic|traceback", re.IGNORECASE)
_JVM: Final = re.compile(r"(?:^|\s)(?:Exception in thread\b|[\w.$]+(?:Exception|Error)(?::|\s*$))|^panic: ")
_HEAD: Final = re.compile(r"(?:Exception in thread\b|[\w.$]+(?:Exception|Error)(?::|\s*$)|panic: )")


@dataclass(frozen=True)
class Entry:
    """One entry as it was shipped. ``stream`` tells which entries may belong together; ``labels`` are all it came with."""

    at: float
    stream: Hashable
    component: str
    text: str
    labels: Mapping[str, str] = field(default_factory=dict)
    own_component: bool = False
    """Whether a field of the entry may name another component."""


class _State(Enum):
    """How much of a traceback is there."""

    NONE = auto()
    INSIDE = auto()
    ENDED = auto()  # its last line was there; only the next one of a chain may follow
    BETWEEN = auto()  # a chain goes on


@dataclass
class _Block:
    """Entries that are one line."""

    entry: Entry
    said: dict[str, Any]
    parts: list[str]
    last: float
    state: _State


def lines(entries: Iterable[Entry]) -> tuple[LogLine, ...]:
    """The entries, in the order of time within each stream, as lines in the order of time."""
    streams: dict[Hashable, list[_Block]] = defaultdict(list)
    for entry in entries:
        said = _said(entry.text)
        text = said.pop("", entry.text)
        blocks = streams[entry.stream]
        if not (blocks and _joined(blocks, entry, text)):
            # A traceback that came whole is done; its first line alone waits for the others.
            head = text[:LONGEST_HEAD]
            begins = "\n" not in text.strip() and (_BEGIN.search(head) or _JVM.search(head))
            blocks.append(_Block(entry, said, [text], entry.at, _State.INSIDE if begins else _State.NONE))
    found = [_line(block) for blocks in streams.values() for block in blocks]
    return tuple(sorted(found, key=lambda line: line.at))


def _joined(blocks: list[_Block], entry: Entry, text: str) -> bool:
    """Whether the entry belongs to the block before it; then it is added there."""
    block = blocks[-1]
    if entry.at - block.last > CLOSE or len(block.parts) >= MOST_JOINED or "\n" in text.strip():
        return False
    state = _next(block.state, text[:LONGEST_HEAD], announced=_announces(block, entry))
    if state is _State.NONE:
        return False
    block.parts.append(text)
    block.last, block.state = entry.at, state
    return True


def _next(state: _State, text: str, *, announced: bool) -> _State:
    """What a line makes of a traceback; `NONE` when it is not of it."""
    if announced and _HEAD.match(text):
        return _State.INSIDE
    if _BEGIN.search(text):
        return _State.INSIDE if announced or state in (_State.ENDED, _State.BETWEEN) else _State.NONE
    if (announced or state is _State.INSIDE) and (_FRAME.match(text) or not text.strip()):
        return _State.INSIDE
    if state is _State.INSIDE and not announced and _END.match(text):
        return _State.ENDED
    if state in (_State.ENDED, _State.BETWEEN) and _LINK.match(text):
        return _State.BETWEEN
    return _State.NONE


def _announces(block: _Block, entry: Entry) -> bool:
    """Whether the only line of a block says that something failed, just before what comes."""
    alone = len(block.parts) == 1 and block.state is _State.NONE and "\n" not in block.parts[0].strip()
    return alone and entry.at - block.last <= JUST_BEFORE and bool(_FAILURE.search(block.parts[0]))


def _line(block: _Block) -> LogLine:
    text = "\n".join(part.rstrip("\n") for part in block.parts).strip("\n")
    said, labels = block.said, block.entry.labels
    level = _level(said, labels, text) or ("ERROR" if block.state is not _State.NONE else "")
    attributes = _attributes(said, labels)
    component = block.entry.component
    if block.entry.own_component:
        component = next((one for name in _OWN if isinstance(one := said.get(name), str) and one), component)
    return LogLine(
        block.entry.at, _field("", component[:LONGEST_VALUE]), level, _shown(_cut(text, LONGEST)), attributes
    )


# -- what one entry says ---------------------------------------------------------------------------------------------


def _said(text: str) -> dict[str, Any]:
    """Fields of an entry; under the empty name its message, where a field holds it."""
    head = text.lstrip()[:1]
    if head == "{" and len(text) <= LONGEST_JSON:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return _of_fields(found) if isinstance(found, dict) else {}
    pairs = _LOGFMT.findall(text[:LONGEST]) if "=" in text and "\n" not in text else []
    found = {name: _unquoted(value) for name, value in pairs}
    if not any(name in found for name in (*LEVELS, "msg")):
        return {}
    return _of_fields(found)


def _of_fields(found: dict[str, Any]) -> dict[str, Any]:
    """Takes the message out, and one more layer where it is JSON that a container's runtime has wrapped."""
    name = next((name for name in MESSAGES if isinstance(found.get(name), str)), None)
    if name is None:
        return found
    message = found.pop(name)
    if name == "log" and message.lstrip()[:1] == "{":
        inner = _said(message.strip())
        if inner:
            return {**found, **inner}
    found[""] = message
    return found


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value[1:-1]


def _level(said: Mapping[str, Any], labels: Mapping[str, str], text: str) -> str:
    """What the entry says of itself, else what its stream does, else a word in its text; upper case."""
    for fields in (said, labels):
        for name in LEVELS:
            level = _normal(fields.get(name))
            if level:
                return level
    word = _WORD.search(text[:200])
    if word:
        return _normal(word[0])
    several = "\n" in text and _JVM.search(text[:LONGEST_HEAD])
    if several or _BEGIN.search(text) or any(said.get(name) for name in _TRACES):
        return "ERROR"
    return _normal(labels.get("detected_level"))


def _normal(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
        number = int(value)
        return _PINO.get(number) or (_SYSLOG[number] if number < len(_SYSLOG) else "")
    if not isinstance(value, str):
        return ""
    return _NAMES.get(value.lower(), value.upper() if value.isalpha() else "")[:20]


def _attributes(said: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """Fields that are worth keeping: small values, and the text of a traceback that a field holds."""
    found: dict[str, Any] = {}
    for name, value in (*labels.items(), *said.items()):
        if name in _TRACES and (trace := _trace(value)):
            found["traceback"] = _shown(_cut(trace, LONGEST_TRACE))
        elif name and name not in LEVELS and name not in TIMES and len(found) < MOST_ATTRIBUTES:
            shown = _field(name, value[:LONGEST_VALUE] if isinstance(value, str) else "number")
            if isinstance(value, str | int | float):
                found[_field("", name[:100])] = value if shown == "number" else shown
    return found


def _trace(value: Any) -> str:
    """The text of a traceback: as it is, or in an object beside its type."""
    if isinstance(value, Mapping):
        value = next((value[name] for name in ("traceback", "stacktrace", "stack", "message") if value.get(name)), "")
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = "\n".join(str(one) for one in value[:MOST_JOINED])
    return value if isinstance(value, str) else ""


def _cut(text: str, limit: int) -> str:
    """Begin and end of a long text: a traceback says most at its end."""
    if len(text) <= limit:
        return text
    head = limit // 4
    return f"{text[:head]}\n[…]\n{text[-(limit - head - 5) :]}"


@lru_cache(maxsize=4096)
def _shown(text: str) -> str:
    """Harmless to show; the same texts come again and again."""
    return fence(text, LONGEST)


@lru_cache(maxsize=8192)
def _field(name: str, value: str) -> str:
    """A field's value without secrets, also where only its name says that it is one, and without what cannot be seen."""
    clean = "".join(char for char in value if char.isprintable() or char == "\n")
    return redact_values({name: clean})[name]
