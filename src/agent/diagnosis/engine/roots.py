"""Which component failed first: each with the reasons for and against, as features between 0 and 1.

Failures and slowness travel from what is called to who calls; load travels from who calls to what is called; wrong values
travel either way, with the data. What moved first, and is not explained by a neighbour, leads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from .findings import Findings, Node
from .logs import WARNING
from .signs import Sign
from .words import own_side, parts_of, speaks_of, tokens

WEIGHTS: Final[Mapping[str, tuple[float, float]]] = {  # where a change is to blame, and where none is
    "sick": (1.33, 1.4),
    "early": (2.04, 1.59),
    "forerunner": (0.9, 1.24),
    "victim": (-1.2, -1.94),
    "loaded": (-1.24, -0.96),
    "amplifies": (1.71, 0.97),
    "unexplained": (-0.34, -0.94),
    "hurts": (0.41, 0.45),
    "named": (1.1, 1.2),
    "own code": (1.25, 0.77),
    "complains": (-0.9, -0.6),
    "innermost": (0.61, 0.49),
    "alone": (-0.9, -0.25),
}
CLEAR, FAINT = 0.5, 0.15  # weights of a sign that is no chance, and of one that may say something
HARDLY_SICK, LEAST_SICK, CLEARLY_SICK = 0.2, 0.25, 0.45  # strengths of a component
MUCH_ELSEWHERE: Final = 0.8  # strength of all that is not linked
PAIR: Final = 2  # components
LEAST_LETTERS: Final = 3  # of a name that can be found in a text
RISEN: Final = 1.3  # times as much traffic
MENTIONED, COMPLAINED = 0.4, 0.8  # of a failing line's weight: for whom it names, and for whom it says did not answer
DEPENDENT: Final = ("dependency",)


@dataclass(frozen=True)
class Root:
    """One component as the one that failed first. ``features`` are 0..1 by the names of `WEIGHTS`."""

    name: str
    features: Mapping[str, float]

    @property
    def changed(self) -> float:
        """The weighted sum, for a change as the cause."""
        return sum(WEIGHTS[key][0] * value for key, value in self.features.items())

    @property
    def unchanged(self) -> float:
        """The weighted sum, for a cause that needs no change."""
        return sum(WEIGHTS[key][1] * value for key, value in self.features.items())


def roots(findings: Findings) -> dict[str, Root]:
    """Every component; those that show nothing and that nobody points at come out below 0.5."""
    named = _named(findings)
    sick = {name: node.strength for name, node in findings.nodes.items()}
    first = {name: findings.first(name) for name in findings.nodes}
    found = {}
    for name, node in findings.nodes.items():
        features = {
            "sick": sick[name],
            "early": _early(findings, first[name]),
            "forerunner": _forerunner(findings, node),
            "victim": _victim(findings, node, sick, first),
            "loaded": _loaded(findings, node),
            "amplifies": _amplifies(findings, node),
            "unexplained": _unexplained(findings, name, sick),
            "hurts": _hurts(findings, name, sick),
            "named": named.get(name, 0.0),
            "own code": _own_code(node),
            "complains": _complains(node),
            "innermost": node.innermost,
            "alone": _alone(findings, node, sick),
        }
        found[name] = Root(name, {key: float(value) for key, value in features.items() if value})
    return found


def _early(findings: Findings, first: float) -> float:
    if findings.onset is None or not np.isfinite(first):
        return 0.0
    late = max(0.0, first - findings.onset - findings.step)
    return float(np.exp(-late / (1.5 * findings.tolerance)))


def _forerunner(findings: Findings, node: Node) -> float:
    """A clear change that came well before users felt anything, and stayed."""
    if findings.onset is None:
        return 0.0
    before = findings.onset - findings.tolerance
    found = [one for one in node.signs if one.telling and one.at < before and one.until is None and one.weight >= CLEAR]
    return max((one.weight for one in found), default=0.0)


def _victim(findings: Findings, node: Node, sick: Mapping[str, float], first: Mapping[str, float]) -> float:
    """Something it calls is as sick and not later, and not because of its own calls."""
    best = 0.0
    for name in findings.graph.below(node.name):
        if name not in sick or sick[name] < LEAST_SICK:
            continue
        strength = min(1.0, sick[name] / max(sick[node.name], 0.3))
        if first[name] > first[node.name] + findings.tolerance:
            strength *= 0.35
        if findings.nodes[name].load > max(RISEN, 1.25 * node.load):
            strength *= 0.3
        best = max(best, strength)
    return best


def _loaded(findings: Findings, node: Node) -> float:
    """It gets more calls, and a caller is there that may send them."""
    risen = node.load
    callers = [findings.nodes[name] for name in findings.graph.callers.get(node.name, ()) if name in findings.nodes]
    if risen < RISEN or not callers:
        return 0.0
    return min(1.0, float(np.log2(risen)) / 2.0)


def _amplifies(findings: Findings, node: Node) -> float:
    """What it calls gets far more calls, though it gets hardly more itself: each of its own costs more."""
    best = 0.0
    for name in findings.graph.callees.get(node.name, ()):
        other = findings.nodes.get(name)
        if other is None or other.load < 1.5 * max(node.load, 1.0):
            continue
        callers = [findings.nodes[one] for one in findings.graph.callers.get(name, ()) if one in findings.nodes]
        if all(one.load < 0.7 * other.load for one in callers):
            best = max(
                best, min(1.0, float(np.log2(other.load / max(node.load, 1.0))) / 2.0) * (0.4 + 0.6 * node.strength)
            )
    return best


def _unexplained(findings: Findings, name: str, sick: Mapping[str, float]) -> float:
    """The share of what is clearly sick that neither depends on it nor is called by it."""
    if len(findings.graph.nodes) <= PAIR:
        return 0.0
    clear = {other: strength for other, strength in sick.items() if strength > CLEARLY_SICK and other != name}
    linked = findings.graph.above(name) | findings.graph.below(name)
    total = sum(clear.values())
    return sum(strength for other, strength in clear.items() if other not in linked) / total if total > 1.0 else 0.0


def _hurts(findings: Findings, name: str, sick: Mapping[str, float]) -> float:
    """The share of all that is sick elsewhere that depends on it."""
    total = sum(strength for other, strength in sick.items() if other != name)
    above = sum(sick[other] for other in findings.graph.above(name) if other in sick)
    return above / total if total > 0 else 0.0


def _named(findings: Findings) -> dict[str, float]:
    """How much the failing lines and the moved labels of others name each component."""
    words = {name: tokens(name) | frozenset(name.lower().split("-")) for name in findings.nodes}
    found = dict.fromkeys(findings.nodes, 0.0)
    for sign in findings.signs:
        if not (sign.telling or (sign.harm > 0 and sign.weight >= FAINT)):
            continue
        if sign.template and own_side().search(sign.words):
            continue
        share = COMPLAINED if sign.template and speaks_of("dependency").search(sign.words) else MENTIONED
        for name in _meant(sign, words):
            found[name] = min(1.0, found[name] + share * sign.weight)
    return found


def names(sign: Sign, component: str) -> bool:
    """Whether a sign holds the name of a component, whole or in its parts."""
    return component in _meant(sign, {component: tokens(component) | frozenset(component.lower().split("-"))})


def _meant(sign: Sign, words: Mapping[str, frozenset[str]]) -> Iterable[str]:
    """The other components whose whole name a sign holds, in its text or in its labels."""
    text = sign.words.lower()
    spoken = frozenset(_split(text)) | frozenset(parts_of(sign.words))
    for name, parts in words.items():
        if name == sign.component or len(name) < LEAST_LETTERS:
            continue
        if name.lower() in text or (len(parts) > 1 and parts <= spoken):
            yield name


def _split(text: str) -> list[str]:
    return [part for part in "".join(char if char.isalnum() else " " for char in text).split() if part]


def _own_code(node: Node) -> float:
    """New tracebacks out of its own code that do not speak of what it calls."""
    best = 0.0
    for failure in node.failures[:8]:
        text = f"{failure.exception} {failure.message}"
        if failure.frames and not speaks_of("dependency").search(text) and not speaks_of("capacity").search(text):
            best = max(best, min(1.0, failure.count / 10.0))
    return best


def _complains(node: Node) -> float:
    """Its new failing lines speak of something else that does not answer."""
    found = [
        one.weight
        for one in node.signs
        if one.template
        and (one.template.severe or one.template.level in WARNING)
        and any(speaks_of(cause).search(one.template.example) for cause in DEPENDENT)
        and not own_side().search(one.template.example)
    ]
    return min(1.0, max(found, default=0.0))


def _alone(findings: Findings, node: Node, sick: Mapping[str, float]) -> float:
    """It is sick, and nothing that is linked with it is, while others elsewhere are: another story."""
    if sick[node.name] < HARDLY_SICK or len(findings.graph.nodes) < PAIR or node.alerted:
        return 0.0
    near = findings.graph.above(node.name) | findings.graph.below(node.name)
    linked = sum(sick.get(name, 0.0) for name in near)
    elsewhere = sum(sick.values()) - linked - sick[node.name]
    return 1.0 if linked < HARDLY_SICK and elsewhere > MUCH_ELSEWHERE else 0.0
