"""What decides red, green or untestable. Pure: a capsule and what its run gave, nothing else."""

from __future__ import annotations

import math

from pydantic import JsonValue

from .experiment import Capsule, Expectation, Verdict
from .replay import Replay

SERVER_ERROR = 500
ANY = "\x00any"
TOLERANCE = 1e-9
MOST_DIFFERENCES = 5
MOST_FAILED = 0.5


def decide(capsule: Capsule, replay: Replay) -> tuple[Verdict, str]:
    """Red only with the incident's own signature, or its bound broken, while healthy requests are green.

    A fault may come and go: one repetition with the signature is red, also of a healthy request, and a healthy request
    is green when it was answered at least once.
    """
    if capsule.starts or not replay.started:
        return _starts(replay) if capsule.starts else _not_started(capsule, replay)
    if not replay.answers and not capsule.bound:
        return Verdict.UNTESTABLE, replay.problem or "no request was answered"
    if capsule.bound is not None:
        return _bound(capsule, replay)
    healthy = replay.failures[len(capsule.failing) :]
    if healthy and all(failed >= replay.repetitions for failed in healthy):
        return Verdict.UNTESTABLE, "healthy requests fail as well"
    if capsule.signature is not None:
        return _signature(capsule, replay)
    return _answers(capsule, replay)


def _answers(capsule: Capsule, replay: Replay) -> tuple[Verdict, str]:
    if not capsule.expected:
        return Verdict.UNTESTABLE, "there is no answer of a good release to compare with"
    found = differences(capsule, replay)
    return (Verdict.RED, found[0]) if found else (Verdict.GREEN, "every answer is as on the good release")


def _starts(replay: Replay) -> tuple[Verdict, str]:
    """Whether the service comes up; what the sandbox itself got wrong says nothing."""
    if not replay.started:
        if not replay.problem.startswith("the service did not start"):
            return Verdict.UNTESTABLE, replay.problem[:300] or "the sandbox gave nothing"
        why = replay.startup_signature.exception if replay.startup_signature else replay.problem
        return Verdict.RED, f"the service does not start: {why[:300] or 'it says nothing'}"
    status = replay.answers[0].status if replay.answers else 0
    if status == 0 or status >= SERVER_ERROR:
        return Verdict.RED, f"it starts, and its health check answers {status or 'nothing'}"
    return Verdict.GREEN, "it starts and its health check answers"


def _not_started(capsule: Capsule, replay: Replay) -> tuple[Verdict, str]:
    same = capsule.signature is not None and replay.startup_signature == capsule.signature
    if capsule.signal == "down" and same:
        return Verdict.RED, "the service fails at start with the same exception"
    return Verdict.UNTESTABLE, replay.problem[:300] or "the service did not start"


def _bound(capsule: Capsule, replay: Replay) -> tuple[Verdict, str]:
    bound = capsule.bound
    if bound is None:
        return Verdict.UNTESTABLE, "no bound"
    value = replay.measured.get(bound.signal)
    if value is None:
        return Verdict.UNTESTABLE, f"{bound.signal} could not be measured"
    limit = "no limit" if math.isinf(bound.limit) else f"limit {bound.limit:.4g}"
    said = f"{bound.signal} is {value:.4g} {bound.unit}".rstrip() + f", {limit}"
    if value > bound.limit:
        return Verdict.RED, said
    failed = replay.measured.get("error_ratio", 0.0)
    if failed > MOST_FAILED and capsule.signal != "error_ratio":
        return Verdict.UNTESTABLE, f"{failed:.0%} of the requests fail, so {said} says nothing"
    return Verdict.GREEN, said


def _signature(capsule: Capsule, replay: Replay) -> tuple[Verdict, str]:
    failing = replay.answers[: len(capsule.failing)]
    name = capsule.signature.exception if capsule.signature else ""
    same = [index for index, a in enumerate(replay.answers) if a.signature and a.signature == capsule.signature]
    if same:
        asked = sum(index < len(failing) for index in same)
        return Verdict.RED, f"{name} again, {asked} of {len(failing)} requests{_rate(capsule, replay)}"
    others = [answer for answer in failing if answer.status >= SERVER_ERROR or answer.status == 0]
    if others:
        kind = others[0].signature.exception if others[0].signature else f"status {others[0].status}"
        return Verdict.UNTESTABLE, f"fails in another way: {kind}"
    return Verdict.GREEN, f"no {name}; answers {', '.join(sorted({str(answer.status) for answer in failing}))}"


def failure_rate(capsule: Capsule, replay: Replay) -> float:
    """How often the failing requests failed, over the repetitions of one run: 0 (never) to 1 (every time)."""
    failures = replay.failures[: len(capsule.failing)]
    total = replay.repetitions * len(failures)
    return min(1.0, sum(failures) / total) if total else 0.0


def _rate(capsule: Capsule, replay: Replay) -> str:
    rate = failure_rate(capsule, replay)
    return "" if rate in (0.0, 1.0) else f", {rate:.0%} of the times they were sent"


def differences(capsule: Capsule, replay: Replay) -> tuple[str, ...]:
    """Where answers differ from the good release's, field by field; fields that were added are no difference."""
    found: list[str] = []
    for index, (expected, answer) in enumerate(zip(capsule.expected, replay.answers, strict=False)):
        if expected.status != answer.status:
            found.append(f"request {index + 1}: status {answer.status}, on the good release {expected.status}")
        else:
            found += [f"request {index + 1}: {text}" for text in _differ(expected.body, answer.body, "")]
    return tuple(found[:MOST_DIFFERENCES])


def expectations(first: Replay, second: Replay) -> tuple[Expectation, ...]:
    """A good release's answers from two of its runs: what differs between them varies by itself and is left open."""
    return tuple(
        Expectation(status=one.status, body=_stable(one.body, two.body))
        for one, two in zip(first.answers, second.answers, strict=False)
    )


def _stable(one: JsonValue, two: JsonValue) -> JsonValue:
    if isinstance(one, dict) and isinstance(two, dict):
        return {key: _stable(value, two[key]) for key, value in one.items() if key in two}
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        return [_stable(a, b) for a, b in zip(one, two, strict=True)]
    return one if _same(one, two) else ANY


def without(expected: tuple[Expectation, ...], values: tuple[str, ...]) -> tuple[Expectation, ...]:
    """Leave open every field that holds one of these values (such as the release's own commit)."""
    return tuple(Expectation(status=one.status, body=_open(one.body, values)) for one in expected)


def _open(body: JsonValue, values: tuple[str, ...]) -> JsonValue:
    if isinstance(body, dict):
        return {key: _open(value, values) for key, value in body.items()}
    if isinstance(body, list):
        return [_open(value, values) for value in body]
    return ANY if isinstance(body, str) and body in values else body


def _differ(expected: JsonValue, actual: JsonValue, where: str) -> list[str]:
    if expected == ANY:
        return []
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            text
            for key, value in expected.items()
            for text in (_differ(value, actual[key], f"{where}.{key}") if key in actual else [f"{where}.{key} is gone"])
        ]
    if isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return [f"{where or 'the body'} has {len(actual)} items, not {len(expected)}"]
        return [
            t for n, (a, b) in enumerate(zip(expected, actual, strict=True)) for t in _differ(a, b, f"{where}[{n}]")
        ]
    if _same(expected, actual):
        return []
    return [f"{where or 'the body'} is {str(actual)[:80]!r}, on the good release {str(expected)[:80]!r}"]


def _same(one: JsonValue, two: JsonValue) -> bool:
    if (
        isinstance(one, bool)
        or isinstance(two, bool)
        or not isinstance(one, int | float)
        or not isinstance(two, int | float)
    ):
        return type(one) is type(two) and one == two
    return math.isclose(one, two, rel_tol=TOLERANCE, abs_tol=1e-12)
