"""Shows a report as tables: on a terminal, as Markdown, and as JSON. The page takes the same tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .report import COIN, FAMILY_QUESTIONS, PATCHES, DrillRow, Gap, Player, Report
from .tally import Share

SCHEMA: Final = 1
NOTHING: Final = "–"  # noqa: RUF001 - the sign for what is not there
RIGHT, WRONG = "right", "wrong"
_FRAME: Final = 3  # characters around a cell
_LONGEST_WORD: Final = 32  # longer ones are folded
_SHORT_CELL: Final = 14
_SHORTEST: Final = 1e-4  # below it a probability is only said to be smaller
_MARKED: Final = re.compile(r"([\\`*\[\]|~#]|\b_|_\b|:(?=//))")  # within a word an underscore is one


@dataclass(frozen=True)
class Section:
    """One table with a heading and a sentence; without rows only the sentence."""

    key: str
    title: str
    note: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def sections(report: Report) -> list[Section]:
    """The whole report, in the order in which it is read."""
    return [
        _head(report),
        _questions(report),
        *_comparison(report),
        _players(report),
        _paired(report),
        _patches(report),
        _families(report),
        _family_players(report),
        _gaps("sealed", "Open and sealed", "open", "sealed", report.sealed),
        _gaps("targets", "First and second target", "first", "second", report.targets),
        _twins(report),
        _stages(report),
        _drills(report),
        _reasons(report),
        *_left(report),
    ]


def terminal(report: Report, console: Console) -> None:
    """Print every table; what the agent said is printed, not obeyed."""
    for section in sections(report):
        console.print(Text(f"\n{section.title}", style="bold"))
        if section.note:
            console.print(Text(section.note, style="dim"))
        for strip in _strips(section, console.width) if section.rows else ():
            table = Table()
            for place in strip:
                least = _least(section, place)
                cells = (section.columns[place], *(row[place] for row in section.rows))
                whole = max(map(len, cells)) <= least  # then it is others that give way
                table.add_column(Text(section.columns[place]), overflow="fold", min_width=least, no_wrap=whole)
            for row in section.rows:
                table.add_row(*(Text(row[place]) for place in strip))
            console.print(table)


def _strips(section: Section, width: int) -> Iterator[list[int]]:
    """The columns by tables that fit a terminal side by side: where they do not, the first one is said again in each."""
    lead = _least(section, 0) + _FRAME
    strip, used = [0], lead
    for place in range(1, len(section.columns)):
        wide = _least(section, place) + _FRAME
        if len(strip) > 1 and used + wide >= width:
            yield strip
            strip, used = [0], lead
        strip.append(place)
        used += wide
    yield strip


def _least(section: Section, place: int) -> int:
    """How narrow a column may be: its longest word, but short cells are never broken."""
    cells = [row[place] for row in section.rows]
    words_of = [word for text in (section.columns[place], *cells) for word in text.split()]
    longest = max(map(len, words_of), default=1)
    whole = max(map(len, cells), default=1)
    return max(min(longest, _LONGEST_WORD), whole if whole <= _SHORT_CELL else 1)


def markdown(report: Report) -> str:
    """The same tables, for docs/drills.md."""
    lines = ["# What the drills show"]
    for section in sections(report):
        lines += ["", f"## {section.title}"]
        if section.note:
            lines += ["", escaped(section.note)]
        if section.rows:
            lines += ["", _line(section.columns), _line(["---"] * len(section.columns)), *map(_line_of, section.rows)]
    return "\n".join(lines) + "\n"


def as_json(report: Report) -> str:
    """The document itself."""
    return json.dumps({"schema": SCHEMA, **asdict(report)}, indent=1, allow_nan=False) + "\n"


def escaped(text: str) -> str:
    """A text that Markdown shows as it is."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKED.sub(r"\\\1", text)


def _line_of(cells: Sequence[str]) -> str:
    return _line([escaped(cell) for cell in cells])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


# -- how numbers are said ----------------------------------------------------------------------------------------------


def words(name: str) -> str:
    """A question's name for people."""
    return name.replace("_", " ")


def of(share: Share) -> str:
    """``46/50``."""
    return f"{share.right}/{share.of}" if share.of else NOTHING


def between(share: Share) -> str:
    """The share's interval."""
    return f"{share.low:.2f} to {share.high:.2f}" if share.of else NOTHING


def seconds(value: float | None) -> str:
    """``12.3 s``."""
    return NOTHING if value is None else f"{value:.1f} s"


def probability(p: float) -> str:
    """A p-value, not more exact than it is useful."""
    return f"< {_SHORTEST}" if p < _SHORTEST else f"{p:.2g}"


def answer(value: bool | None) -> str:
    """A word for right, wrong and not asked."""
    return NOTHING if value is None else RIGHT if value else WRONG


def verdict_words(verdict: str, count: int) -> str:
    """``not shown (n=12)`` says how few there were."""
    return f"{verdict} (n={count})" if verdict == "not shown" else verdict or NOTHING


# -- the tables --------------------------------------------------------------------------------------------------------


def _head(report: Report) -> Section:
    head, setting = report.head, report.head.setting
    rows = [
        ("agent", setting.agent),
        ("policy", setting.policy),
        ("stack", setting.stack),
        ("machine of this report", f"{setting.machine}, {setting.cores} cores"),
        ("newest result", setting.when),
        ("drills", f"{head.drills} in {head.families} families, staged {head.repetitions} times"),
        ("open / sealed", f"{head.open} / {head.sealed}"),
        ("without code cause", str(head.without_code_cause)),
        ("with decoys", str(head.with_decoys)),
        ("bare request does not reproduce", str(head.bare_request_shows_nothing)),
        ("second target", str(head.second_target)),
        ("discarded", _named([name for name, _ in head.discarded])),
        ("not checked on a stage", _named(head.unchecked)),
        ("sealed and changed since, counted as open", _named(head.broken_seals)),
        ("no alarm where one was due", _named(head.silent)),
        ("not sat yet", _named(head.missing)),
        ("results of drills that changed since", str(head.outdated)),
        ("unreadable files", str(len(head.unreadable))),
        ("same outcome when staged again", f"{of(report.agreement)}, {between(report.agreement)}"),
    ]
    return Section("head", "What was examined", "", ("what", "value"), tuple(rows))


def _named(names: Sequence[str]) -> str:
    return f"{len(names)}: {', '.join(names)}" if names else "0"


def _questions(report: Report) -> Section:
    rows = [
        (
            words(one.name),
            str(one.share.right),
            str(one.share.of),
            NOTHING if one.share.value is None else f"{one.share.value:.2f}",
            between(one.share),
            NOTHING if one.bar is None else f"{one.bar:.2f}",
            verdict_words(one.verdict, one.share.of),
        )
        for one in report.questions
    ]
    brier = NOTHING if report.brier is None else f"{report.brier:.3f}"
    note = (
        "90% two-sided intervals (Clopper-Pearson). A bar is met when the one-sided lower 90% bound reaches it, missed when "
        f"the upper one stays below. Brier score of the first hypothesis: {brier} (n={report.brier_count}); a coin has {COIN}."
    )
    columns = ("question", "right", "of", "share", "90% interval", "bar", "verdict")
    return Section("questions", "What was asked", note, columns, tuple(rows))


def _comparison(report: Report) -> Iterator[Section]:
    found = report.comparison
    if found is None:
        return
    note = (
        f"{found.new} against {found.old} on {found.shared} drills that both sat: {len(found.differs)} end otherwise, "
        f"{found.wins} better, {found.losses} worse (exact sign test, p {probability(found.p)})."
    )
    rows = [(one.drill, one.change, _end(one.old), _end(one.new)) for one in found.differs]
    yield Section("comparison", "Two agents", note, ("drill", "now", found.old, found.new), tuple(rows))


def _end(end: tuple[str, str, bool]) -> str:
    outcome, acceptance, well = end
    return f"{outcome}; acceptance {acceptance}; {'well' if well else 'NOT well'}"


def _players(report: Report) -> Section:
    rows = [
        (
            one.name,
            of(one.ends_well),
            between(one.ends_well),
            of(one.harm),
            between(one.harm),
            seconds(one.seconds),
            _interval(one),
            f"{one.ended}/{one.ends_well.of}",
        )
        for one in report.players
    ]
    note = (
        "The agent beside what one could do without it. Ends well: the target is healthy and acceptance did not fail. Seconds "
        "from the fault to the end, median of those that ended."
    )
    columns = ("player", "ends well", "90% interval", "harm", "90% interval", "median", "90% interval", "ended")
    return Section("players", "Players side by side", note, columns, tuple(rows))


def _interval(player: Player) -> str:
    if player.seconds_interval is None:
        return NOTHING
    return "{:.1f} to {:.1f} s".format(*player.seconds_interval)


def _paired(report: Report) -> Section:
    rows = [
        (
            player.name,
            *map(str, (paired.both, paired.agent_only, paired.other_only, paired.neither)),
            probability(paired.p),
        )
        for player in report.players
        if (paired := player.paired) is not None
    ]
    note = "Drills that both sat. p: McNemar's exact test, two-sided, on the drills where they differ."
    if not rows:
        note = "No other player has results: mpa drill run with the baselines."
    columns = ("against", "both end well", "only the agent's", "only the other's", "neither", "p")
    return Section("paired", "Pair by pair", note, columns, tuple(rows))


def _patches(report: Report) -> Section:
    rows = [(name, *(str(counts[kind]) for kind in PATCHES)) for name, counts in report.patches.items()]
    note = "Right: merged, the target is well and acceptance does not fail. Wrong: it looked plausible, was merged, and is not."
    return Section("patches", "Patches", note, ("drills where", "right", "plausible but wrong", "none"), tuple(rows))


def _families(report: Report) -> Section:
    rows = [
        (one.name, str(one.drills), *(of(one.questions[name]) for name in FAMILY_QUESTIONS)) for one in report.families
    ]
    columns = ("family", "drills", *map(words, FAMILY_QUESTIONS))
    return Section("families", "By family", "Right answers of those asked.", columns, tuple(rows))


def _family_players(report: Report) -> Section:
    players = [one.name for one in report.players]
    rows = [
        (one.name, *(of(one.ends_well[name]) if name in one.ends_well else NOTHING for name in players))
        for one in report.families
    ]
    return Section("family-players", "Ends well, by family and player", "", ("family", *players), tuple(rows))


def _gaps(key: str, title: str, first: str, second: str, gaps: Sequence[Gap]) -> Section:
    if not gaps:
        return Section(key, title, f"There are not both {first} and {second} results.")
    rows = [(words(one.name), _share(one.first), _share(one.second), *_gap(one)) for one in gaps]
    note = f"Gap: {second} less {first}, with a 90% interval (Newcombe 1998, from Wilson's intervals)."
    return Section(key, title, note, ("question", first, second, "gap", "90% interval"), tuple(rows))


def _share(share: Share) -> str:
    return of(share) if share.value is None else f"{of(share)} = {share.value:.2f}"


def _gap(one: Gap) -> tuple[str, str]:
    if one.gap is None:
        return NOTHING, NOTHING
    gap, low, high = one.gap
    return f"{gap:+.2f}", f"{low:+.2f} to {high:+.2f}"


def _twins(report: Report) -> Section:
    if not report.twins:
        return Section("twins", "Twins", "No drill was sat together with its twin.")
    counts = [f"{word} {sum(one.right == word for one in report.twins)}" for word in ("both", "one", "none")]
    note = (
        "The same symptom, one with a code cause and one without: whose cause the first hypothesis had right. "
        f"{', '.join(counts)}."
    )
    rows = [(one.first, one.second, one.right) for one in report.twins]
    return Section("twins", "Twins", note, ("drill", "its twin", "right"), tuple(rows))


def _stages(report: Report) -> Section:
    rows = [
        (
            one.name,
            str(one.drills),
            seconds(one.median),
            seconds(one.p90),
            seconds(one.total),
            seconds(one.of_a_minute),
        )
        for one in report.stages
    ]
    note = f"The three largest: {', '.join(report.largest)}." if report.largest else "No stage was timed."
    return Section(
        "stages", "Where a minute goes", note, ("stage", "drills", "median", "p90", "sum", "of a minute"), tuple(rows)
    )


def _drills(report: Report) -> Section:
    columns = ("drill", "alarm", "cause", "component", "change", "outcome", "well", "acceptance", "harm", "seconds")
    rows = [
        (
            one.name,
            seconds(one.alarm_seconds),
            *(answer(one.answers[name]) for name in ("cause", "component", "change")),
            _outcome(one),
            "yes" if one.answers["well"] else "NO",
            one.acceptance.partition(":")[0],
            "YES" if one.harm else "no",
            seconds(one.seconds),
        )
        for one in report.drills
    ]
    note = (
        "Cause, component and change are those of the first hypothesis. Of three or more stagings the majority counts."
    )
    return Section("drills", "Drill by drill", note, columns, tuple(rows))


def _outcome(one: DrillRow) -> str:
    right = one.answers["outcome"]
    return one.outcome if right is None else f"{one.outcome} ({answer(right)})"


def _reasons(report: Report) -> Section:
    rows = [(one.name, one.title, _said(one)) for one in report.drills]
    return Section("reasons", "In the agent's words", "", ("drill", "what went wrong", "reason, and harm"), tuple(rows))


def _said(one: DrillRow) -> str:
    failed = one.acceptance if one.acceptance.startswith("failed:") else ""
    return "; ".join(filter(None, (one.reason, f"HARM: {one.harm}" if one.harm else "", failed))) or NOTHING


def _left(report: Report) -> Iterator[Section]:
    """What is not in the counts, by name."""
    if report.head.discarded:
        note = "Not a fair question, or it never came to an exam: in no count."
        yield Section("discarded", "Discarded drills", note, ("drill", "why"), report.head.discarded)
    if report.head.unreadable:
        note = "Remove such a file and the drill is staged again."
        yield Section("unreadable", "Unreadable files", note, ("file", "why"), report.head.unreadable)
