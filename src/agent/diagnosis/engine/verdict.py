"""From findings to a diagnosis: every change and every rival at every likely component, by probability.

A candidate's score is a sum of log-odds: that its component failed first (`roots`), and that this change (`suspects`) or
this cause without a change (`rivals`) is behind it. Probabilities are their softmax, as in a conditional logit model
(McFadden 1974), sharpened by one factor for all, and stay below `MOST_SURE`: without an experiment nobody is surer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from ...kit.redact import fence
from ...model.bundle import Bundle
from ...model.diagnosis import Diagnosis, Hypothesis
from . import rivals as of_rivals
from . import roots as of_roots
from . import suspects as of_suspects
from .findings import Findings, find
from .rivals import REMEDIATION, TITLES, Rival, rivals
from .roots import RISEN, Root, roots
from .suspects import Suspect, cause_of, reach, weigh

MOST_SHOWN: Final = 8
# What speaks for each cause without a change before anything is known, log-odds beside a change.
PRIOR: Final[Mapping[str, float]] = {
    "dependency": -0.2,
    "data": -0.1,
    "model": 0.3,
    "capacity": 0.0,
    "infrastructure": 0.5,
    "traffic": 0.4,
    "unknown": -0.1,
}
ROUNDING: Final = 1e-9
SHARPNESS: Final = 1.5  # of the softmax: on open sets the sums were less sure than they were right
MOST_SURE: Final = 0.93
HURT: Final = 0.4  # strength from which a component is in the blast radius
LONGEST_REASON: Final = 400
_UNDO: Final = {"flag": "flag off", "config": "configuration revert"}


@dataclass(frozen=True)
class Candidate:
    """One hypothesis before it has a probability; ``place`` is the component score that counts for it."""

    what: Suspect | Rival
    place: float
    score: float

    @property
    def component(self) -> str:
        """Where it would have begun."""
        return self.what.component

    @property
    def change(self) -> str | None:
        """The change that it blames."""
        return self.what.change.id if isinstance(self.what, Suspect) else None


@dataclass(frozen=True)
class Part:
    """One feature of a candidate: its value times its weight is what it adds to the score."""

    name: str
    value: float
    weight: float


@dataclass(frozen=True)
class Verdict:
    """The diagnosis, and how it came about; ``candidates`` are ordered, the likeliest first."""

    findings: Findings
    places: Mapping[str, Root]
    candidates: Sequence[Candidate]
    diagnosis: Diagnosis

    def parts(self, candidate: Candidate) -> Iterator[Part]:
        """What a candidate's score is made of, the component's features first."""
        root = self.places.get(candidate.component)
        blames = isinstance(candidate.what, Suspect)
        own = root.features.items() if root else ()
        yield from (Part(name, value, of_roots.WEIGHTS[name][0 if blames else 1]) for name, value in own)
        borrowed = candidate.place - ((root.changed if blames else root.unchanged) if root else 0.0)
        if abs(borrowed) > ROUNDING:
            yield Part("what it reaches", borrowed, 1.0)
        weights = of_suspects.WEIGHTS if blames else of_rivals.WEIGHTS
        yield from (Part(name, value, weights[name]) for name, value in candidate.what.features.items())
        if isinstance(candidate.what, Rival):
            yield Part(f"as often as {candidate.what.cause} is", 1.0, PRIOR[candidate.what.cause])


def diagnose(bundle: Bundle) -> Diagnosis:
    """The whole judgement of one bundle. A healthy window has no onset and no hypotheses."""
    return judge(bundle).diagnosis


def judge(bundle: Bundle) -> Verdict:
    """The diagnosis with everything that led to it."""
    findings = find(bundle)
    if findings.onset is None:
        return Verdict(findings, {}, (), Diagnosis(onset=None, gaps=bundle.gaps))
    places = roots(findings)
    found = candidates(findings, places)
    hypotheses = _ranked(findings, found)
    lead = found[0].component if found else ""
    began = findings.first(lead) if lead in findings.nodes else float("inf")
    diagnosis = Diagnosis(
        onset=datetime.fromtimestamp(began if np.isfinite(began) else findings.onset, UTC),
        blast_radius=blast_radius(findings, lead),
        hypotheses=hypotheses,
        gaps=bundle.gaps,
    )
    return Verdict(findings, places, found, diagnosis)


def candidates(findings: Findings, places: Mapping[str, Root]) -> list[Candidate]:
    """All of them, the likeliest first."""
    found = []
    for suspect in weigh(findings, places):
        place = reach(findings, suspect.component, places)
        found.append(Candidate(suspect, place, place + suspect.score))
    for rival in rivals(findings, places):
        place = _behind(findings, rival, places)
        found.append(Candidate(rival, place, place + rival.score + PRIOR[rival.cause]))
    return sorted(found, key=lambda one: (-one.score, one.component, one.change or ""))


def _behind(findings: Findings, one: Rival, places: Mapping[str, Root]) -> float:
    """The root score of a rival's component; traffic that comes in at one counts by the sickest that it reaches."""
    own = places[one.component].unchanged
    if one.cause != "traffic" or "surge" not in one.features:
        return own
    below = findings.graph.below(one.component)
    nodes = [findings.nodes[name] for name in below if name in places]
    reached = [places[node.name].unchanged for node in nodes if node.load > RISEN or not node.counted]
    return max([own, *reached])


def _ranked(findings: Findings, found: Sequence[Candidate]) -> tuple[Hypothesis, ...]:
    """The likeliest by probability."""
    if not found:
        return ()
    scores = np.array([one.score for one in found])
    odds = np.exp(SHARPNESS * (scores - scores.max()))
    shares = (MOST_SURE * odds / odds.sum()).tolist()
    best = zip(found[:MOST_SHOWN], shares, strict=False)
    return tuple(_hypothesis(findings, one, rank, share) for rank, (one, share) in enumerate(best, 1))


def _hypothesis(findings: Findings, one: Candidate, rank: int, confidence: float) -> Hypothesis:
    symptoms = _symptoms(findings, one.component)
    if isinstance(one.what, Suspect):
        change = one.what.change
        return Hypothesis(
            rank=rank,
            cause=cause_of(change),
            component=one.component,
            change=change.id,
            confidence=confidence,
            remediation=_UNDO.get(change.kind, "roll back"),
            title=fence(f"{change.kind} {change.id[:12]}: {change.title}", LONGEST_REASON),
            evidence=_said((*one.what.said_for, *symptoms)),
            against=_said((*one.what.said_against, _refuter(change.kind))),
        )
    cause = one.what.cause
    return Hypothesis(
        rank=rank,
        cause=cause,
        component=one.component,
        change=None,
        confidence=confidence,
        remediation="wait" if findings.recovered else REMEDIATION[cause],
        title=TITLES[cause].format(name=one.component),
        evidence=_said((*one.what.said_for, *symptoms)),
        against=() if findings.bundle.changes else ("no changes are on record, so none can be blamed",),
    )


def _said(reasons: Sequence[str]) -> tuple[str, ...]:
    """Reasons quote what strangers wrote: secrets are taken out, lengths and lines kept in bounds."""
    return tuple(fence(reason, LONGEST_REASON) for reason in dict.fromkeys(reasons))


def _refuter(kind: str) -> str:
    how = "switching it back" if kind in _UNDO else "the release without it"
    return f"would be refuted if {how} showed the same signals"


def _symptoms(findings: Findings, name: str) -> tuple[str, ...]:
    node = findings.nodes.get(name)
    worst = sorted((one for one in node.signs if one.harm > 0), key=lambda one: -one.force)[:3] if node else []
    return tuple(one.text for one in worst)


def blast_radius(findings: Findings, lead: str) -> tuple[str, ...]:
    """The component that failed first, then all that are hurt, those that depend on it before the others."""
    above = findings.graph.above(lead)
    hurt = {name for name, node in findings.nodes.items() if node.strength > HURT}
    return tuple(dict.fromkeys([*([lead] if lead else []), *sorted(hurt & above), *sorted(hurt - above)]))


def as_contract(diagnosis: Diagnosis, seconds: float) -> Mapping[str, object]:
    """The document that ``mpa diagnose --json`` prints."""
    return {
        "onset": diagnosis.onset.isoformat() if diagnosis.onset else None,
        "blast_radius": list(diagnosis.blast_radius),
        "hypotheses": [
            {
                "rank": one.rank,
                "cause": one.cause,
                "component": one.component,
                "change": one.change,
                "confidence": round(one.confidence, 4),
                "remediation": one.remediation,
                "evidence": list(one.evidence),
                "against": list(one.against),
            }
            for one in diagnosis.hypotheses
        ],
        "gaps": [f"{gap.source}: {gap.reason}" for gap in diagnosis.gaps],
        "seconds": round(seconds, 3),
    }
