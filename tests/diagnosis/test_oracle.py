"""Red only for the incident's own reason; green only for a service that does well; else untestable."""

from __future__ import annotations

import pytest

from agent.model.evidence import RecordedRequest, Signature
from agent.model.experiment import Capsule, Oracle, SignalBound, Verdict
from agent.model.oracle import ANY, decide, differences, expectations, failure_rate, without
from agent.model.replay import Answer, Replay
from fakes import records

REQUEST = RecordedRequest(method="GET", path="/x")
FAULT = Signature(exception="KeyError", frames=("app.py:f",))
OTHER = Signature(exception="ValueError", frames=("app.py:g",))


def capsule(**fields):
    given = {
        "id": "c",
        "target": "t",
        "signal": "error_ratio",
        "commit": "a" * 40,
        "failing": (REQUEST,),
        "healthy": (REQUEST,),
        "signature": FAULT,
        "oracle": Oracle(strength="weak", name="n", description="d"),
        "lock_hash": "l",
    }
    return Capsule(**{**given, **fields})


def replay(*answers, **fields):
    made = tuple(Answer(status=status, body=body, duration_ms=1, signature=sign) for status, body, sign in answers)
    failures = tuple(int(status >= 500 or status == 0) for status, _, _ in answers)
    return Replay(**{"started": True, "answers": made, "failures": failures, "repetitions": 1, **fields})


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        (((500, "", FAULT), (200, {}, None)), Verdict.RED),
        (((200, {}, None), (200, {}, None)), Verdict.GREEN),
        (((404, {}, None), (200, {}, None)), Verdict.GREEN),
        (((500, "", OTHER), (200, {}, None)), Verdict.UNTESTABLE),
        (((500, "", None), (200, {}, None)), Verdict.UNTESTABLE),
        (((500, "", FAULT), (500, "", FAULT)), Verdict.UNTESTABLE),
        (((0, "", None), (200, {}, None)), Verdict.UNTESTABLE),
    ],
)
def test_the_same_signature_and_healthy_requests_decide(answers, verdict):
    """Another failure, or a service that fails altogether, says nothing about this fault."""
    assert decide(capsule(), replay(*answers))[0] is verdict


FINE, FAILED = (200, {}, None), (500, "", FAULT)


@pytest.mark.parametrize(
    ("answers", "failures", "verdict"),
    [
        ((FAILED, FINE), (1, 0), Verdict.RED),
        ((FAILED, FAILED), (1, 1), Verdict.RED),
        ((FINE, FAILED), (0, 1), Verdict.RED),
        ((FAILED, FAILED), (4, 4), Verdict.UNTESTABLE),
        ((FINE, (500, "", OTHER)), (0, 1), Verdict.GREEN),
        (((500, "", OTHER), FINE), (1, 0), Verdict.UNTESTABLE),
    ],
    ids=["it", "both", "the-healthy-one", "always-both", "the-healthy-one-otherwise", "otherwise"],
)
def test_one_repetition_of_four_decides(answers, failures, verdict):
    """A fault that comes and goes is red when it shows once, wherever; healthy requests are ill when they always fail."""
    seen = replay(*answers, failures=failures, repetitions=4)
    assert decide(capsule(), seen)[0] is verdict


def test_the_rate_of_a_fault_is_said():
    """Of the failing requests only, over all repetitions."""
    seen = replay(FAILED, FINE, failures=(1, 3), repetitions=4)
    assert failure_rate(capsule(), seen) == 0.25
    assert decide(capsule(), seen)[1] == "KeyError again, 1 of 1 requests, 25% of the times they were sent"
    assert failure_rate(capsule(), replay(failures=(), repetitions=0)) == 0.0


def test_a_service_that_does_not_start_is_untestable():
    """Unless not starting is the incident, with the same signature."""
    down = Replay(started=False, startup_signature=FAULT, problem="boom")
    assert decide(capsule(), down)[0] is Verdict.UNTESTABLE
    assert decide(capsule(signal="down"), down)[0] is Verdict.RED


@pytest.mark.parametrize(("value", "verdict"), [(2.0, Verdict.RED), (0.9, Verdict.GREEN), (None, Verdict.UNTESTABLE)])
def test_a_bound_decides_when_there_is_one(value, verdict):
    """A signal that could not be measured decides nothing."""
    bound = SignalBound(signal="mae_ratio", limit=1.0, unit="")
    measured = {} if value is None else {"mae_ratio": value}
    assert decide(capsule(bound=bound, signature=None), replay((200, {}, None), measured=measured))[0] is verdict


def test_what_varies_by_itself_is_left_open():
    """Two runs of the good release show which fields are ids; added fields are no difference, changed ones are."""
    one = replay((200, {"id": 1, "value": 2.0, "release": "abc", "list": [1]}, None))
    two = replay((200, {"id": 2, "value": 2.0, "release": "abc", "list": [1]}, None))
    expected = without(expectations(one, two), ("abc",))
    assert expected[0].body == {"id": ANY, "value": 2.0, "release": ANY, "list": [1]}
    case = capsule(expected=expected, signature=None, healthy=())
    assert differences(case, replay((200, {"id": 9, "value": 2.0, "release": "x", "list": [1], "new": 1}, None))) == ()
    assert decide(case, replay((200, {"id": 9, "value": 2.1, "release": "x", "list": [1]}, None)))[0] is Verdict.RED
    assert decide(case, replay((200, {"id": 9, "release": "x", "list": [1]}, None)))[0] is Verdict.RED


def test_a_sandbox_that_broke_says_nothing_of_the_service():
    """Its memory limit is no fault of a commit."""
    capsule = records.capsule("c" * 40, starts=True, signature=None, signal="down")
    broken = Replay(started=False, problem="the run gave no report: the memory limit ended it")
    refused = Replay(started=False, problem="the service did not start: it ended with code 1")
    assert decide(capsule, broken)[0] is Verdict.UNTESTABLE
    assert decide(capsule, refused)[0] is Verdict.RED
