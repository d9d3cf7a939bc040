"""Log lines as templates: what is new or surges after a moment, and the failures that tracebacks tell of.

Numbers, ids, addresses, quoted values and times are masked; what is left, with its component, is the template. Templates
are found again by their text alone, so a hundred thousand lines are one pass with a dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ...model.bundle import LogLine

MOST_TEMPLATES: Final = 20_000
LEAST_TIMES: Final = 3.0  # how many times more often is a surge
LEAST_BASELINE: Final = 0.08  # of the window has to be before a moment to say what is new after it
LEAST_NEW: Final = 2  # lines that a new template needs
SEVERE: Final = ("ERROR", "CRITICAL", "FATAL", "ALERT", "EMERGENCY", "SEVERE", "PANIC")
WARNING: Final = ("WARN", "WARNING")
_SHOWN: Final = 300
_MASKS: Final = re.compile(
    r"(?<![\w-])[A-Za-z_-]*+\d[\w-]*+(?:[.,:/@]+[A-Za-z_-]*+\d[\w-]*+)*+"  # numbers, times, addresses, names with digits
    r"|'[^'\n]{0,120}'|\"[^\"\n]{0,120}\""
)
_ONE_DIGIT: Final = str.maketrans("123456789", "0" * 9)
_EXCEPTION: Final = re.compile(
    r"^[ |+-]*(?:[\w.]+\.)?([A-Z]\w*(?:Error|Exception|Warning|Timeout|Interrupt|Exit|Failure))\b:?", re.MULTILINE
)
_PY_FRAME: Final = re.compile(r'File "([^"]+)", line \d+, in ([\w<>]+)')
_JVM_FRAME: Final = re.compile(r"^\s*at ([\w.$]+)\.([\w<>$]+)\(([\w]+\.(?:java|kt|scala))", re.MULTILINE)
_JS_FRAME: Final = re.compile(r"^\s*at (?:async )?(?:([\w.<>$]+) )?\(?([^\s()]+\.[jt]sx?):\d+", re.MULTILINE)
_PLAIN_FRAMES: Final = (
    re.compile(r"^\s*(\S+\.go):\d+()", re.MULTILINE),
    re.compile(r"^\s*(?:from )?([\w./-]+\.rb):\d+:in [`']([\w.#?!]+)", re.MULTILINE),
    re.compile(r"\bin (\S+\.(?:cs|fs|vb)):line \d+()"),
    re.compile(r"^#\d+ (\S+\.php)\(\d+\): ([\w\\:>-]+)", re.MULTILINE),
    re.compile(r"^\s*(?:\([\w .-]+\) )?([\w./-]+\.exs?):\d+: ([\w.]+)", re.MULTILINE),
    re.compile(r"^\s*at (\S+\.rs):\d+()", re.MULTILINE),
)
_PLACE: Final = re.compile(r"([\w./-]+\.(?:py|js|ts|tsx|go|rb|java|kt|rs|php|exs?|cs|scala|c|cc|cpp)):\d+")
_OUTSIDE: Final = (
    "site-packages",
    "dist-packages",
    "/lib/python",
    "node_modules",
    "<frozen",
    "java.",
    "javax.",
    "/usr/local/go/",
)


@dataclass(frozen=True)
class Template:
    """One kind of line of one component. ``before`` and ``after`` count lines on either side of a moment."""

    component: str
    level: str
    example: str
    since: float
    last: float
    before: int
    after: int
    new: bool
    times: float

    @property
    def severe(self) -> bool:
        """Whether its level or its words say that something failed."""
        return self.level in SEVERE


@dataclass(frozen=True)
class Failure:
    """One kind of traceback: the exception, and the frames of the service's own code as ``file:function``, outermost first."""

    component: str
    exception: str
    frames: tuple[str, ...]
    first: float
    count: int
    message: str


def mask(message: str) -> str:
    """The message without what differs from line to line."""
    head = message[:_SHOWN].partition("\n")[0]
    if head.startswith("Traceback"):
        head = message.rstrip().rpartition("\n")[2][:_SHOWN]
    return _MASKS.sub("#", head)


class Book:
    """All lines by template; asked for what changed at a moment."""

    def __init__(self, lines: Sequence[LogLine]) -> None:
        self._times: dict[tuple[str, str], list[float]] = {}
        self._samples: dict[tuple[str, str], LogLine] = {}
        known: dict[str, str] = {}
        for line in lines:
            alike = line.message.translate(_ONE_DIGIT)  # what is masked does not depend on which digits they are
            text = known.get(alike)
            if text is None:
                text = mask(alike)
                if len(known) < MOST_TEMPLATES:
                    known[alike] = text
            key = (line.component, f"{line.level} {text}")
            times = self._times.get(key)
            if times is None:
                if len(self._times) >= MOST_TEMPLATES:
                    continue
                times = self._times[key] = []
                self._samples[key] = line
            times.append(line.at)
        self.begins = lines[0].at if lines else 0.0
        self.ends = lines[-1].at if lines else 0.0

    def grown(self, moment: float) -> list[Template]:
        """The templates that are new or surge after a moment, severe and new ones first."""
        found = [one for one in self.templates(moment) if one.new or one.times >= LEAST_TIMES]
        return sorted(found, key=lambda one: (not one.severe, not one.new, -one.after))

    def templates(self, moment: float) -> list[Template]:
        """All templates, counted before and after a moment; rates are compared with one line as the least."""
        length_before, length_after = max(moment - self.begins, 1.0), max(self.ends - moment, 1.0)
        known = length_before >= LEAST_BASELINE * (length_before + length_after)
        found = []
        for (component, _), times in self._times.items():
            line = self._samples[component, _]
            moments = np.array(times)
            before = int((moments < moment).sum())
            after = len(moments) - before
            usual = max(before, 1) / length_before
            found.append(
                Template(
                    component=component,
                    level=line.level,
                    example=line.message[:_SHOWN],
                    last=float(moments.max()),
                    since=_since(moments, moment, before / length_before),
                    before=before,
                    after=after,
                    new=known and before == 0 and after >= LEAST_NEW,
                    times=(after / length_after) / usual if known and after >= LEAST_NEW else 0.0,
                )
            )
        return found

    def words(self, moment: float) -> Iterator[tuple[str, int]]:
        """Each template's text with how often it was written before a moment: what the logs speak of on quiet days."""
        for key, times in self._times.items():
            yield key[1], sum(one < moment for one in times)

    def first_severe(self) -> dict[str, float]:
        """For each component the first line that says a failure of a kind that was not there in the first third."""
        third = self.begins + (self.ends - self.begins) / 3.0
        found: dict[str, float] = {}
        for key, times in self._times.items():
            line = self._samples[key]
            early = sum(one < third for one in times)
            if line.level in SEVERE and early == 0 and len(times) >= LEAST_NEW:
                found[key[0]] = min(*times, found.get(key[0], float("inf")))
        return found


def _since(moments: np.ndarray, moment: float, usual: float) -> float:
    """When the surge began: the first line after which they come clearly faster than usual; the first line of a new kind."""
    late = moments[moments >= moment]
    if not len(late):
        return moment
    if usual <= 0:
        return float(late[0])
    width = min(len(late) - 1, 4)
    for place in range(len(late) - width):
        span = late[place + width] - late[place]
        if width and width / max(span, 1e-9) >= LEAST_TIMES * usual:
            return float(late[place])
    return float(late[0])


def failures(lines: Sequence[LogLine]) -> list[Failure]:
    """Tracebacks by exception and own frames, the most frequent first; chained ones count by their first exception too."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[LogLine]] = {}
    for line in lines:
        text = _traceback(line)
        if text is None:
            continue
        exceptions = _EXCEPTION.findall(text)
        frames = own_frames(text)
        if exceptions or frames:
            groups.setdefault((line.component, exceptions[-1] if exceptions else "", frames), []).append(line)
    found = [
        Failure(component, exception, frames, members[0].at, len(members), _last(members[0]))
        for (component, exception, frames), members in groups.items()
    ]
    return sorted(found, key=lambda one: -one.count)


def _last(line: LogLine) -> str:
    """What the exception says: in Python the last line of the traceback, elsewhere the first one of it."""
    text = _traceback(line) or line.message
    found = [part for part in text.splitlines() if _EXCEPTION.search(part)]
    return (found[-1] if found else text).strip()[:_SHOWN]


def _traceback(line: LogLine) -> str | None:
    """The text of a line that holds a traceback, in its message or its attributes."""
    if "Traceback (most recent" in line.message or "\n" in line.message:
        return line.message
    for name in (
        "traceback",
        "stack",
        "stacktrace",
        "stack_trace",
        "exc_info",
        "exception",
        "error",
        "exception.stacktrace",
    ):
        value: Any = line.attributes.get(name)
        if isinstance(value, str) and ("\n" in value or _EXCEPTION.match(value)):
            return value
    if line.level not in SEVERE and line.level not in WARNING:
        return None
    return line.message if _EXCEPTION.search(line.message) or _PLACE.search(line.message) else None


def own_frames(text: str) -> tuple[str, ...]:
    """The frames of the service's own code, as ``file:function``; Python, JVM, JavaScript and more are read."""
    found = [(file, function) for file, function in _PY_FRAME.findall(text)]
    found += [
        (f"{path.replace('.', '/')}/{file}", function) for path, function, file in reversed(_JVM_FRAME.findall(text))
    ]
    found += [(file, function) for function, file in reversed(_JS_FRAME.findall(text))]
    for pattern in _PLAIN_FRAMES:
        found += reversed(pattern.findall(text))
    if not found:
        found = [(file, "") for file in _PLACE.findall(text)]
    own = [f"{file}:{function}" for file, function in found if not any(part in file for part in _OUTSIDE)]
    return tuple(dict.fromkeys(own))[-12:]
