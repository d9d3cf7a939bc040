"""How a change would do harm, set against what was seen: each mechanism has words of a change and signs that it leaves.

The lists stand in ``vocabulary.toml``. A mechanism that most changes of a bundle speak of tells little of any of them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from ...model.evidence import Change
from .findings import Findings
from .signs import Sign
from .words import vocabulary, words_in

LEAST_WEIGHT: Final = 0.2
ABOVE, BELOW, ELSEWHERE = 0.8, 0.7, 0.3  # of a sign's weight, by where it was seen from the change's component
ONE_WORD: Final = 0.7  # of a match where a change holds just one word of the mechanism
MOST_TEXT: Final = 20_000
UNITS: Final = (10.0, 60.0, 100.0, 1000.0, 3600.0, 1e6)  # that a value is off by when its unit is mistaken
UNIT_SLACK: Final = 0.06
SHORT: Final = 3  # letters of a word whose last s may be its own
UNIT: Final = "unit"
_VERSION: Final = re.compile(r"(?<![\w.])v?(\d+\.\d+(?:\.\d+)*)(?![\w.])")


@cache
def _seen(name: str) -> re.Pattern[str]:
    return re.compile("|".join(vocabulary()["mechanisms"][name]["seen"]), re.IGNORECASE)


@cache
def _spoken(name: str) -> frozenset[str]:
    return frozenset(vocabulary()["mechanisms"][name]["change"])


class Mechanisms:
    """What was seen by mechanism and component, asked for what each change fits."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._signs = {name: self._left_by(name) for name in vocabulary()["mechanisms"]}
        self._words = {change.id: words_of(change) for change in findings.bundle.changes}
        shared = Counter(name for change in findings.bundle.changes for name in self._held(change))
        count = len(findings.bundle.changes)
        self._rare = {name: math.log((count + 1) / times) / math.log(count + 1) for name, times in shared.items()}

    def _left_by(self, name: str) -> list[Sign]:
        """The signs that a mechanism leaves."""
        found = [one for one in self._findings.signs if one.harm >= 0 and one.weight >= LEAST_WEIGHT]
        if name == UNIT:
            return [one for one in found if off_by_unit(one)]
        return [one for one in found if (one.harm > 0 or one.telling) and _seen(name).search(one.words)]

    def _held(self, change: Change) -> Mapping[str, int]:
        """How many words of each mechanism a change holds; a flag and a setting are themselves one."""
        words = self._words[change.id] | {f"kind-{change.kind}"}
        counts = {name: len(words & _spoken(name)) for name in self._signs}
        return {name: count for name, count in counts.items() if count}

    def fit(self, change: Change, component: str) -> tuple[float, str]:
        """How well what was seen fits a mechanism that the change speaks of, 0..1, and the reason."""
        best, reason = 0.0, ""
        for name, count in self._held(change).items():
            share = self._rare[name] * (1.0 if count > 1 or count == len(_spoken(name)) else ONE_WORD)
            for sign in self._signs[name]:
                value = share * sign.weight * self._near(sign.component, component)
                if value > best:
                    best, reason = value, f"could act by {name.replace('_', ' ')}: {sign.text}"
        return best, reason

    def _near(self, seen_at: str, component: str) -> float:
        net = self._findings.graph
        if seen_at == component:
            return 1.0
        if seen_at in net.above(component):
            return ABOVE
        return BELOW if seen_at in net.callees.get(component, ()) else ELSEWHERE


def off_by_unit(sign: Sign) -> bool:
    """Whether a value became a round factor, as of a unit, larger or smaller."""
    if sign.shift is None or sign.kind not in ("other", "quality", "age") or min(abs(sign.shift.before), 1.0) <= 0:
        return False
    ratio = max(sign.shift.ratio, 1.0 / max(sign.shift.ratio, 1e-9))
    return any(abs(ratio / unit - 1.0) <= UNIT_SLACK for unit in UNITS)


def words_of(change: Change) -> frozenset[str]:
    """All words of a change's title, paths and changed lines, common ones too, without the plural's s."""
    lines = [line for line in (change.diff or "")[:MOST_TEXT].splitlines() if _changed(line)]
    return frozenset(_single(word) for word in words_in(" ".join([change.title, *change.files, *lines])))


def _single(word: str) -> str:
    return word[:-1] if len(word) > SHORT and word.endswith("s") and not word.endswith("ss") else word


def _changed(line: str) -> bool:
    return line.startswith(("+", "-")) and not line.startswith(("+++", "---"))


def names_version(titles: Sequence[str], signs: Sequence[Sign]) -> str:
    """The first failing sign that holds the version that one of a change's titles brings; empty when none does."""
    for version in [found for title in titles for found in _VERSION.findall(title.rpartition("->")[2])]:
        exact = re.compile(rf"(?<![\d.]){re.escape(version)}(?![\d.]*\d)")
        for one in signs:
            if one.harm > 0 and one.template is not None and one.template.new and exact.search(one.words):
                return one.text
    return ""
