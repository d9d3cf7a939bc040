"""What goes into a capsule, and how often it is sent."""

from __future__ import annotations

import pytest

from agent.diagnosis.capsule import MOST_REPEAT, REPEAT, request_capsule, steadied
from agent.model.evidence import RecordedRequest
from agent.model.target import Target
from fakes import records

TARGET = Target(name="shop", url="http://127.0.0.1:1", repository=".")
POSTED = RecordedRequest(method="POST", path="/predict", body='{"n": 4}')
AGAIN = POSTED.model_copy(update={"body": '{"n": 3}'})
ORDERED = RecordedRequest(method="POST", path="/orders", body="{}")


@pytest.mark.parametrize(
    ("failing", "healthy", "repeat"),
    [
        (records.FAILING, records.HEALTHY, REPEAT),
        (POSTED, AGAIN, REPEAT),
        (ORDERED, records.HEALTHY, 1),
        (records.FAILING, POSTED, REPEAT),
    ],
    ids=["reading", "seen-twice", "seen-once", "not-sent"],
)
def test_requests_are_repeated_where_users_repeat_them(failing, healthy, repeat):
    """Reading, and what the log shows more than once; a single order is sent once, for it may change what comes next."""
    evidence = records.evidence(failing=(records.failure(failing),), healthy=(records.answered(healthy),))
    assert request_capsule(TARGET, evidence, "error_ratio", "a" * 40, "l").repeat == repeat


@pytest.mark.parametrize(
    ("rate", "repeat"), [(0.0, REPEAT), (1.0, REPEAT), (0.5, 7), (0.99, REPEAT), (0.25, 17), (0.001, MOST_REPEAT)]
)
def test_a_fault_that_comes_and_goes_is_sent_more_often(rate, repeat):
    """As often as one run in a hundred may miss it, within a bound; a certain one as often as before."""
    assert steadied(records.capsule("a" * 40, repeat=REPEAT), rate).repeat == repeat


def test_several_failing_requests_are_several_chances():
    """Each of them is sent in every repetition."""
    capsule = records.capsule("a" * 40, repeat=REPEAT, failing=(records.FAILING,) * 3)
    assert steadied(capsule, 0.25).repeat == 6


def test_what_is_sent_once_stays_sent_once():
    """However rarely it fails."""
    assert steadied(records.capsule("a" * 40), 0.5).repeat == 1
