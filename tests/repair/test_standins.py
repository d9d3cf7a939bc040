"""What may belong to a person is not committed to somebody's repository."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.evidence import RecordedRequest
from agent.model.experiment import Expectation
from agent.model.target import Target
from agent.repair.regression import write
from agent.repair.standins import StandIns
from fakes import records


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("mail dee@shop.example.org now", "mail person1@example.com now"),
        ("a=dee%40shop.org&b=1", "a=person1%40example.com&b=1"),
        ("q=to%3Abob%40example.org", "q=to%3Aperson1%40example.com"),
        ("phone=%2B4915112345678", "phone=%2B0000000000001"),
        ("call +49 30 901820 today", "call +00 00 000001 today"),
        ("card 4111 1111 1111 1111.", "card 0000 0000 0000 0001."),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN DE00 0000 0000 0000 0000 01"),
    ],
)
def test_addresses_and_numbers_of_people_are_replaced(text, wanted):
    """By something of the same form."""
    assert StandIns().text(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T10:00:00Z",
        "12.345",
        "1700000000000",
        "AAPL",
        "550e8400-e29b-41d4-a716-446655440000",
        "1.7976931348623157",
        "@decorator",
    ],
)
def test_other_values_stay(text):
    """Times, prices, identifiers: a test needs them as they are."""
    assert StandIns().text(text) == text


def test_the_same_person_stays_the_same():
    """An answer that repeats what was asked still does."""
    given_ = {"to": "dee@x.org", "cc": ["eve@x.org", "dee@x.org"]}
    assert StandIns().value(given_) == {
        "to": "person1@example.com",
        "cc": ["person2@example.com", "person1@example.com"],
    }


@given(st.text(max_size=200))
def test_any_text_can_be_replaced(text):
    """Twice is once."""
    names = StandIns()
    once = names.text(text)
    assert StandIns().text(once).count("@") == once.count("@")


def test_the_regression_test_names_nobody(tmp_path):
    """Neither in what is sent nor in what is expected."""
    target = Target(name="shop", url="http://127.0.0.1:1", repository=tmp_path)
    request = RecordedRequest(method="POST", path="/orders", body='{"customer": "dee@shop.org"}')
    expected = (Expectation(status=200, body={"customer": "dee@shop.org"}),)
    capsule = records.capsule("c" * 40, failing=(request,), expected=expected)
    source = "".join(line.strip().strip("'") for line in write(records.incident(), target, capsule).source.splitlines())
    assert "dee@shop.org" not in source
    assert source.count("person1@example.com") == 2
    raw = write(records.incident(), target, capsule, stand_ins=False).source
    assert "dee@shop.org" in "".join(line.strip().strip("'") for line in raw.splitlines())
