"""Shows a report as one HTML page that needs nothing else: charts are drawn here, all text is escaped, no script runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from . import report_drill, report_tables
from .record import AGENT
from .report_document import DrillRow, Player, Report
from .report_tables import STANDING_PARTS, STANDING_WORDS
from .report_text import TITLE
from .report_words import ENDING_WORDS, NOTHING, answer, between, counting, of, seconds, times, verdict_words, words
from .score import QUESTIONS
from .tally import Share

FOLDER: Final = Path(__file__).parent
_SIGNS: Final = {True: "right", False: "wrong", None: "none"}


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: percentages of the whole width. ``state`` has a sign and words of its own."""

    name: str
    value: float
    low: float
    high: float
    text: str
    mark: float | None = None
    state: str = ""
    said: str = ""


@dataclass(frozen=True)
class Part:
    """One part of a stacked bar, percentages; ``number`` names its stage beside its colour."""

    number: int
    name: str
    start: float
    width: float
    text: str


@dataclass(frozen=True)
class Stack:
    """One stacked bar."""

    name: str
    text: str
    parts: tuple[Part, ...]


def page(report: Report) -> str:
    """The whole page."""
    tables = {section.key: section for section in report_tables.sections(report)}
    return (
        _environment()
        .get_template("report.html")
        .render(
            title=TITLE,
            lead=report_tables.lead(report),
            report=report,
            tables=tables,
            tiles=_tiles(report),
            questions=[_question_bar(one.name, one.share, one.bar, one.verdict) for one in report.questions],
            wells=[
                _player_bar(one.name, one.ends_well, one.paired.agent if one.paired else None) for one in report.players
            ],
            harms=[
                _player_bar(one.name, one.harm, one.paired.agent_harm if one.paired else None) for one in report.players
            ],
            marked=any(one.paired for one in report.players),
            standings=_standings(report),
            standing_parts=list(enumerate(STANDING_PARTS.values(), 1)),
            minute=_minute(report),
            stacks=_stacks(report),
            numbers=_numbers(report),
            answers=[(row, report_drill.points(row)) for row in report.drills],
            asked=QUESTIONS,
            signs=_SIGNS,
            answer=answer,
            nothing=NOTHING,
        )
    )


def drill_page(report: Report, row: DrillRow) -> str:
    """One drill as a page."""
    return (
        _environment()
        .get_template("report_drill.html")
        .render(title=row.name, lead=report_drill.lead(report, row), sections=report_drill.sections(row))
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(words=words, seconds=seconds)
    return environment


def _tiles(report: Report) -> list[tuple[str, str, str]]:
    """The few figures that are read first: heading, figure, and what it is of."""
    players = {one.name: one for one in report.players}
    tiles = []
    if AGENT in players:
        tiles.append(_ends_well_tile(players[AGENT], f"90%: {between(players[AGENT].ends_well)}"))
        beside = next((one for one in report.players if one.paired is not None), None)
        if beside is not None and beside.paired is not None:
            tiles.append(_ends_well_tile(beside, f"agent, same drills: {of(beside.paired.agent)}"))
        tiles += _agents_tiles(players[AGENT])
    bars = [one for one in report.questions if one.bar is not None]
    met = sum(one.verdict == "met" for one in bars)
    missed = sum(one.verdict == "missed" for one in bars)
    staged = f"{counting(report.head.families, 'family', 'families')}, staged {times(report.head.repetitions)}"
    return [
        *tiles,
        ("bars met", f"{met} of {len(bars)}", f"{missed} missed, {len(bars) - met - missed} not shown"),
        ("drills", str(report.head.drills), staged),
    ]


def _ends_well_tile(player: Player, beside: str) -> tuple[str, str, str]:
    return f"{player.name}: ends well", of(player.ends_well), beside


def _agents_tiles(player: Player) -> list[tuple[str, str, str]]:
    tiles = [(f"{player.name}: did harm", of(player.harm), f"90%: {between(player.harm)}")]
    for kind in ("well", "gave_up"):
        timed = player.times[kind]
        tiles.append((f"median {ENDING_WORDS[kind][0]}", seconds(timed.median_seconds), counting(timed.count, "drill")))
    return tiles


def _player_bar(name: str, share: Share, agents: Share | None) -> Bar:
    """A player's bar, marked where the agent stands on the same drills."""
    if agents is None or agents.value is None:
        return _share_bar(name, share)
    bar = _share_bar(name, share, 100 * agents.value)
    return replace(bar, text=f"{bar.text}; agent there {of(agents)}")


def _standings(report: Report) -> list[Stack]:
    """A bar for each answer about the outcome, all in one scale."""
    numbers = {name: number for number, name in enumerate(STANDING_PARTS.values(), 1)}
    counts = [
        (STANDING_WORDS[one.as_expected], {name: float(getattr(one, key)) for key, name in STANDING_PARTS.items()})
        for one in report.standings
    ]
    whole = max((sum(parts.values()) for _, parts in counts), default=0.0)
    return [
        _stack(name, parts, whole, numbers, counting(round(sum(parts.values())), "drill"), "") for name, parts in counts
    ]


def _question_bar(name: str, share: Share, bar: float | None, verdict: str) -> Bar:
    said = verdict_words(verdict, share.of) if bar is not None else ""
    mark = None if bar is None else 100 * bar
    return _share_bar(words(name), share, mark, verdict.replace(" ", "-"), f"{said}, bar {bar:.2f}" if said else "")


def _share_bar(name: str, share: Share, mark: float | None = None, state: str = "", said: str = "") -> Bar:
    if share.value is None:
        return Bar(name, 0.0, 0.0, 0.0, "not asked", mark, state, said)
    text = f"{of(share)} = {share.value:.2f} ({between(share)})"
    return Bar(name, 100 * share.value, 100 * share.low, 100 * share.high, text, mark, state, said)


def _numbers(report: Report) -> dict[str, int]:
    """Every stage's number, which is written into its part: colour alone tells nothing."""
    return {stage.name: number for number, stage in enumerate(report.stages, 1)}


def _minute(report: Report) -> Stack:
    parts = {stage.name: stage.of_a_minute_seconds for stage in report.stages}
    return _stack("one minute", parts, 60.0, _numbers(report), "60 s")


def _stacks(report: Report) -> list[Stack]:
    """A bar a drill, the longest first, all in one scale."""
    timed = sorted(
        (row for row in report.drills if row.stages_seconds), key=lambda row: -sum(row.stages_seconds.values())
    )
    longest = max((sum(row.stages_seconds.values()) for row in timed), default=0.0)
    numbers = _numbers(report)
    return [
        _stack(row.name, row.stages_seconds, longest, numbers, f"{sum(row.stages_seconds.values()):.0f} s")
        for row in timed
    ]


def _stack(
    name: str, stages: Mapping[str, float], whole: float, numbers: Mapping[str, int], text: str, unit: str = " s"
) -> Stack:
    parts, start = [], 0.0
    for stage, value in sorted(stages.items(), key=lambda pair: numbers[pair[0]]):
        width = 100 * value / whole if whole else 0.0
        if width > 0:
            parts.append(
                Part(
                    numbers[stage], stage, start, width, f"{stage}: {value:.1f} s" if unit else f"{stage}: {value:.0f}"
                )
            )
        start += width
    return Stack(name, text, tuple(parts))
