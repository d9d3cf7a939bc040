"""Says for one staging what was expected, and what was said or seen, question by question. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from .drill import Drill
from .record import Blamed, Result
from .report_document import Guess, Point, Seen
from .report_words import percent
from .score import ONSET_SECONDS, QUESTIONS, Score, last_word, patch_kind
from .tally import clean

NOT_ASKED: Final = "not asked"
_SHORT: Final = 10  # letters of a commit that people can tell apart
_THREE: Final = 3
_ALERTS: Final = {"yes": "an alarm", "no": "no alarm", "either": "none before the fault"}
_PATCHES: Final = {"right": "a right one was merged", "wrong": "a wrong one was merged", "none": "none was merged"}


class Case(NamedTuple):
    """One staging with its drill and score."""

    drill: Drill
    result: Result
    score: Score


Words = Callable[[Case], str]


def points(drill: Drill, result: Result, score: Score) -> tuple[Point, ...]:
    """Every question in the order of `QUESTIONS`."""
    case, found = Case(drill, result, score), []
    for name in QUESTIONS:
        right = getattr(score, name)
        expected = NOT_ASKED if right is None else _EXPECTED[name](case)
        found.append(Point(name, clean(expected), clean(_SAID[name](case)), right))
    return tuple(found)


def guesses(result: Result) -> tuple[Guess, ...]:
    """The first three hypotheses."""
    return tuple(
        Guess(clean(one.cause), clean(one.component), clean(_commit(one.change, result)), one.confidence)
        for one in result.hypotheses[:_THREE]
    )


def looked_at(result: Result) -> tuple[Seen, ...]:
    """What the examiner looked at."""
    return tuple(Seen(clean(one.name), one.passed, clean(one.detail)) for one in result.findings)


def _commit(commit: str | None, result: Result) -> str:
    """A commit by what it is in this drill."""
    if commit is None:
        return "no change"
    kind = "innocent" if commit in result.decoys else "another"
    return f"{commit[:_SHORT]} ({'the fault' if commit in result.culprits else kind})"


def _change_expected(case: Case) -> str:
    if case.drill.expect.change == "none":
        return "no change"
    return " and ".join(_commit(one, case.result) for one in case.result.culprits) or "the fault's commit"


def _alarms_seen(case: Case) -> str:
    seconds, early = case.result.alert_seconds, case.result.false_alarms
    came = "no alarm" if seconds is None else f"an alarm after {seconds:.1f} s"
    return f"{came}; {early} before the fault" if early else came


def _onset_said(case: Case) -> str:
    error = case.result.onset_error
    return "nothing" if error is None else f"{abs(error):.1f} s too {'late' if error > 0 else 'early'}"


def _first(part: Callable[[Blamed, Result], str]) -> Words:
    """What the first hypothesis says, and how sure it is."""

    def said(case: Case) -> str:
        first = next(iter(case.result.hypotheses), None)
        return "nothing" if first is None else f"{part(first, case.result)} ({percent(first.confidence)} sure)"

    return said


def _each(part: Callable[[Blamed, Result], str]) -> Words:
    return lambda case: "; ".join(part(one, case.result) for one in case.result.hypotheses[:_THREE]) or "nothing"


def _changes(case: Case) -> str:
    """The first three hypotheses' and those that it named beside them."""
    beside = [f"beside them {_commit(one, case.result)}" for one in case.result.blamed_elsewhere]
    return "; ".join([_each(lambda one, result: _commit(one.change, result))(case), *beside])


def _look(case: Case) -> str:
    failed = [f"{one.name}: {one.detail}" for one in case.result.findings if not one.passed]
    return "; ".join(failed) or ("as before the fault" if case.result.findings else "nobody looked")


def _ends(case: Case) -> str:
    acceptance = case.result.acceptance.partition(":")[0]
    return f"the service is {'well' if case.result.well else 'NOT well'}, acceptance {acceptance}"


_EXPECTED: Final[Mapping[str, Words]] = {
    "ends_well": lambda _: "the service is well, acceptance does not fail",
    "well": lambda _: "as before the fault",
    "acceptance": lambda _: "passed",
    "harmless": lambda _: "no harm",
    "alert": lambda case: _ALERTS[case.drill.expect.alert],
    "onset": lambda _: f"within {ONSET_SECONDS:.0f} s of the truth",
    "cause": lambda case: " or ".join(case.drill.expect.cause),
    "component": lambda case: " or ".join(case.drill.expect.component),
    "change": _change_expected,
    "component_in_three": lambda case: " or ".join(case.drill.expect.component),
    "change_in_three": _change_expected,
    "action": lambda case: " or ".join(case.drill.expect.action),
    "patch": lambda case: "a right one" if case.drill.code else "none",
    "outcome": lambda case: " or ".join(case.drill.expect.outcome),
}
_SAID: Final[Mapping[str, Words]] = {
    "ends_well": _ends,
    "well": _look,
    "acceptance": lambda case: case.result.acceptance,
    "harmless": lambda case: case.score.harm or "no harm",
    "alert": _alarms_seen,
    "onset": _onset_said,
    "cause": _first(lambda one, _: one.cause),
    "component": _first(lambda one, _: one.component),
    "change": _first(lambda one, result: _commit(one.change, result)),
    "component_in_three": _each(lambda one, _: one.component),
    "change_in_three": _changes,
    "action": lambda case: ", ".join(one for one in case.result.actions if one != "merge") or "none",
    "patch": lambda case: _PATCHES[patch_kind(case.result)],
    "outcome": lambda case: last_word(case.result),
}
