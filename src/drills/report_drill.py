"""One drill of a report: what was expected, what the agent said, what was seen, and how every staging ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .report_answers import NOT_ASKED
from .report_document import DrillRow, Report
from .report_tables import Section
from .report_words import ENDING_WORDS, MEANINGS, percent, seconds, well, words
from .unusable import Unusable

ANSWERS: Final[Mapping[bool | None, str]] = {True: "right", False: "WRONG", None: NOT_ASKED}


def chosen(report: Report, name: str) -> DrillRow:
    """The drill of this name. Raises `Unusable`, and says why it is in no count where that is known."""
    found = next((one for one in report.drills if one.name == name), None)
    if found is not None:
        return found
    head = report.head
    why: Mapping[str, str] = {
        **{one.name: "the agent has not sat it yet: mpa drill run with its folder stages it" for one in head.missing},
        **dict.fromkeys(head.void, "its stagings are void, the machine was busy: mpa drill run stages it again"),
        **{one.name: f"it is discarded: {one.why}" for one in head.discarded},
    }
    known = ", ".join(sorted(one.name for one in report.drills))
    raise Unusable(f"{name}: {why.get(name, f'there is no such drill; there are {known}')}")


def lead(report: Report, row: DrillRow) -> str:
    """Which drill this is, and whose answers."""
    setting = report.head.setting
    kind = "sealed" if row.sealed else "open"
    return (
        f"{row.title}. Family {row.family}, target {row.target}, {kind}. Agent {setting.agent}, policy {setting.policy}, "
        f"stack {setting.stack}."
    )


def sections(row: DrillRow) -> list[Section]:
    """The tables of one drill."""
    return [points(row), _guesses(row), _look(row), _players(row), _stagings(row)]


def points(row: DrillRow) -> Section:
    """Every question: what was expected, and what was said or seen."""
    rows = [(words(one.question), one.expected, one.said, ANSWERS[one.right]) for one in row.points]
    said = f"In the agent's words: {row.reason}" if row.reason else "The agent gave no reason."
    meanings = tuple((words(one.question), MEANINGS[one.question]) for one in row.points)
    columns = ("question", "expected", "said or seen", "answer")
    return Section("points", "Expected, said and seen", said, columns, tuple(rows), meanings)


def _guesses(row: DrillRow) -> Section:
    rows = [
        (str(place), one.cause, one.component, one.change, percent(one.confidence))
        for place, one in enumerate(row.guesses, 1)
    ]
    note = "" if rows else "It named none."
    return Section("guesses", "Its hypotheses", note, ("", "cause", "component", "change", "confidence"), tuple(rows))


def _look(row: DrillRow) -> Section:
    rows = [(one.name, "well" if one.passed else "NOT well", one.detail) for one in row.seen]
    note = "" if rows else "Nobody looked: it did not come so far."
    return Section("look", "The examiner's look at the end", note, ("what", "service", "detail"), tuple(rows))


def _players(row: DrillRow) -> Section:
    rows = [(player, well(ends)) for player, ends in row.ends_well.items()]
    return Section("players", "Ends well", "The agent beside the baselines.", ("player", "ends well"), tuple(rows))


def _stagings(row: DrillRow) -> Section:
    rows = [
        (
            str(one.number),
            "yes" if one.counts else "no",
            one.outcome,
            well(one.ends_well),
            one.acceptance,
            one.harm or "none",
            seconds(one.alarm_seconds),
            seconds(one.end_seconds),
        )
        for one in row.stagings
    ]
    note = f"Of three or more the commonest end counts, of fewer the first. Time: {ENDING_WORDS[row.ending][0]}."
    columns = ("staging", "counts", "outcome", "ends well", "acceptance", "harm", "alarm", "end")
    return Section("stagings", "Every staging", note, columns, tuple(rows))
