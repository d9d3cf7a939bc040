"""The report of a range: every count that follows from what the players' stagings showed, as one document. Pure.

`build` makes the `Report`; `report_text` and `report_page` show it. Shares carry two-sided 90% intervals (Clopper-Pearson).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .compare import Comparison
from .drill import Drill
from .odds import difference, median_interval, quantile, sign_test
from .record import AGENT, BASELINES, STAGES, Result
from .score import LEVEL, QUESTIONS, Patch, Score, interval, lower_bound, patch_kind, score, shares
from .tally import Sat, Share, agreement, clean, counted, ends_well, majority
from .targets import MARKET

PLAYERS: Final = (AGENT, *BASELINES)
PATCHES: Final[tuple[Patch, ...]] = ("right", "wrong", "none")
FAMILY_QUESTIONS: Final = ("alert", "cause", "component", "change", "outcome", "well", "acceptance", "harmless")
FIRST_TARGET: Final = MARKET.name
COIN: Final = 0.25  # the Brier score of who always says one half
LARGEST: Final = 3


@dataclass(frozen=True)
class Setting:
    """What was examined, and where. ``when`` is the time of the newest result, UTC."""

    agent: str
    policy: str
    stack: str
    machine: str
    cores: int
    when: str


@dataclass(frozen=True)
class Head:
    """What the counts are of. ``discarded`` and ``unreadable`` are (name, why); ``silent`` raised no alarm where one was due.

    ``unchecked`` are in the counts although no stage-check has shown that they are fair questions; ``broken_seals`` are
    counted as open ones.
    """

    setting: Setting
    drills: int
    repetitions: int
    families: int
    open: int
    sealed: int
    without_code_cause: int
    with_decoys: int
    bare_request_shows_nothing: int
    second_target: int
    silent: tuple[str, ...]
    discarded: tuple[tuple[str, str], ...]
    unreadable: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    outdated: int
    unchecked: tuple[str, ...]
    broken_seals: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """One question over all drills that ask it; ``verdict`` is met, missed, not shown, or empty without a bar."""

    name: str
    share: Share
    bar: float | None
    verdict: str


@dataclass(frozen=True)
class Family:
    """The drills of one family; ``ends_well`` by player."""

    name: str
    drills: int
    questions: Mapping[str, Share]
    ends_well: Mapping[str, Share]


@dataclass(frozen=True)
class Paired:
    """The agent beside another player, on the drills that both sat: how many end well with whom."""

    both: int
    agent_only: int
    other_only: int
    neither: int
    p: float


@dataclass(frozen=True)
class Player:
    """What one player comes to. ``seconds`` is the median to the end, of the ``ended`` ones."""

    name: str
    ends_well: Share
    harm: Share
    ended: int
    seconds: float | None
    seconds_interval: tuple[float, float] | None
    paired: Paired | None


@dataclass(frozen=True)
class Gap:
    """One question among two groups of drills: ``gap`` is the second share less the first, with its 90% interval."""

    name: str
    first: Share
    second: Share
    gap: tuple[float, float, float] | None


@dataclass(frozen=True)
class Stage:
    """Seconds of one stage over the drills that have it; ``of_a_minute`` is its part of sixty seconds of all stages."""

    name: str
    drills: int
    median: float
    p90: float
    total: float
    of_a_minute: float


@dataclass(frozen=True)
class DrillRow:
    """One drill: what the agent said and did, by the majority of its stagings."""

    name: str
    title: str
    family: str
    target: str
    sealed: bool
    repetitions: int
    answers: Mapping[str, bool | None]
    alarm_seconds: float | None
    outcome: str
    acceptance: str
    harm: str
    seconds: float | None
    reason: str
    stages: Mapping[str, float]


@dataclass(frozen=True)
class Twins:
    """Two drills with one symptom and two kinds of cause: of which the first hypothesis had the cause right."""

    first: str
    second: str
    right: str  # both, one, none


@dataclass(frozen=True)
class Report:
    """The whole document."""

    head: Head
    questions: tuple[Question, ...]
    brier: float | None
    brier_count: int
    patches: Mapping[str, Mapping[str, int]]
    families: tuple[Family, ...]
    players: tuple[Player, ...]
    sealed: tuple[Gap, ...]
    targets: tuple[Gap, ...]
    twins: tuple[Twins, ...]
    stages: tuple[Stage, ...]
    largest: tuple[str, ...]
    agreement: Share
    drills: tuple[DrillRow, ...]
    comparison: Comparison | None = None


@dataclass(frozen=True)
class Left:
    """What is not in the counts, and why: names with reasons, drills never sat, results of drills that have changed.

    And what is to be said of those that are: never checked on a stage, sealed and changed since.
    """

    discarded: Mapping[str, str]
    unreadable: Mapping[str, str]
    missing: tuple[str, ...] = ()
    outdated: int = 0
    unchecked: tuple[str, ...] = ()
    broken_seals: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Seen:
    """One drill as it counts: the majority's result and its score."""

    sat: Sat
    result: Result
    score: Score

    @property
    def drill(self) -> Drill:
        return self.sat.drill

    @property
    def ends_well(self) -> bool:
        return ends_well(self.score)


def build(
    players: Mapping[str, Sequence[Sat]],
    setting: Setting,
    bars: Mapping[str, float],
    left: Left,
    comparison: Comparison | None = None,
) -> Report:
    """Count everything. ``players`` are what each sat, by `PLAYERS`; any may miss. Discarded drills are left out first."""
    seen = {name: _seen(players.get(name, ()), left.discarded) for name in PLAYERS}
    agent = seen[AGENT]
    briers = [one.score.brier for one in agent if one.score.brier is not None]
    stages = _stages(agent)
    return Report(
        head=_head(agent, setting, left),
        questions=_questions(agent, bars),
        brier=sum(briers) / len(briers) if briers else None,
        brier_count=len(briers),
        patches=_patches(agent),
        families=_families(seen),
        players=tuple(_player(name, seen[name], agent) for name in PLAYERS if seen[name]),
        sealed=_gaps(agent, lambda drill: drill.sealed),
        targets=_gaps(agent, _second_target),
        twins=_twins(agent),
        stages=stages,
        largest=tuple(one.name for one in sorted(stages, key=lambda one: -one.total)[:LARGEST]),
        agreement=_agreement(agent),
        drills=tuple(_row(one) for one in agent),
        comparison=comparison,
    )


def verdict(right: int, count: int, bar: float | None) -> str:
    """``met`` when the lower one-sided 90% bound reaches the bar, ``missed`` when the upper one stays below it.

    In between, and where nothing was counted, it is ``not shown``; empty without a bar.
    """
    if bar is None:
        return ""
    if count and lower_bound(right, count) >= bar:
        return "met"
    one_sided = interval(right, count, 2 * LEVEL - 1)[1]  # each tail of it holds 1 - LEVEL
    return "missed" if count and one_sided < bar else "not shown"


def _seen(sats: Iterable[Sat], discarded: Mapping[str, str]) -> list[_Seen]:
    found = []
    for sat in sats:
        if sat.drill.name not in discarded and sat.results:
            result = majority(sat.results)
            found.append(_Seen(sat, result, score(sat.drill, result)))
    return found


def _second_target(drill: Drill) -> bool:
    return str(drill.target.get("example", FIRST_TARGET)) != FIRST_TARGET


def _head(agent: Sequence[_Seen], setting: Setting, left: Left) -> Head:
    drills = [one.drill for one in agent]
    silent = [one.drill.name for one in agent if one.drill.expect.alert == "yes" and one.result.alert_seconds is None]
    return Head(
        setting=setting,
        drills=len(drills),
        repetitions=sum(len(one.sat.results) for one in agent),
        families=len({drill.family for drill in drills}),
        open=sum(not drill.sealed for drill in drills),
        sealed=sum(drill.sealed for drill in drills),
        without_code_cause=sum(not drill.code for drill in drills),
        with_decoys=sum(bool(drill.decoys) for drill in drills),
        bare_request_shows_nothing=sum(not drill.bare_request for drill in drills),
        second_target=sum(map(_second_target, drills)),
        silent=tuple(silent),
        discarded=tuple((name, clean(why)) for name, why in sorted(left.discarded.items())),
        unreadable=tuple((clean(name), clean(why)) for name, why in sorted(left.unreadable.items())),
        missing=left.missing,
        outdated=left.outdated,
        unchecked=left.unchecked,
        broken_seals=tuple(clean(name) for name in left.broken_seals),
    )


def _counts(seen: Iterable[_Seen]) -> Mapping[str, tuple[int, int]]:
    return shares(one.score for one in seen)


def _questions(agent: Sequence[_Seen], bars: Mapping[str, float]) -> tuple[Question, ...]:
    counts = _counts(agent)
    rows = [(name, *counts.get(name, (0, 0)), bars.get(name)) for name in QUESTIONS]
    return tuple(
        Question(name, counted(right, count), bar, verdict(right, count, bar)) for name, right, count, bar in rows
    )


def _patches(agent: Sequence[_Seen]) -> dict[str, dict[str, int]]:
    """Kinds of patches where a change is to blame, and where none is."""
    groups = {
        "a change is to blame": [one.result for one in agent if one.drill.expect.change == "fault"],
        "no change is to blame, or it is not asked": [
            one.result for one in agent if one.drill.expect.change != "fault"
        ],
    }
    return {
        name: {kind: sum(patch_kind(result) == kind for result in results) for kind in PATCHES}
        for name, results in groups.items()
    }


def _ends_well(seen: Sequence[_Seen]) -> Share:
    return counted(sum(one.ends_well for one in seen), len(seen))


def _families(seen: Mapping[str, Sequence[_Seen]]) -> tuple[Family, ...]:
    names = sorted({one.drill.family for sats in seen.values() for one in sats})
    found = []
    for name in names:
        mine = {player: [one for one in sats if one.drill.family == name] for player, sats in seen.items()}
        counts = _counts(mine[AGENT])
        questions = {question: counted(*counts.get(question, (0, 0))) for question in FAMILY_QUESTIONS}
        wells = {player: _ends_well(sats) for player, sats in mine.items() if seen[player]}
        found.append(
            Family(clean(name), len({one.drill.name for sats in mine.values() for one in sats}), questions, wells)
        )
    return tuple(found)


def _player(name: str, seen: Sequence[_Seen], agent: Sequence[_Seen]) -> Player:
    seconds = [one.result.closed_seconds for one in seen if one.result.closed_seconds is not None]
    return Player(
        name=name,
        ends_well=_ends_well(seen),
        harm=counted(sum(not one.score.harmless for one in seen), len(seen)),
        ended=len(seconds),
        seconds=quantile(seconds, 0.5),
        seconds_interval=median_interval(seconds),
        paired=_paired(agent, seen) if name != AGENT and agent else None,
    )


def _paired(agent: Sequence[_Seen], other: Sequence[_Seen]) -> Paired:
    theirs = {one.drill.name: one.ends_well for one in other}
    pairs = Counter((one.ends_well, theirs[one.drill.name]) for one in agent if one.drill.name in theirs)
    wins, losses = pairs[True, False], pairs[False, True]
    return Paired(pairs[True, True], wins, losses, pairs[False, False], sign_test(wins, losses))


def _gaps(agent: Sequence[_Seen], second: Callable[[Drill], bool]) -> tuple[Gap, ...]:
    """Every question among the drills that are not ``second`` and those that are; nothing when a group is empty."""
    groups = [one for one in agent if not second(one.drill)], [one for one in agent if second(one.drill)]
    if not all(groups):
        return ()
    found = []
    for name in QUESTIONS:
        one, two = (_counts(group).get(name, (0, 0)) for group in groups)
        if one[1] or two[1]:
            found.append(Gap(name, counted(*one), counted(*two), difference(two, one)))
    return tuple(found)


def _twins(agent: Sequence[_Seen]) -> tuple[Twins, ...]:
    """Every pair of which both were asked for the cause, once, by name."""
    asked = {one.drill.name: one for one in agent if one.score.cause is not None}
    pairs = {tuple(sorted((name, one.drill.twin))) for name, one in asked.items() if one.drill.twin in asked}
    words = {0: "none", 1: "one", 2: "both"}
    return tuple(
        Twins(first, second, words[sum(bool(asked[name].score.cause) for name in (first, second))])
        for first, second in sorted(pairs)
    )


def _stages(agent: Sequence[_Seen]) -> tuple[Stage, ...]:
    seconds: dict[str, list[float]] = {name: [] for name in STAGES}
    for one in agent:
        for name, value in one.result.stages.items():
            seconds.setdefault(name, []).append(value)
    whole = sum(sum(values) for values in seconds.values())
    return tuple(
        Stage(
            clean(name),
            len(values),
            quantile(values, 0.5) or 0.0,
            quantile(values, 0.9) or 0.0,
            sum(values),
            60 * sum(values) / whole if whole else 0.0,
        )
        for name, values in seconds.items()
        if values
    )


def _agreement(agent: Sequence[_Seen]) -> Share:
    twice = [one.sat.results for one in agent if len(one.sat.results) > 1]
    return agreement([results[0] for results in twice], [results[1] for results in twice])


def _row(one: _Seen) -> DrillRow:
    result = one.result
    return DrillRow(
        name=one.drill.name,
        title=clean(one.drill.title),
        family=clean(one.drill.family),
        target=str(one.drill.target.get("example", FIRST_TARGET)),
        sealed=one.drill.sealed,
        repetitions=len(one.sat.results),
        answers={name: getattr(one.score, name) for name in QUESTIONS},
        alarm_seconds=result.alert_seconds,
        outcome=clean(result.outcome or "none"),
        acceptance=clean(result.acceptance),
        harm=clean(one.score.harm),
        seconds=result.closed_seconds,
        reason=clean("; ".join(filter(None, (result.reason, result.problem)))),
        stages={clean(name): value for name, value in result.stages.items()},
    )
