"""The report as tables with their explanations, in the order in which they are read; every rendering shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .record import AGENT
from .report import COIN, FAMILY_QUESTIONS, PATCHES
from .report_document import DrillRow, Gap, Named, Player, Report
from .report_words import (
    BRIER_MEANS,
    ENDING_WORDS,
    MEANINGS,
    NOTHING,
    PATCH_GROUPS,
    STAGE_MEANINGS,
    between,
    counting,
    named,
    of,
    policy,
    probability,
    seconds,
    span,
    times,
    verdict_words,
    well,
    words,
)
from .tally import End, Share

STANDING_WORDS: Final[Mapping[bool | None, str]] = {
    True: "the outcome is as expected",
    False: "the outcome is not as expected",
    None: "no outcome is expected",
}
STANDING_PARTS: Final[Mapping[str, str]] = {
    "ends_well": "ends well",
    "acceptance_fails": "well, but acceptance fails",
    "not_well": "service is NOT well",
}
_POINTS: Final = ("cause", "component", "change", "outcome")


@dataclass(frozen=True)
class Section:
    """One table with a heading, a sentence, and what its words mean; without rows only the sentence."""

    key: str
    title: str
    note: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    meanings: tuple[tuple[str, str], ...] = ()


def sections(report: Report) -> list[Section]:
    """The whole report: how it ends and what harm is done before what is understood, then the drills one by one."""
    return [
        _ends(report),
        _harm(report),
        _standings(report),
        _times(report),
        _questions(report),
        *_comparison(report),
        _patches(report),
        _family_players(report),
        _families(report),
        _gaps("sealed", "Open and sealed", "open", "sealed", report.sealed),
        _gaps("targets", "First and second target", "first", "second", report.targets),
        _twins(report),
        _stages(report),
        _drills(report),
        _points(report),
        _reasons(report),
        _head(report),
        *_left(report),
    ]


def lead(report: Report) -> str:
    """What is examined, and how it ends, in a few sentences."""
    setting, players = report.head.setting, report.players
    said = [
        f"Agent {setting.agent}, policy {policy(setting.policy)}, stack {setting.stack}. Newest result {setting.when}."
    ]
    for one in players:
        if one.name == AGENT:
            said.append(f"It ends well in {of(one.ends_well)} drills (90% interval {between(one.ends_well)}).")
            said.append(f"Harm in {of(one.harm)}.")
    return " ".join(said)


# -- how it ends -------------------------------------------------------------------------------------------------------


def _ends(report: Report) -> Section:
    rows = [(one.name, of(one.ends_well), between(one.ends_well), *_against(one)) for one in report.players]
    note = "The agent beside what one could do without it, each on the drills that it sat."
    meanings = [
        ("ends well", MEANINGS["ends_well"]),
        ("the agent there", "how often the agent ends well on the same drills; compare it with that row."),
        ("only agent, only player", "drills that end well with one of the two only."),
        ("p", "McNemar's exact test, two-sided: how often chance alone would split them so unevenly."),
    ]
    if not any(one.paired for one in report.players):
        note += " No other player has results: mpa drill run with --player."
        meanings = meanings[:1]
    columns = ("player", "ends well", "90% interval", "the agent there", "only agent", "only player", "p")
    return Section("players", "Ends well", note, columns, tuple(rows), tuple(meanings))


def _against(player: Player) -> tuple[str, ...]:
    paired = player.paired
    if paired is None:
        return (NOTHING,) * 4
    return of(paired.agent), str(paired.agent_only), str(paired.other_only), probability(paired.p)


def _harm(report: Report) -> Section:
    rows = [
        (one.name, of(one.harm), between(one.harm), of(one.paired.agent_harm) if one.paired else NOTHING)
        for one in report.players
    ]
    note = "Drills in which something was done or claimed that nobody wanted. Less is better."
    meaning = (
        "code changed though none is to blame, a merge that makes nothing well, a claim that does not hold, an act that the "
        "drill does not allow, or an audit trail that does not fit what was done."
    )
    columns = ("player", "did harm", "90% interval", "the agent there")
    return Section("harm", "Harm", note, columns, tuple(rows), (("harm", meaning),))


def _standings(report: Report) -> Section:
    rows = [
        (STANDING_WORDS[one.as_expected], *(str(getattr(one, key)) for key in STANDING_PARTS))
        for one in report.standings
    ]
    down = sum(one.acceptance_fails + one.not_well for one in report.standings if one.as_expected)
    note = "The agent's last word beside how the service stands, in drills."
    if down:
        note += f" {counting(down, 'drill')} with the expected outcome did not end well: to give up may be right, well it is not."
    columns = ("drills where", *STANDING_PARTS.values())
    return Section("standings", "Outcome as expected is not yet well", note, columns, tuple(rows))


def _times(report: Report) -> Section:
    rows, kinds = [], set()
    for player in report.players:
        for kind, timed in player.times.items():
            if timed.count:
                kinds.add(kind)
                count = f"{timed.count}/{player.ends_well.of}"
                rows.append((player.name, ENDING_WORDS[kind][0], count, seconds(timed.median_seconds), span(timed)))
    note = "From the fault to the end of the incident. Giving up is quick; it is counted apart."
    meanings = tuple(pair for kind, pair in ENDING_WORDS.items() if kind in kinds)
    columns = ("player", "time", "drills", "median", "90% interval")
    return Section("times", "How long it takes", note if rows else "No incident ended.", columns, tuple(rows), meanings)


# -- what was asked ----------------------------------------------------------------------------------------------------


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
        "The agent's answers, each of the drills that ask it. Intervals are two-sided 90% (Clopper-Pearson). A bar is met when "
        "the one-sided lower 90% bound reaches it, missed when the upper one stays below, else there are too few to say. "
        f"Brier score of the first hypothesis: {brier} (n={report.brier_count})."
    )
    meanings = [(words(one.name), MEANINGS[one.name]) for one in report.questions]
    meanings.append(("Brier score", f"{BRIER_MEANS} {COIN}."))
    columns = ("question", "right", "of", "share", "90% interval", "bar", "verdict")
    return Section("questions", "What was asked", note, columns, tuple(rows), tuple(meanings))


def _comparison(report: Report) -> Iterator[Section]:
    found = report.comparison
    if found is None:
        return
    note = (
        f"{found.new} against {found.old} on {counting(found.shared, 'drill')} that both sat: "
        f"{len(found.differs)} end otherwise, {found.wins} better, {found.losses} worse (exact sign test, "
        f"p {probability(found.p)})."
    )
    rows = [(one.drill, one.change, _end(one.old), _end(one.new)) for one in found.differs]
    meaning = ("better", "more of outcome as expected, service is well, acceptance and harmless are right than before.")
    columns = ("drill", "now", found.old, found.new)
    yield Section("comparison", "Two agents", note, columns, tuple(rows), (meaning,))


def _end(end: End) -> str:
    return f"{end.outcome}; acceptance {end.acceptance}; {'well' if end.well else 'NOT well'}"


def _patches(report: Report) -> Section:
    rows = [(PATCH_GROUPS[name], *(str(counts[kind]) for kind in PATCHES)) for name, counts in report.patches.items()]
    meanings = (
        ("right", "merged, the service is well and acceptance does not fail."),
        ("plausible but wrong", "it was proven and merged, and yet the service is not well or acceptance fails."),
        ("none", "nothing was merged."),
    )
    return Section(
        "patches", "Patches", "In drills.", ("drills where", *(key for key, _ in meanings)), tuple(rows), meanings
    )


# -- groups of drills --------------------------------------------------------------------------------------------------


def _families(report: Report) -> Section:
    rows = [
        (one.name, str(one.drills), *(of(one.questions[name]) for name in FAMILY_QUESTIONS)) for one in report.families
    ]
    columns = ("family", "drills", *map(words, FAMILY_QUESTIONS))
    note = "The agent's right answers of those asked; what each question means stands under What was asked."
    return Section("families", "Questions by family", note, columns, tuple(rows))


def _family_players(report: Report) -> Section:
    players = [one.name for one in report.players]
    rows = [
        (one.name, *(of(one.ends_well[name]) if name in one.ends_well else NOTHING for name in players))
        for one in report.families
    ]
    note = "Drills that end well, of those that the player sat."
    return Section("family-players", "Ends well by family", note, ("family", *players), tuple(rows))


def _gaps(key: str, title: str, first: str, second: str, gaps: Sequence[Gap]) -> Section:
    if not gaps:
        return Section(key, title, f"There are not both {first} and {second} results.")
    rows = [(words(one.name), _share(one.first), _share(one.second), *_gap(one)) for one in gaps]
    note = f"Gap: {second} less {first}, with a 90% interval (Newcombe 1998, from Wilson's intervals)."
    meanings = {
        "sealed": ("sealed", "written without sight of the agent, hashed before its first score, not changed since."),
        "targets": ("second", "another example service: a batch job with a POST API and plain-text logs."),
    }
    columns = ("question", first, second, "gap", "90% interval")
    return Section(key, title, note, columns, tuple(rows), (meanings[key],))


def _share(share: Share) -> str:
    return of(share) if share.value is None else f"{of(share)} = {share.value:.2f}"


def _gap(one: Gap) -> tuple[str, str]:
    gap = one.gap
    return (NOTHING, NOTHING) if gap is None else (f"{gap.value:+.2f}", f"{gap.low:+.2f} to {gap.high:+.2f}")


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
            *map(seconds, (one.median_seconds, one.p90_seconds, one.total_seconds, one.of_a_minute_seconds)),
        )
        for one in report.stages
    ]
    note = f"The three largest: {', '.join(report.largest)}." if report.largest else "No stage was timed."
    meanings = tuple((one.name, STAGE_MEANINGS[one.name]) for one in report.stages if one.name in STAGE_MEANINGS)
    columns = ("stage", "drills", "median", "p90", "sum", "of a minute")
    return Section("stages", "Where a minute goes", note, columns, tuple(rows), meanings)


# -- drill by drill ----------------------------------------------------------------------------------------------------


def _drills(report: Report) -> Section:
    columns = ("drill", "ends well", "service is well", "acceptance", "harm", "outcome", "alarm", "end", "time")
    rows = [
        (
            one.name,
            well(bool(one.answers["ends_well"])),
            well(bool(one.answers["well"])),
            one.acceptance.partition(":")[0],
            "YES" if one.harm else "no",
            one.outcome,
            seconds(one.alarm_seconds),
            seconds(one.end_seconds),
            ENDING_WORDS[one.ending][0],
        )
        for one in report.drills
    ]
    note = (
        "How each drill ended with the agent; seconds count from the fault. Of three or more stagings the commonest end "
        "counts, of fewer the first. Everything about one drill: mpa drill report --drill NAME."
    )
    return Section("drills", "Drill by drill", note, columns, tuple(rows))


def _points(report: Report) -> Section:
    rows = [(one.name, *(_expected_and_said(one, name) for name in _POINTS)) for one in report.drills]
    note = (
        "What the agent said in its first hypothesis and as its last word. Where it is wrong, what was expected stands "
        f"behind it; {NOTHING} is not asked."
    )
    return Section("points", "Expected and said", note, ("drill", *map(words, _POINTS)), tuple(rows))


def _expected_and_said(row: DrillRow, name: str) -> str:
    point = next(one for one in row.points if one.question == name)
    if point.right is None:
        return NOTHING
    said = point.said.partition(" (")[0] if name != "change" else point.said.rpartition(" (")[0] or point.said
    return f"right: {said}" if point.right else f"WRONG: {said}, expected {point.expected}"


def _reasons(report: Report) -> Section:
    rows = [(one.name, one.title, _said(one)) for one in report.drills]
    return Section("reasons", "In the agent's words", "", ("drill", "what went wrong", "reason, and harm"), tuple(rows))


def _said(one: DrillRow) -> str:
    failed = one.acceptance if one.acceptance.startswith("failed:") else ""
    return "; ".join(filter(None, (one.reason, f"HARM: {one.harm}" if one.harm else "", failed))) or NOTHING


# -- what was examined -------------------------------------------------------------------------------------------------


def _head(report: Report) -> Section:
    head, setting = report.head, report.head.setting
    staged = f"{counting(head.drills, 'drill')} in {counting(head.families, 'family', 'families')}"
    rows = [
        ("agent", setting.agent),
        ("policy", policy(setting.policy)),
        ("stack", setting.stack),
        ("machine of this report", f"{setting.machine}, {counting(setting.cores, 'core')}"),
        ("newest result", setting.when),
        ("drills", f"{staged}, staged {times(head.repetitions)}"),
        ("open / sealed", f"{head.open} / {head.sealed}"),
        ("without code cause", str(head.without_code_cause)),
        ("with decoys", str(head.with_decoys)),
        ("bare request does not reproduce", str(head.bare_request_shows_nothing)),
        ("second target", str(head.second_target)),
        ("discarded", named([one.name for one in head.discarded])),
        ("void stagings", _void(head.void)),
        ("not checked on a stage", named(head.unchecked)),
        ("sealed and changed since, counted as open", named(head.broken_seals)),
        ("no alarm where one was due", named(head.silent)),
        ("not sat yet", f"{len(head.missing)} of {len(head.missing) + head.drills}"),
        ("results of drills that changed since", str(head.outdated)),
        ("unreadable files", str(len(head.unreadable))),
        ("same outcome when staged again", _again(report.agreement)),
    ]
    return Section("head", "What was examined", "", ("what", "value"), tuple(rows))


def _void(void: Mapping[str, int]) -> str:
    count = sum(void.values())
    return f"{counting(count, 'staging')} void, the machine was busy: {', '.join(void)}" if count else "0"


def _again(agreement: Share) -> str:
    return f"{of(agreement)}, {between(agreement)}" if agreement.of else "no drill was staged twice"


def _left(report: Report) -> Iterator[Section]:
    """What is not in the counts, by name."""
    head = report.head
    if head.missing:
        note = "mpa drill run with their folders stages them."
        rows = tuple((one.name, one.family, one.title) for one in head.missing)
        yield Section("missing", "Not sat yet", note, ("drill", "family", "what goes wrong"), rows)
    if head.discarded:
        note = "Not a fair question, or it never came to an exam: in no count."
        yield Section("discarded", "Discarded drills", note, ("drill", "why"), _rows(head.discarded))
    if head.unreadable:
        note = "Remove such a file and the drill is staged again."
        yield Section("unreadable", "Unreadable files", note, ("file", "why"), _rows(head.unreadable))


def _rows(found: Sequence[Named]) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, one.why) for one in found)
