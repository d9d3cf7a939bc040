"""What may be wrong although nobody changed anything: a dependency, data, the model, capacity, traffic, the machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...model.diagnosis import Cause
from .findings import Findings, Node
from .roots import Root, names
from .signs import Sign
from .stillness import still_since
from .words import is_counter, kind_of, listed, parts_of, speaks_of, vocabulary

WEIGHTS: Final[Mapping[str, float]] = {
    "outside": 1.52,
    "leaf": 0.33,
    "said": 2.13,
    "said by others": 1.1,
    "one part": 0.57,
    "old data": 1.11,
    "values moved": 1.52,
    "stands still": 1.5,
    "wrong, nothing fails": 1.25,
    "the other model too": 3.13,
    "drift": 0.86,
    "slow climb": 0.76,
    "ran out": 2.4,
    "full": 0.25,
    "together": 1.83,
    "gone": 1.1,
    "surge": 2.39,
    "everywhere": 0.52,
    "changed": -0.61,
    "healed alone": 0.5,
    "its name": 1.6,
    "machine": 1.0,
    "nothing said": -2.49,
    "nothing known": -1.12,
}
WEAK: Final = frozenset(("one part", "leaf", "full", "its name"))  # they fit many causes, and carry none alone
REMEDIATION: Final[Mapping[str, str]] = {
    "dependency": "escalate", "traffic": "scale", "capacity": "scale", "data": "wait", "model": "retrain",
    "infrastructure": "restart", "configuration": "configuration revert", "unknown": "escalate",
}  # fmt: skip
TITLES: Final = {
    "dependency": "{name}, which others depend on, is down, slow or lying",
    "traffic": "more or other traffic than {name} can bear",
    "capacity": "a resource of {name} is exhausted",
    "data": "the data that comes into {name} is bad, late or missing",
    "model": "the model behind {name} no longer fits",
    "infrastructure": "the machine, network or certificate under {name} is at fault",
    "unknown": "{name} fails, and nothing seen says why",
}
MOST_PLACES: Final = 6
PASSED_ON: Final = 0.4  # of what a component says of what it calls, where those are known
SEEN: Final = 0.3  # weight of a sign that counts
LEAST_WAY_POINTS, LEAST_END_POINTS = 12, 3  # that show a way, and where it ended
MANY_APART: Final = 3  # components that fail together; two may by chance
VERY_SICK: Final = 0.6  # strength
SAME_TIME: Final = 3.0  # points
MORE: Final = 1.4  # times the traffic of a usual component
CLEAR: Final = 0.5  # weight of a sign that is no chance
LEAST_WAY: Final = 0.15  # of where it began, or of what was left of a share, that a series goes until it has run out
FULL_SHARE: Final = 0.9999  # a share that is as good as all
SURGE: Final = 1.5  # times the usual traffic


@dataclass(frozen=True)
class Rival:
    """One cause without a change, at one component."""

    cause: Cause
    component: str
    features: Mapping[str, float]
    said_for: tuple[str, ...]

    @property
    def score(self) -> float:
        """The weighted sum, the component's own score not included."""
        return sum(WEIGHTS[key] * value for key, value in self.features.items())


Told = Iterator[tuple[str, float, str]]


def rivals(findings: Findings, found: Mapping[str, Root]) -> list[Rival]:
    """All of them at the components most likely to have failed first."""
    places = sorted(found.values(), key=lambda one: -one.unchanged)[:MOST_PLACES]
    places += [found[name] for name, node in findings.nodes.items() if node.load >= SURGE and found[name] not in places]
    return [
        _rival(findings, findings.nodes[place.name], place, cause, tell)
        for place in places
        for cause, tell in _CAUSES.items()
    ]


def _rival(findings: Findings, node: Node, place: Root, cause: Cause, tell: Callable[[Findings, Node], Told]) -> Rival:
    features: dict[str, float] = {}
    said: list[str] = []
    if cause in vocabulary()["places"] and frozenset(parts_of(node.name)) & listed("places", cause):
        features["its name"] = 1.0
    for name, value, reason in tell(findings, node):
        if value > 0:
            features[name] = max(features.get(name, 0.0), float(value))
            if reason:
                said.append(reason)
    if (
        cause == "infrastructure"
        and "its name" in features
        and "alone" not in place.features
        and _own_trouble(findings, node)
    ):
        features["machine"] = 1.0
        said.append(f"{node.name} is a machine, and its own measures moved first")
    if not features.keys() - WEAK:
        features["nothing known" if cause == "unknown" else "nothing said"] = 1.0
    if findings.alone_healed:
        features["healed alone"] = 1.0
    changed = [
        1.0 - one.waiting
        for one in findings.lived
        if one.change.component == node.name and _just_before(findings, one.at)
    ]
    if max(changed, default=0.0) > 0:
        features["changed"] = max(changed)
    return Rival(cause, node.name, features, tuple(said))


def _own_trouble(findings: Findings, node: Node) -> bool:
    """Whether a component's own measures moved clearly, not after the onset, with no change of it on record."""
    onset = findings.onset or findings.bundle.opened_at
    return not any(one.component == node.name for one in findings.bundle.changes) and any(
        one.shift is not None and one.weight > CLEAR and one.telling and one.at <= onset + findings.tolerance
        for one in node.signs
    )


def _just_before(findings: Findings, at: float) -> bool:
    onset = findings.onset or findings.bundle.opened_at
    return onset - 15.0 * findings.tolerance <= at <= onset


# -- what speaks for each --------------------------------------------------------------------------------------------


def _spoken(findings: Findings, node: Node, cause: str) -> Told:
    """New failing lines of the component, or of those that call it, that speak of the cause."""
    callers = findings.graph.callers.get(node.name, set())
    for name, sign in ((one.component, one) for one in findings.signs):
        if sign.template is None or sign.harm <= 0 or not speaks_of(cause).search(sign.template.example):
            continue
        if name == node.name:
            yield "said", sign.weight, sign.text
        elif name in callers:
            yield "said by others", sign.weight * (1.0 if names(sign, node.name) else 0.5), sign.text


def _harmful(node: Node, *kinds: str) -> list[Sign]:
    return [one for one in node.signs if one.harm > 0 and one.kind in kinds and one.weight > SEEN]


def _part(findings: Findings, node: Node) -> Told:
    """Only one of several parts (a region, a supplier, an upstream) moved: what all parts share is not to blame."""
    moved: dict[str, set[str]] = {}
    for sign in node.signs:
        if sign.shift and sign.weight > SEEN and sign.harm >= 0:
            base, part = _labelled(sign.shift.metric)
            if part:
                moved.setdefault(base, set()).add(part)
    for base, parts in moved.items():
        all_parts = {
            _labelled(one.metric)[1]
            for one in findings.bundle.courses
            if one.component == node.name and _labelled(one.metric)[0] == base
        }
        if len(all_parts) > 1 and len(parts) <= len(all_parts) / 2:
            yield "one part", 1.0, f"of {base} only {', '.join(sorted(parts))[:120]} moved, of {len(all_parts)}"


def _labelled(metric: str) -> tuple[str, str]:
    base, brace, labels = metric.partition("{")
    if brace:
        return base, labels.rstrip("}")
    head, dot, tail = metric.rpartition(".")
    return (head, tail) if dot and any(char.isdigit() for char in tail) and not tail.startswith("p") else (metric, "")


def _dependency(findings: Findings, node: Node) -> Told:
    net = findings.graph
    if not node.watched and net.callers.get(node.name):
        yield "outside", 1.0, f"{node.name} is not ours to watch, and others call it"
    if not net.callees.get(node.name) and net.callers.get(node.name):
        yield "leaf", 1.0, f"{node.name} is at the end of every call"
    own = PASSED_ON if net.callees.get(node.name) else 1.0
    for name, value, reason in _spoken(findings, node, "dependency"):
        yield name, value * (own if name == "said" else 1.0), reason
    yield from _part(findings, node)


def _data(findings: Findings, node: Node) -> Told:
    for sign in _harmful(node, "age"):
        yield "old data", sign.weight, sign.text
    values = [
        one for one in node.signs if one.kind in ("other", "drift") and one.source == "metric" and one.weight > CLEAR
    ]
    if values and not [one for one in _harmful(node, "error", "latency") if one.source == "metric"]:
        yield "values moved", values[0].weight, f"{values[0].text}, and nothing fails there"
    for course in findings.bundle.courses:
        since = still_since(course) if course.component == node.name else None
        if since is not None and since <= (findings.onset or findings.bundle.opened_at) + findings.tolerance:
            yield (
                "stands still",
                1.0,
                f"{course.metric} of {node.name} repeats one value, though it always moved before",
            )
    yield from _spoken(findings, node, "data")
    yield from _part(findings, node)
    yield from _other_model(findings, node)


def _model(findings: Findings, node: Node) -> Told:
    wrong = _harmful(node, "quality")
    if wrong and not [one for one in _harmful(node, "error") if one.source == "metric"]:
        yield "wrong, nothing fails", wrong[0].weight, f"{wrong[0].text}, and nothing fails"
    for sign in _harmful(node, "drift"):
        yield "drift", sign.weight, sign.text
    yield from _spoken(findings, node, "model")
    yield from _other_model(findings, node)


def _other_model(findings: Findings, node: Node) -> Told:
    """A model that was not touched, or the naive forecast, errs as much: the world changed, not the code."""
    own = _harmful(node, "quality")
    linked = findings.graph.above(node.name) | findings.graph.below(node.name)
    for name, other in findings.nodes.items():
        if own and name != node.name and name not in linked and _harmful(other, "quality"):
            yield "the other model too", 0.6 * own[0].weight, f"{name} errs as well, and does not depend on it"
    for sign in _harmful(node, "quality", "error"):
        if sign.shift and any(word in sign.words.lower() for word in listed("changes", "other_model")):
            yield "the other model too", sign.weight, f"{sign.text}: what nobody changed errs, too"


def _capacity(findings: Findings, node: Node) -> Told:
    onset = findings.onset or findings.bundle.opened_at
    for sign in node.signs:
        if sign.shift is None or sign.kind not in ("saturation", "memory", "other", "traffic"):
            continue
        if sign.shift.gradual and sign.harm >= 0 and sign.at < onset - findings.tolerance and sign.until is None:
            yield "slow climb", sign.weight, f"{sign.text}, slowly, since {onset - sign.at:.0f} s before the onset"
        elif sign.harm > 0:
            yield "full", sign.weight, sign.text
    for text in ran_out(findings, node):
        yield "ran out", 1.0, text
    yield from _spoken(findings, node, "capacity")


def ran_out(findings: Findings, node: Node) -> Iterator[str]:
    """Series that went steadily one way until the onset, and stay where they ended: a limit was reached."""
    onset = findings.onset or findings.bundle.opened_at
    for course in findings.bundle.courses:
        if course.component != node.name or (
            is_counter(course.metric) and kind_of(course.metric) in ("traffic", "error")
        ):
            continue
        at, values = course.at, course.values
        early, late = values[at < onset], values[at >= onset]
        if len(early) < LEAST_WAY_POINTS or len(late) < LEAST_END_POINTS:
            continue
        parts = np.array([float(np.median(part)) for part in np.array_split(early[-(2 * len(early) // 3) :], 6)])
        steps = np.diff(parts)
        way = parts[-1] - parts[0]
        end = float(np.median(late))
        spread = float(np.max(early) - np.min(early))
        filled = 1.0 - (1.0 - end) / (1.0 - parts[0]) if FULL_SHARE <= end <= 1.0 and parts[0] < 1.0 else 0.0
        if not (np.sign(way) * steps > 0).all() or max(abs(way) / max(abs(parts[0]), 1e-12), filled) < LEAST_WAY:
            continue
        still = float(np.quantile(late, 0.9) - np.quantile(late, 0.1)) <= 0.02 * max(spread, 1e-12)
        further = np.sign(way) * (end - parts[-1]) >= -0.02 * spread
        if still and further:
            yield f"{course.metric} of {node.name} went steadily from {parts[0]:.4g} to {end:.4g} and stays there"


def _infrastructure(findings: Findings, node: Node) -> Told:
    yield from _spoken(findings, node, "infrastructure")
    apart = _unrelated(findings)
    if apart >= MANY_APART:
        yield "together", min(1.0, apart / 5.0), f"{apart} components that do not call each other failed together"
    for sign in _harmful(node, "availability"):
        yield "gone", sign.weight, sign.text
    yield from _part(findings, node)


def _unrelated(findings: Findings) -> int:
    """How many sick components failed within a few points of each other without one below them that explains it."""
    onset = findings.onset or findings.bundle.opened_at
    sick = {
        name
        for name, node in findings.nodes.items()
        if node.strength > VERY_SICK and abs(findings.first(name) - onset) <= SAME_TIME * findings.step
    }
    return len([name for name in sick if not findings.graph.below(name) & sick])


def _traffic(findings: Findings, node: Node) -> Told:
    loads = [one.load for one in findings.nodes.values() if one.watched]
    callers = [
        name
        for name in findings.graph.callers.get(node.name, ())
        if name in findings.nodes and findings.nodes[name].watched
    ]
    if node.load >= SURGE and not callers:  # where the world comes in
        yield "surge", min(1.0, float(np.log2(node.load)) / 2.0), f"{node.name} gets {node.load:.1f} times the traffic"
        if len(loads) > 1 and np.median(loads) > MORE:
            yield "everywhere", 1.0, "most components get more than before"
    yield from _spoken(findings, node, "traffic")


def _unknown(_findings: Findings, _node: Node) -> Told:
    yield from ()


_CAUSES: Final[Mapping[Cause, Callable[[Findings, Node], Told]]] = {
    "dependency": _dependency,
    "data": _data,
    "model": _model,
    "capacity": _capacity,
    "infrastructure": _infrastructure,
    "traffic": _traffic,
    "unknown": _unknown,
}
