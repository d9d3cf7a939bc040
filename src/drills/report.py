"""The report of a range: every count that follows from what the players' stagings showed, as one document. Pure.

`build` makes the `Report`; `report_text` and `report_page` show it. Shares carry two-sided 90% intervals (Clopper-Pearson).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .compare import Comparison
from .drill import Drill
from .odds import difference, median_interval, quantile, sign_test
from .record import AGENT, BASELINES, STAGES, Result
from .report_answers import guesses, looked_at, points
from .report_document import (
    Distance,
    DrillRow,
    Family,
    Gap,
    Head,
    Named,
    Paired,
    Player,
    Question,
    Report,
    Setting,
    Stage,
    Staging,
    Standing,
    Timed,
    Twins,
    Unsat,
)
from .score import LEVEL, QUESTIONS, Patch, Score, interval, last_word, lower_bound, patch_kind, score, shares
from .tally import ENDINGS, Sat, Share, agreement, clean, counted, ending, majority
from .targets import MARKET

PLAYERS: Final = (AGENT, *BASELINES)
PATCHES: Final[tuple[Patch, ...]] = ("right", "wrong", "none")
FAMILY_QUESTIONS: Final = ("alert", "cause", "component", "change", "outcome", "well", "acceptance", "harmless")
FIRST_TARGET: Final = MARKET.name
COIN: Final = 0.25  # the Brier score of who always says one half
LARGEST: Final = 3


@dataclass(frozen=True)
class Left:
    """What is not in the counts, and why: names with reasons, drills never sat, results of drills that have changed.

    ``void`` counts the stagings of a drill that the machine was too busy for.

    And what is to be said of those that are: never checked on a stage, sealed and changed since.
    """

    discarded: Mapping[str, str]
    unreadable: Mapping[str, str]
    missing: tuple[Drill, ...] = ()
    outdated: int = 0
    unchecked: tuple[str, ...] = ()
    broken_seals: tuple[str, ...] = ()
    void: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Judged:
    """One drill as it counts: the majority's result and its score."""

    sat: Sat
    result: Result
    score: Score

    @property
    def drill(self) -> Drill:
        return self.sat.drill

    @property
    def ends_well(self) -> bool:
        return self.score.ends_well


def build(
    players: Mapping[str, Sequence[Sat]],
    setting: Setting,
    bars: Mapping[str, float],
    left: Left,
    comparison: Comparison | None = None,
) -> Report:
    """Count everything. ``players`` are what each sat, by `PLAYERS`; any may miss. Discarded drills are left out first."""
    judged = {name: _judged(players.get(name, ()), left.discarded) for name in PLAYERS}
    agent = judged[AGENT]
    briers = [one.score.brier for one in agent if one.score.brier is not None]
    stages = _stages(agent)
    return Report(
        head=_head(agent, setting, left),
        players=tuple(_player(name, judged[name], agent) for name in PLAYERS if judged[name]),
        standings=_standings(agent),
        questions=_questions(agent, bars),
        brier=sum(briers) / len(briers) if briers else None,
        brier_count=len(briers),
        patches=_patches(agent),
        families=_families(judged),
        sealed=_gaps(agent, lambda drill: drill.sealed),
        targets=_gaps(agent, _second_target),
        twins=_twins(agent),
        stages=stages,
        largest=tuple(one.name for one in sorted(stages, key=lambda one: -one.total_seconds)[:LARGEST]),
        agreement=_agreement(agent),
        drills=tuple(_row(one, _wells(judged, one.drill.name)) for one in agent),
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


def _judged(sats: Iterable[Sat], discarded: Mapping[str, str]) -> list[_Judged]:
    found = []
    for sat in sats:
        if sat.drill.name not in discarded and sat.results:
            result = majority(sat.results)
            found.append(_Judged(sat, result, score(sat.drill, result)))
    return found


def _second_target(drill: Drill) -> bool:
    return str(drill.target.get("example", FIRST_TARGET)) != FIRST_TARGET


def _head(agent: Sequence[_Judged], setting: Setting, left: Left) -> Head:
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
        discarded=tuple(Named(name, clean(why)) for name, why in sorted(left.discarded.items())),
        unreadable=tuple(Named(clean(name), clean(why)) for name, why in sorted(left.unreadable.items())),
        missing=tuple(Unsat(one.name, clean(one.family), clean(one.title)) for one in left.missing),
        outdated=left.outdated,
        unchecked=left.unchecked,
        broken_seals=tuple(clean(name) for name in left.broken_seals),
        void=dict(sorted(left.void.items())),
    )


def _counts(seen: Iterable[_Judged]) -> Mapping[str, tuple[int, int]]:
    return shares(one.score for one in seen)


def _questions(agent: Sequence[_Judged], bars: Mapping[str, float]) -> tuple[Question, ...]:
    counts = _counts(agent)
    rows = [(name, *counts.get(name, (0, 0)), bars.get(name)) for name in QUESTIONS]
    return tuple(
        Question(name, counted(right, count), bar, verdict(right, count, bar)) for name, right, count, bar in rows
    )


def _patches(agent: Sequence[_Judged]) -> dict[str, dict[str, int]]:
    """Kinds of patches where a change is to blame, and where none is."""
    groups = {
        "change_to_blame": [one.result for one in agent if one.drill.expect.change == "fault"],
        "no_change_to_blame": [one.result for one in agent if one.drill.expect.change != "fault"],
    }
    return {
        name: {kind: sum(patch_kind(result) == kind for result in results) for kind in PATCHES}
        for name, results in groups.items()
    }


def _ends_well(seen: Sequence[_Judged]) -> Share:
    return counted(sum(one.ends_well for one in seen), len(seen))


def _families(seen: Mapping[str, Sequence[_Judged]]) -> tuple[Family, ...]:
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


def _player(name: str, seen: Sequence[_Judged], agent: Sequence[_Judged]) -> Player:
    return Player(
        name=name,
        ends_well=_ends_well(seen),
        harm=_harm(seen),
        times=_times(seen),
        paired=_paired(agent, seen) if name != AGENT and agent else None,
    )


def _harm(seen: Sequence[_Judged]) -> Share:
    return counted(sum(not one.score.harmless for one in seen), len(seen))


def _times(seen: Sequence[_Judged]) -> dict[str, Timed]:
    """By kind of end: who gives up at once is not quick at mending."""
    by_ending: dict[str, list[float]] = {kind: [] for kind in ENDINGS}
    for one in seen:
        if one.result.closed_seconds is not None:
            by_ending[ending(one.result, one.score)].append(one.result.closed_seconds)
    return {kind: _timed(values) for kind, values in by_ending.items()}


def _timed(seconds: Sequence[float]) -> Timed:
    low, high = median_interval(seconds) or (None, None)
    return Timed(len(seconds), quantile(seconds, 0.5), low, high)


def _paired(agent: Sequence[_Judged], other: Sequence[_Judged]) -> Paired:
    theirs = {one.drill.name: one.ends_well for one in other}
    shared = [one for one in agent if one.drill.name in theirs]
    pairs = Counter((one.ends_well, theirs[one.drill.name]) for one in shared)
    wins, losses = pairs[True, False], pairs[False, True]
    return Paired(
        both=pairs[True, True],
        agent_only=wins,
        other_only=losses,
        neither=pairs[False, False],
        p=sign_test(wins, losses),
        agent=_ends_well(shared),
        agent_harm=_harm(shared),
    )


def _standings(agent: Sequence[_Judged]) -> tuple[Standing, ...]:
    """Whether the last word was as expected says nothing of the service: both beside each other."""
    found = []
    for expected in (True, False, None):
        group = [one.score for one in agent if one.score.outcome is expected]
        if group:
            wells = sum(one.ends_well for one in group)
            not_well = sum(not one.well for one in group)
            found.append(Standing(expected, wells, len(group) - wells - not_well, not_well))
    return tuple(found)


def _gaps(agent: Sequence[_Judged], second: Callable[[Drill], bool]) -> tuple[Gap, ...]:
    """Every question among the drills that are not ``second`` and those that are; nothing when a group is empty."""
    groups = [one for one in agent if not second(one.drill)], [one for one in agent if second(one.drill)]
    if not all(groups):
        return ()
    found = []
    for name in QUESTIONS:
        one, two = (_counts(group).get(name, (0, 0)) for group in groups)
        if one[1] or two[1]:
            gap = difference(two, one)
            found.append(Gap(name, counted(*one), counted(*two), None if gap is None else Distance(*gap)))
    return tuple(found)


def _twins(agent: Sequence[_Judged]) -> tuple[Twins, ...]:
    """Every pair of which both were asked for the cause, once, by name."""
    asked = {one.drill.name: one for one in agent if one.score.cause is not None}
    pairs = {tuple(sorted((name, one.drill.twin))) for name, one in asked.items() if one.drill.twin in asked}
    words = {0: "none", 1: "one", 2: "both"}
    return tuple(
        Twins(first, second, words[sum(bool(asked[name].score.cause) for name in (first, second))])
        for first, second in sorted(pairs)
    )


def _stages(agent: Sequence[_Judged]) -> tuple[Stage, ...]:
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


def _agreement(agent: Sequence[_Judged]) -> Share:
    twice = [one.sat.results for one in agent if len(one.sat.results) > 1]
    return agreement([results[0] for results in twice], [results[1] for results in twice])


def _wells(seen: Mapping[str, Sequence[_Judged]], drill: str) -> dict[str, bool]:
    """By player, whether this drill ends well."""
    return {player: one.ends_well for player, sats in seen.items() for one in sats if one.drill.name == drill}


def _row(one: _Judged, wells: Mapping[str, bool]) -> DrillRow:
    result = one.result
    return DrillRow(
        name=one.drill.name,
        title=clean(one.drill.title),
        family=clean(one.drill.family),
        target=str(one.drill.target.get("example", FIRST_TARGET)),
        sealed=one.drill.sealed,
        answers={name: getattr(one.score, name) for name in QUESTIONS},
        points=points(one.drill, result, one.score),
        guesses=guesses(result),
        seen=looked_at(result),
        stagings=tuple(_staging(one, number, each) for number, each in enumerate(one.sat.results)),
        ends_well=wells,
        alarm_seconds=result.alert_seconds,
        outcome=clean(last_word(result)),
        ending=ending(result, one.score),
        acceptance=clean(result.acceptance),
        harm=clean(one.score.harm),
        end_seconds=result.closed_seconds,
        reason=clean("; ".join(filter(None, (result.reason, result.problem)))),
        stages_seconds={clean(name): value for name, value in result.stages.items()},
    )


def _staging(one: _Judged, number: int, result: Result) -> Staging:
    its = score(one.drill, result)
    return Staging(
        number=number + 1,
        counts=result is one.result,
        outcome=clean(last_word(result)),
        ends_well=its.ends_well,
        acceptance=clean(result.acceptance),
        harm=clean(its.harm),
        alarm_seconds=result.alert_seconds,
        end_seconds=result.closed_seconds,
    )
