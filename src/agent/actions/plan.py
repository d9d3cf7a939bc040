"""Chooses what to do about a diagnosis, by expected benefit and harm. Pure.

Every option has a probability that it ends the harm (what the hypotheses and experiments that it would help against come
to), one that it does harm itself, and the time until it works. Its score is the expected share of suffering that it takes
away, in the sense of decision theory: ``helps - harms - seconds / PATIENCE``. What has an effect needs more than a good score: a
probability of at least ``LEAST``, and a change of code an experiment. Why an option was not taken is written into it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..model.alert import Episode
from ..model.delivery import Observation
from ..model.diagnosis import Diagnosis, Hypothesis
from ..model.evidence import EvidenceSet
from ..model.experiment import Verdict
from ..model.incident import Incident
from ..model.plan import Abilities, Option, Plan, Remedy, Standing

PATIENCE: Final = 1_800.0  # seconds of suffering that weigh as much as certain harm
LEAST: Final[Mapping[Remedy, float]] = {
    "repair": 0.5, "rollback": 0.7, "restart": 0.4, "configuration_revert": 0.5, "quarantine": 0.5, "retrain": 0.4,
    "wait": 0.5,
}  # fmt: skip
SECONDS: Final[Mapping[Remedy, float]] = {
    "repair": 90.0, "rollback": 10.0, "restart": 5.0, "configuration_revert": 5.0, "quarantine": 1.0, "retrain": 60.0,
    "wait": 120.0,
}  # fmt: skip
HARM: Final[Mapping[Remedy, float]] = {
    "repair": 0.03, "rollback": 0.08, "restart": 0.03, "configuration_revert": 0.05, "quarantine": 0.02, "retrain": 0.05,
}  # fmt: skip
PER_RIDER: Final = 0.02  # a roll back takes other people's work away
MOST_HARM: Final = 0.4
PROVEN: Final = 0.95  # the release before is green where the running one is red
SUSPECT_DATA: Final = 0.25  # from this share on nothing is trained on what comes in
FLAPS: Final = 3
QUALITY: Final = frozenset({"mae_ratio"})
GROWING: Final = frozenset({"memory_growth"})
DOWN: Final = "down"


@dataclass(frozen=True)
class Situation:
    """All that a plan is made from. ``tried`` are mitigations that did not help before in the same incident."""

    incident: Incident
    evidence: EvidenceSet
    diagnosis: Diagnosis
    now: Observation
    episodes: Sequence[Episode]
    abilities: Abilities
    tried: frozenset[Remedy] = frozenset()

    def share(self, *causes: str) -> float:
        """The confidence in all hypotheses of these causes together."""
        return _total(one for one in self.diagnosis.hypotheses if one.cause in causes)

    @property
    def proven_release(self) -> bool:
        """Whether an experiment saw the running release red and the one before it green."""
        seen = {(run.commit, run.verdict) for each in self.diagnosis.experiments for run in each.runs}
        running, before = self.evidence.running, self.evidence.last_good
        return (running, Verdict.RED) in seen and (before, Verdict.GREEN) in seen

    @property
    def shipped(self) -> frozenset[str]:
        """Everything that the running release brought: its commits, and the deploy itself."""
        ids = [change.id for change in self.evidence.commits]
        before, running = self.evidence.last_good, self.evidence.running
        commits = ids[: ids.index(before)] if before in ids else ids
        deploys = (change.id for change in self.evidence.deploys[:1] if change.commit in (None, running))
        return frozenset((*commits, *deploys))

    @property
    def breached(self) -> bool:
        """Whether the signal that raised the incident is in breach now."""
        return self.incident.signal in self.now.firing

    @property
    def flaps(self) -> int:
        """How often one alert has come, where it has gone again and again; 0 where none has."""
        came = Counter(episode.fingerprint for episode in self.episodes)
        went = Counter(episode.fingerprint for episode in self.episodes if episode.resolved)
        return max((times for name, times in came.items() if times >= FLAPS and went[name] >= FLAPS - 1), default=0)

    @property
    def wrong_values(self) -> bool:
        """Whether what is served is wrong, rather than missing or late."""
        capsule = self.diagnosis.capsule
        return (capsule is not None and capsule.answers_only) or self.incident.signal in QUALITY


def make_plan(situation: Situation) -> Plan:
    """The plan; its reason is one sentence for people."""
    weighed = [_scored(option, situation) for option in _options(situation)]
    ranked = tuple(sorted(weighed, key=lambda option: (not option.available, -option.score, option.remedy)))
    standing = _standing(situation)
    calm = _calm(situation, standing)
    if calm is not None:
        return Plan(way=calm, options=_rest(ranked, calm), standing=standing, reason=calm.why[0])
    possible = {one.remedy: one for one in ranked if one.available}
    shield = possible.pop("quarantine", None)
    way = next(iter(possible.values()), None) or shield or _escalate(situation)
    first = shield if way.remedy not in ("quarantine", "wait") else None
    fallback = possible.get("rollback") if way.remedy == "repair" else None
    if first is None and fallback is not None and situation.incident.signal == DOWN and situation.proven_release:
        first, fallback = fallback, None
    options, reason = _rest(ranked, way, first), _reason(way, first)
    return Plan(way=way, first=first, fallback=fallback, options=options, standing=standing, reason=reason)


def _standing(situation: Situation) -> Standing:
    if situation.flaps:
        return "flapping"
    if situation.incident.all_resolved:
        return "recovered"
    return "suffering" if situation.diagnosis.hypotheses or situation.breached else "well"


def _calm(situation: Situation, standing: Standing) -> Option | None:
    """What to do where nobody suffers now and no fault was reproduced: nothing, or watch. None: something has to be done."""
    if situation.diagnosis.culprit is not None:
        return None
    if standing == "flapping":
        said = f"the same alert came and went {situation.flaps} times: it is watched until it keeps quiet"
        return Option(remedy="wait", helps=0.7, seconds=SECONDS["wait"], why=(said,))
    if standing == "recovered":
        return Option(remedy="none", helps=1.0, why=("every alert resolved and no change was proven guilty",))
    if standing == "well" and not situation.breached:
        said = "nothing that is measured is out of the ordinary: it is watched whether the alert resolves"
        return Option(remedy="wait", helps=0.7, seconds=SECONDS["wait"], why=(said,))
    return None


def _options(situation: Situation) -> list[Option]:
    return [
        _repair(situation),
        _rollback(situation),
        _restart(situation),
        _revert_settings(situation),
        _quarantine(situation),
        _retrain(situation),
        _wait(situation),
    ]


def _repair(situation: Situation) -> Option:
    diagnosis = situation.diagnosis
    if diagnosis.culprit is None or diagnosis.capsule is None:
        why = "no change was proven guilty by an experiment: nothing is believed until it is reproduced"
        return Option(remedy="repair", available=False, against=(why,))
    sure = _total(one for one in diagnosis.hypotheses if one.change == diagnosis.culprit)
    why = f"commit {diagnosis.culprit[:10]} is red and its parent green"
    return Option(remedy="repair", detail=diagnosis.culprit, helps=sure, why=(why,))


def _rollback(situation: Situation) -> Option:
    evidence = situation.evidence
    before, running = evidence.last_good, evidence.running
    if before is None or running is None or before == running:
        return Option(
            remedy="rollback", available=False, against=("no release ran before this one, as far as is known",)
        )
    if not situation.abilities.restarts:
        return Option(remedy="rollback", available=False, against=("the agent cannot deploy this target",))
    blamed = _total(one for one in situation.diagnosis.hypotheses if one.change in situation.shipped)
    helps, why = blamed, f"what the running release brought is blamed with {blamed:.0%}"
    if situation.proven_release:
        helps, why = PROVEN, f"release {before[:10]} is green where {running[:10]}, which runs, is red"
    ids = [change.id for change in evidence.commits]
    riders = max(0, ids.index(before) - 1) if before in ids else 0
    against = (f"it takes {riders} other commits out of production, too",) if riders else ()
    harm = min(MOST_HARM, HARM["rollback"] + PER_RIDER * riders)
    return Option(remedy="rollback", detail=before, helps=helps, harms=harm, why=(why,), against=against)


def _restart(situation: Situation) -> Option:
    if not situation.abilities.restarts:
        return Option(remedy="restart", available=False, against=("the agent cannot restart this target",))
    hung = _total(one for one in situation.diagnosis.hypotheses if one.cause == "infrastructure")
    full = situation.share("capacity") if situation.incident.signal in GROWING else 0.0
    helps = 0.95 * hung + 0.7 * full
    why = f"its process is blamed with {hung:.0%}" + (f", a resource that fills up with {full:.0%}" if full else "")
    against = ("what fills up would fill up again",) if full else ()
    return Option(remedy="restart", helps=min(1.0, helps), why=(why,), against=against)


def _revert_settings(situation: Situation) -> Option:
    abilities = situation.abilities
    if not abilities.settings or abilities.settings_replaced_at is None:
        why = "no former settings are known: give the target a settings_file"
        return Option(remedy="configuration_revert", available=False, against=(why,))
    onset = situation.diagnosis.onset
    if onset is not None and abilities.settings_replaced_at > onset:
        why = "the settings were changed after it began"
        return Option(remedy="configuration_revert", available=False, against=(why,))
    helps = situation.share("configuration")
    why = f"settings changed at {abilities.settings_replaced_at:%H:%M:%S}; a configuration is blamed with {helps:.0%}"
    return Option(remedy="configuration_revert", detail=abilities.settings, helps=helps, why=(why,))


def _quarantine(situation: Situation) -> Option:
    if "quarantine" not in situation.abilities.actions:
        return Option(remedy="quarantine", available=False, against=("the target declares no such action",))
    if not situation.wrong_values:
        return Option(remedy="quarantine", available=False, against=("it is not values that are wrong",))
    why = "values are wrong: they are no longer served as good ones while the cause is dealt with"
    return Option(remedy="quarantine", helps=0.9, why=(why,), against=("it ends the harm, not its cause",))


def _retrain(situation: Situation) -> Option:
    if "retrain" not in situation.abilities.actions:
        return Option(remedy="retrain", available=False, against=("the target declares no such action",))
    suspect = situation.share("data", "dependency")
    if suspect > SUSPECT_DATA:
        why = f"what comes in is suspect ({suspect:.0%}): nothing is trained on it"
        return Option(remedy="retrain", available=False, against=(why,))
    if situation.diagnosis.culprit is not None:
        return Option(remedy="retrain", available=False, against=("a change of code was proven guilty",))
    helps = situation.share("model") if situation.incident.signal in QUALITY else 0.0
    why = f"the model is blamed with {helps:.0%}; a candidate serves nobody until its promotion is approved"
    return Option(remedy="retrain", helps=0.9 * helps, why=(why,))


def _wait(situation: Situation) -> Option:
    passing = situation.share("traffic")
    why = f"what passes by itself is blamed with {passing:.0%}"
    return Option(remedy="wait", helps=passing, why=(why,), against=("nothing is done meanwhile",))


def _escalate(situation: Situation) -> Option:
    first = situation.diagnosis.hypotheses[0].title if situation.diagnosis.hypotheses else "nothing stands out"
    return Option(remedy="escalate", helps=0.0, why=(f"no action is likely enough to help: {first}",))


def _scored(option: Option, situation: Situation) -> Option:
    """With its score; not available when it is too unlikely to help, or did not help before."""
    remedy, against, available = option.remedy, option.against, option.available
    seconds = SECONDS[remedy]
    harms = option.harms or HARM.get(remedy, 0.0)
    if available and remedy in situation.tried:
        available, against = False, (*against, "it did not help before")
    elif available and option.helps < LEAST[remedy]:
        said = f"helps with a probability of {option.helps:.0%}, and at least {LEAST[remedy]:.0%} is asked for"
        available, against = False, (*against, said)
    score = option.helps - harms - seconds / PATIENCE
    return option.model_copy(
        update={"seconds": seconds, "harms": harms, "score": score, "against": against, "available": available}
    )


def _rest(ranked: Sequence[Option], way: Option, first: Option | None = None) -> tuple[Option, ...]:
    """All that were considered; those that were possible and not taken say what was better."""
    said = f"{way.remedy.replace('_', ' ')} promises more"
    chosen = {way.remedy, first.remedy if first else way.remedy}
    rest = tuple(
        one if one.remedy in chosen or not one.available else one.model_copy(update={"against": (*one.against, said)})
        for one in ranked
    )
    return rest if any(one.remedy == way.remedy for one in ranked) else (way, *rest)


def _reason(way: Option, first: Option | None) -> str:
    words = way.remedy.replace("_", " ")
    led = f"{first.remedy.replace('_', ' ')} first, then {words}" if first is not None else words
    return f"{led}: {way.why[0]}" if way.why else led


def fallback_of(plan: Plan, why: str) -> Plan | None:
    """The plan that is left when its way led nowhere; None when nothing is left."""
    if plan.fallback is None:
        return None
    reason = f"{why}; {_reason(plan.fallback, None)}"
    return plan.model_copy(update={"way": plan.fallback, "first": None, "fallback": None, "reason": reason})


def promotion(plan: Plan, version: str) -> Plan:
    """After a candidate was made: its promotion is a change of its own, with an approval of its own."""
    why = f"candidate {version} was trained; it serves nobody until it is promoted"
    way = Option(remedy="promote", detail=version, helps=plan.way.helps, harms=0.1, why=(why,))
    return plan.model_copy(update={"way": way, "first": None, "reason": f"promote: {why}"})


def _total(hypotheses: Iterable[Hypothesis]) -> float:
    return min(1.0, sum(one.confidence for one in hypotheses))
