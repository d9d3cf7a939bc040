"""How far checked claims move the engine's ranking: a bounded shift of log-odds, computed here, never stated by a model."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from .analysis import Analysis, Claim, Suggestion
from .diagnosis import Hypothesis

STEP = 0.4
MOST_SHIFT = 1.2
SUREST = 0.995
SUGGESTED = 0.02
# Sources that see the same thing count once: an alert is a metric over its limit, a deploy is a change.
_SAME = {
    "signals": "metrics",
    "alert": "metrics",
    "prometheus": "metrics",
    "series": "metrics",
    "log": "logs",
    "loki": "logs",
    "deploys": "changes",
    "git": "changes",
    "reports": "changes",
    "source": "changes",
}
_REMEDIES = {
    "code": "roll back",
    "configuration": "configuration revert",
    "capacity": "scale",
    "traffic": "scale",
    "infrastructure": "restart",
    "model": "retrain",
    "data": "wait",
}


def weighed(prior: Sequence[Hypothesis], analysis: Analysis) -> tuple[Hypothesis, ...]:
    """The engine's hypotheses after the claims that survived, ordered anew.

    With ``p`` the engine's probability of a hypothesis (clipped to 0.005..0.995):

        L  = ln(p / (1 - p))
        s  = STEP * (n_for - n_against),  cut to -MOST_SHIFT..MOST_SHIFT
        p' = 1 / (1 + exp(-(L + s)))

    ``n_for`` counts the *independent* citations for it: distinct origins (metrics, logs, changes, experiments ...) among
    the evidence that carries its surviving claims, each origin once however many claims and ids it has; ``n_against``
    likewise. So one log that says a thing a thousand times is one citation, and three origins are the most that help. When
    the sum of all p' exceeds what it was (or 1, if that is more), all are scaled down to it. A suggestion of the model's
    own starts at SUGGESTED and needs a surviving claim for it. The constants are guesses until they are calibrated.
    """
    keyed = {f"H{n}": guess for n, guess in enumerate(prior, 1)}
    known = {(guess.cause, guess.change, guess.component) for guess in prior}
    for each in analysis.suggestions:
        fits = not each.dropped and (each.cause, each.change, each.component) not in known
        if fits and _origins(each.key, "for", analysis):
            keyed[each.key] = _hypothesis(each)
    moved = {key: _moved(key, guess, analysis) for key, guess in keyed.items()}
    total = sum(moved.values())
    most = max(1.0, sum(guess.confidence for guess in prior))
    scale = most / total if total > most else 1.0
    guesses = [_told(key, guess, moved[key] * scale, analysis) for key, guess in keyed.items()]
    best = sorted(guesses, key=lambda guess: -guess.confidence)
    return tuple(guess.model_copy(update={"rank": place}) for place, guess in enumerate(best, 1))


def _moved(key: str, guess: Hypothesis, analysis: Analysis) -> float:
    shift = shift_of(key, analysis)
    if shift == 0.0:
        return guess.confidence
    p = min(SUREST, max(1 - SUREST, guess.confidence))
    return 1 / (1 + exp(-(log(p / (1 - p)) + shift)))


def shift_of(key: str, analysis: Analysis) -> float:
    """The shift of log-odds of one hypothesis, by its key."""
    count = len(_origins(key, "for", analysis)) - len(_origins(key, "against", analysis))
    return max(-MOST_SHIFT, min(MOST_SHIFT, STEP * count))


def _origins(key: str, stance: str, analysis: Analysis) -> frozenset[str]:
    sources = (analysis.origins.get(name, name) for claim in _about(key, stance, analysis) for name in claim.carried)
    return frozenset(_SAME.get(source, source) for source in sources)


def _about(key: str, stance: str, analysis: Analysis) -> list[Claim]:
    return [claim for claim in analysis.claims if claim.about == key and claim.stance == stance and not claim.dropped]


def _told(key: str, guess: Hypothesis, confidence: float, analysis: Analysis) -> Hypothesis:
    """The hypothesis with its new confidence and what was said of it, marked as the model's words."""
    said = [_shown(claim) for claim in _about(key, "for", analysis)]
    against = [_shown(claim) for claim in _about(key, "against", analysis)]
    update = {
        "confidence": confidence,
        "evidence": (*guess.evidence, *said),
        "against": (*guess.against, *against),
    }
    return guess.model_copy(update=update)


def _shown(claim: Claim) -> str:
    return f"{claim.statement} (the model, from {', '.join(claim.carried)})"


def _hypothesis(suggestion: Suggestion) -> Hypothesis:
    return Hypothesis(
        rank=1,
        cause=suggestion.cause,
        component=suggestion.component,
        change=suggestion.change,
        confidence=SUGGESTED,
        remediation=_REMEDIES.get(suggestion.cause, "escalate"),
        title=f"suggested by the model: {suggestion.title}",
    )
