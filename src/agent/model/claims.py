"""Does cited evidence say what a claim says? A check without any model: names and numbers must stand in the text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SHORTEST_PREFIX = 7
PERCENT = 100.0
MOST_TOKENS = 60
MOST_VALUES = 6_000

# An apostrophe within a word is no quote.
_QUOTED = re.compile(r"`([^`\n]{2,120})`|\"([^\"\n]{2,120})\"|(?<!\w)'([^'\n]{2,120})'(?!\w)")
# A word with something inside that prose does not have: a dot, slash, underscore, inner capital, or a digit among letters.
_NAME = re.compile(
    r"(?<![\w./-])(?=[\w./:-]*[A-Za-z])"
    r"(?:\w+(?:[./:_-]+\w+)+(?:\(\))?|\w*[a-z][A-Z]\w*|\w*_\w*|[A-Z]{3,}\d*|[A-Za-z]+\d\w*|\d+[A-Za-z]\w*)"
)
_CAPITAL = re.compile(r"(?<=[a-z0-9,;] )[A-Z][a-z]{2,}\b")
_NUMBER = re.compile(r"(?<![\w.])(\d+(?:,\d{3})*(?:\.\d+)?)\s?(%)?")
_IN_TEXT = re.compile(r"(?<![\w.])-?(\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][+-]?\d+)?)\s?(%)?")
_UNIT = re.compile(r"^\d+(?:\.\d+)?(?:ms|s|m|h|d|us|ns|x|k|kb|mb|gb|kib|mib|gib|th|st|nd|rd)$", re.IGNORECASE)
_WORD = re.compile(r"^[a-z]+(?:-[a-z]+)+$", re.IGNORECASE)


@dataclass(frozen=True)
class Support:
    """Which citations bear a claim out, or why it is dropped (empty when it stands)."""

    carried: tuple[str, ...] = ()
    dropped: str = ""


def support(statement: str, cites: Sequence[str], texts: Mapping[str, str]) -> Support:
    """Check one claim against the evidence that it cites; ``texts`` is all evidence on the table, by id.

    It stands when every citation exists, it holds at least one name or number, and all of its names and numbers occur in
    the cited texts together. A citation that bears nothing of it out is not counted. What a claim says *about* them
    (that one thing caused the other) no such check can tell: that is why a claim only shifts a probability by little.
    """
    ids = tuple(dict.fromkeys(cites))
    missing = [name for name in ids if name not in texts]
    if not ids or missing:
        return Support(dropped=f"there is no evidence {', '.join(missing)}" if missing else "it cites no evidence")
    names, numbers = names_in(statement), numbers_in(statement)
    if not names and not numbers:
        return Support(dropped="it names nothing that could be looked up in the evidence")
    found = {name: _said(names, numbers, texts[name]) for name in ids}
    said = frozenset[str]().union(*found.values())
    absent = [each for each in (*names, *(shown for shown, *_ in numbers)) if each not in said]
    if absent:
        return Support(dropped=f"the cited evidence does not say {', '.join(absent[:3])}")
    carried = tuple(name for name in ids if found[name])
    return Support(carried=carried)


def names_in(statement: str) -> tuple[str, ...]:
    """Names in a statement: what is quoted, identifiers, paths, hashes, acronyms, capitals within a sentence."""
    quoted = ["".join(match).strip() for match in _QUOTED.findall(statement)]
    rest = _QUOTED.sub(" ", statement)
    words = [word.rstrip(".:-/") for word in _NAME.findall(rest)]
    found = [*quoted, *(w for w in words if not _UNIT.match(w) and not _WORD.match(w)), *_CAPITAL.findall(rest)]
    names = [each for each in found if re.search(r"[A-Za-z]", each)]
    return tuple(dict.fromkeys(names))[:MOST_TOKENS]


def numbers_in(statement: str) -> tuple[tuple[str, float, float], ...]:
    """Numbers outside of names, as (as written, value, half a unit of its last digit); a percentage counts as written."""
    rest = _QUOTED.sub(" ", statement)
    for name in sorted(names_in(statement), key=len, reverse=True):
        rest = rest.replace(name, " ")
    # "12ms" is a number with its unit.
    rest = re.sub(
        r"(?<![\w.])(\d+(?:\.\d+)?)(?=(?:ms|s|m|h|d|us|ns|x|k|kb|mb|gb|kib|mib|gib)\b)",
        r"\1 ",
        rest,
        flags=re.IGNORECASE,
    )
    found = []
    for match in _NUMBER.finditer(rest):
        digits = match[1].replace(",", "")
        decimals = len(digits.partition(".")[2])
        found.append((match[0].strip(), float(digits), 0.5 * 10.0**-decimals))
    return tuple(dict.fromkeys(found))[:MOST_TOKENS]


def _said(names: Sequence[str], numbers: Sequence[tuple[str, float, float]], text: str) -> frozenset[str]:
    """Those of the names and numbers that a text holds."""
    lower = text.casefold()
    said = {name for name in names if _holds(lower, name.casefold())}
    values = [] if not numbers else _values(text)
    for shown, value, half in numbers:
        wanted = {value, value / PERCENT} if shown.endswith("%") else {value}
        scale = PERCENT if shown.endswith("%") else 1.0
        if any(_near(each, want, half if want == value else half / scale) for each in values for want in wanted):
            said.add(shown)
    return frozenset(said)


def _holds(text: str, name: str) -> bool:
    """Whether a name stands in a text, whole or as a part of an identifier; a commit's hash may be shortened on either side."""
    if re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text):
        return True
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST_PREFIX},40}}", name):
        return False
    hashes = re.findall(rf"(?<!\w)[0-9a-f]{{{SHORTEST_PREFIX},40}}(?!\w)", text)
    return any(each.startswith(name) or name.startswith(each) for each in hashes)


def _values(text: str) -> list[float]:
    """All numbers in a text; units that cling to one ("12ms") are parted from it."""
    spaced = re.sub(r"(?<=\d)(?=[a-zA-Z]{1,3}\b)", " ", text)
    spaced = re.sub(r"(?<=\d)[:T/-](?=\d)", " ", spaced)
    values = []
    for match in itertools.islice(_IN_TEXT.finditer(spaced), MOST_VALUES):
        value = float(match[1].replace(",", ""))
        values += [value, value / PERCENT] if match[2] else [value]
    return values


def _near(value: float, wanted: float, half: float) -> bool:
    """Equal to the digits that were written: 0.42 is said by 0.4237."""
    return abs(value - wanted) <= half * (1 + 1e-9)
