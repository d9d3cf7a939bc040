"""What may stand in a ``drill.toml``: every key, and what its value has to be.

A key that nobody reads is mostly a slip of the pen: the drill would be another one than its author thinks. So it is
refused, with the keys that there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from .unusable import Unusable


@dataclass(frozen=True)
class Form:
    """What a value has to be, in words, and whether one is."""

    words: str
    fits: Callable[[Any], bool]


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: object) -> bool:
    return isinstance(value, str)


def _texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_text, value))


def _named(value: object, each: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(map(each, value.values()))


def _request(value: object) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"method", "path", "body"}:
        return False
    return _text(value.get("path")) and _text(value.get("method", "GET"))


def _places(value: object) -> bool:
    whole = isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value)  # noqa: PLR2004 - a pair
    return isinstance(value, list) and whole and 0 <= value[0] <= value[1]


def _one_of(*known: str) -> Form:
    return Form(f"one of {', '.join(known)}", lambda value: value in known)


TEXT: Final = Form("a text", _text)
TEXTS: Final = Form("a list of texts", _texts)
WORDS: Final = Form("a text or a list of texts", lambda value: _text(value) or _texts(value))
FLAG: Final = Form("true or false", lambda value: isinstance(value, bool))
TABLE: Final = Form("a table", lambda value: isinstance(value, dict))
TABLES: Final = Form(
    "one or more tables, [[fault]]", lambda value: isinstance(value, list) and all(map(TABLE.fits, value))
)
NUMBER: Final = Form("a number", _number)
POSITIVE: Final = Form("a number above 0", lambda value: _number(value) and value > 0)
SECONDS: Final = Form("a number of seconds", lambda value: _number(value) and value >= 0)
SHARE: Final = Form("a share between 0 and 1", lambda value: _number(value) and 0 <= value <= 1)
TIMES: Final = Form("a whole number of at least 1", lambda value: type(value) is int and value >= 1)
CELL: Final = Form("a text or a number", lambda value: _text(value) or isinstance(value, int | float))
NAMED: Final = Form(
    "a table of texts or numbers, NAME = 'value'",
    lambda value: _named(value, lambda one: _text(one) or _number(one)),
)
ENV: Final = Form("a table that is not empty, { NAME = 'value' }", lambda value: bool(value) and NAMED.fits(value))
REQUESTS: Final = Form(
    "a list of { method, path, body } with at least a path",
    lambda value: isinstance(value, list) and bool(value) and all(map(_request, value)),
)
MOMENT: Final = Form("a time as '2025-11-02T04:00:00Z'", lambda value: _text(value) or isinstance(value, datetime))
BETWEEN: Final = Form("two whole numbers, the smaller one first", _places)

TOP: Final[Mapping[str, Form]] = {
    "title": TEXT,
    "family": TEXT,
    "twin": TEXT,
    "bare_request": FLAG,
    **dict.fromkeys(("target", "release", "change", "tests", "place", "look", "expect"), TABLE),
    "fault": TABLES,
}
PLANTED: Final[Mapping[str, Form]] = dict.fromkeys(("title", "body", "author"), TEXT)
BELOW: Final[Mapping[str, Mapping[str, Form]]] = {
    "target": {
        "example": TEXT,
        "upstream": FLAG,
        "env": NAMED,
        **dict.fromkeys(("name", "repository", "sources", "commit_variable", "log_variable", "requests"), TEXT),
        "serve": TEXTS,
        "test": TEXTS,
        "settings": NAMED,
        "agent": TABLE,
    },
    "release": {"after": SECONDS},
    "change": PLANTED,
    "tests": {"pass": FLAG},
    "place": {"between": BETWEEN},
    "look": {"seconds": POSITIVE},
    "expect": {"alert": TEXT, "change": TEXT, **dict.fromkeys(("cause", "component", "action", "outcome"), WORDS)},
}
COMMIT: Final[Mapping[str, Form]] = {"patch": TEXT, **PLANTED, "where": TEXT}
FAULTS: Final[Mapping[str, Mapping[str, Form]]] = {
    "commit": COMMIT,
    "library": COMMIT,
    "process": {"action": _one_of("stop", "kill", "freeze"), "times": TIMES, "every": POSITIVE, "seconds": POSITIVE},
    "traffic": {"rate": POSITIVE, "seconds": POSITIVE, "requests": REQUESTS},
    "configuration": {"env": ENV, "reported": FLAG, "title": TEXT},
    "dependency": {
        "action": TEXT,
        "symbol": TEXT,
        "share": SHARE,
        **dict.fromkeys(("seconds_delay", "period", "seconds"), POSITIVE),
    },
    "data": {
        "action": TEXT,
        "symbol": TEXT,
        "share": SHARE,
        "value": CELL,
        "factor": NUMBER,
        "drift": NUMBER,
        **dict.fromkeys(("hours", "ratio", "seconds"), POSITIVE),
    },
    "model": {"action": _one_of("scale", "truncate"), "factor": NUMBER},
    "clock": {"market": MOMENT},
    "none": {"alert": TEXT, "labels": NAMED, "seconds": POSITIVE, "times": TIMES},
}
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "configuration": ("env",),
    "dependency": ("action",),
    "data": ("action",),
    "clock": ("market",),
}
CARRIED: Final[Mapping[str, Form]] = {  # data faults of the second example
    **dict.fromkeys(("action", "depot", "column"), TEXT),
    "share": SHARE,
    "value": CELL,
    "factor": NUMBER,
    "hours": POSITIVE,
    "seconds": POSITIVE,
}
_CARRIED_ON: Final = "parcel-times"


def examine(data: Mapping[str, Any], path: Path) -> None:
    """Look at every key and value of a drill.toml. Raises `Unusable`."""
    table(data, TOP, str(path))
    for name, known in BELOW.items():
        table(data.get(name, {}), known, f"{path}: [{name}]")
    carried = data.get("target", {}).get("example") == _CARRIED_ON
    for fault in data.get("fault", ()):
        _fault(fault, path, carried=carried)


def _fault(fault: Mapping[str, Any], path: Path, *, carried: bool) -> None:
    kind = fault.get("kind")
    if not isinstance(kind, str) or kind not in FAULTS:
        raise Unusable(f"{path}: a fault's kind is one of {', '.join(FAULTS)}, not {kind!r}")
    place = f"{path}: [[fault]] of kind {kind}:"
    known = CARRIED if kind == "data" and carried else FAULTS[kind]
    table(fault, {"kind": TEXT, "after": SECONDS, **known}, place)
    missing = [name for name in NEEDED.get(kind, ()) if name not in fault]
    if missing:
        raise Unusable(f"{place} {missing[0]!r} is missing: {known[missing[0]].words}")
    if kind == "data" and not carried:
        _priced(fault, place)


def _priced(fault: Mapping[str, Any], place: str) -> None:
    """What the exchange's numbers cannot be changed by."""
    try:
        float(fault.get("value", "nan"))
    except ValueError as error:
        raise Unusable(f"{place} 'value' is a number, also 'nan' or 'inf', not {fault['value']!r}") from error
    if fault["action"] == "revised" and fault.get("factor", 1.0) <= 0:
        raise Unusable(f"{place} 'factor' is above 0 where prices are revised, not {fault['factor']!r}")


def table(data: Mapping[str, Any], known: Mapping[str, Form], place: str) -> None:
    """Look at every key and value of one table; ``place`` says where it stands. Raises `Unusable`."""
    for name, value in data.items():
        if name not in known:
            raise Unusable(f"{place} there is no key {name!r}; there are {', '.join(known)}")
        if not known[name].fits(value):
            raise Unusable(f"{place} {name!r} is {known[name].words}, not {value!r}")
