"""Shows a report as one HTML page that needs nothing else: charts are drawn here, all text is escaped, no script runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .report import Report
from .report_text import NOTHING, answer, between, of, seconds, sections, verdict_words, words
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
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(words=words, seconds=seconds)
    tables = {section.key: section for section in sections(report)}
    return environment.get_template("report.html").render(
        report=report,
        tables=tables,
        tiles=_tiles(report),
        questions=[_question_bar(one.name, one.share, one.bar, one.verdict) for one in report.questions],
        wells=[_share_bar(one.name, one.ends_well) for one in report.players],
        harms=[_share_bar(one.name, one.harm) for one in report.players],
        minute=_minute(report),
        stacks=_stacks(report),
        numbers=_numbers(report),
        asked=QUESTIONS,
        signs=_SIGNS,
        answer=answer,
        nothing=NOTHING,
    )


def _tiles(report: Report) -> list[tuple[str, str, str]]:
    """The few figures that are read first: heading, figure, and what it is of."""
    bars = [one for one in report.questions if one.bar is not None]
    met = sum(one.verdict == "met" for one in bars)
    missed = sum(one.verdict == "missed" for one in bars)
    tiles = [
        ("bars met", f"{met} of {len(bars)}", f"{missed} missed, {len(bars) - met - missed} not shown"),
        ("drills", str(report.head.drills), f"{report.head.families} families, staged {report.head.repetitions} times"),
    ]
    for player in report.players[:1]:
        tiles.append((f"{player.name}: ends well", of(player.ends_well), f"90%: {between(player.ends_well)}"))
        tiles.append(("with harm", of(player.harm), f"90%: {between(player.harm)}"))
        tiles.append(("median to the end", seconds(player.seconds), f"{player.ended} ended"))
    return tiles


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
    parts = {stage.name: stage.of_a_minute for stage in report.stages}
    return _stack("one minute", parts, 60.0, _numbers(report), "60 s")


def _stacks(report: Report) -> list[Stack]:
    """A bar a drill, the longest first, all in one scale."""
    timed = sorted((row for row in report.drills if row.stages), key=lambda row: -sum(row.stages.values()))
    longest = max((sum(row.stages.values()) for row in timed), default=0.0)
    numbers = _numbers(report)
    return [_stack(row.name, row.stages, longest, numbers, f"{sum(row.stages.values()):.0f} s") for row in timed]


def _stack(name: str, stages: Mapping[str, float], whole: float, numbers: dict[str, int], text: str) -> Stack:
    parts, start = [], 0.0
    for stage, value in sorted(stages.items(), key=lambda pair: numbers[pair[0]]):
        width = 100 * value / whole if whole else 0.0
        if width > 0:
            parts.append(Part(numbers[stage], stage, start, width, f"{stage}: {value:.1f} s"))
        start += width
    return Stack(name, text, tuple(parts))
