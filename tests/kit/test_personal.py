"""What points at a person leaves a text; names of machines, versions and ids stay."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.kit.personal import impersonal


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mail to Ines.Lund+x@shop.co.example now", "mail to [email] now"),
        ("card 4111 1111 1111 1111 refused", "card [card] refused"),
        ("card 5500-0000-0000-0004.", "card [card]."),
        ("378282246310005", "[card]"),
        ("to DE89 3704 0044 0532 0130 00", "to [iban]"),
        ("GB82WEST12345698765432", "[iban]"),
        ("call +49 30 1234567, or +1-202-555-0143", "call [phone], or [phone]"),
        ("client=8.8.8.8:443", "client=[address]:443"),
        ("from 2001:4860:4860::8888 port 1", "from [address] port 1"),
    ],
)
def test_people_are_masked_by_kind(text, masked):
    """The kind stays, so that the line still reads."""
    assert impersonal(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.5 192.168.1.1 127.0.0.1 ::1 fe80::1",
        "2026-11-02T11:52:07.123Z at 11:52:07",
        "commit a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736 ns 1762084327123456789",
        "order 4111111111111112 is no card",
        "version 1.2.3 rose +12% to +1500 rows",
        "user@host and a@b",
        "rate(http_requests_total[5m]) 0.4237123412341234",
        "DE89 is a bus line",
        "std::vector<int> and a::b",
    ],
)
def test_what_a_diagnosis_needs_stays(text):
    """Machines, times, hashes, versions, numbers."""
    assert impersonal(text) == text


@given(st.text(max_size=500))
def test_masking_twice_is_masking_once(text):
    """Any text."""
    once = impersonal(text)
    assert impersonal(once) == once


@pytest.mark.parametrize("piece", ["a@", "a.", "1 ", "1-", "4111 ", "+1 ", "1.", "f:", ":", "DE89 ", "A1B2 "])
def test_no_text_makes_it_slow(piece):
    """Each pattern is bounded."""
    began = time.monotonic()
    impersonal((piece * 200_000)[:400_000])
    assert time.monotonic() - began < 3
