"""Does the evidence say what a claim says? Without any model."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model.claims import names_in, numbers_in, support

TEXTS = {
    "E1": "ZeroDivisionError in shop.py:answer: 41 times, 0 before",
    "E2": 'signal: error_ratio is 0.4237\n{"signal": "error_ratio", "value": 0.42371}',
    "E3": "p95 of /predict rose from 120ms to 1,350 ms at 2026-11-02T11:52:07Z",
    "E4": "commit a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 halve otherwise\nfiles: src/shop.py",
    "E5": "connection to redis-0.cache:6379 refused by Redis, 3 of 3 tries",
    "E6": "memory grew by 12% an hour",
}


@pytest.mark.parametrize(
    ("statement", "cites"),
    [
        ("ZeroDivisionError was raised 41 times", ["E1"]),
        ("`ZeroDivisionError` comes from shop.py:answer", ["E1"]),
        ("error_ratio is 0.42", ["E2"]),
        ("error_ratio is 42%", ["E2"]),
        ("error_ratio is 42.4 %", ["E2"]),
        ("the p95 of /predict rose to 1350 ms", ["E3"]),
        ("from 120 ms at 11:52", ["E3"]),
        ("commit a1a1a1a1 touches `src/shop.py`", ["E4"]),
        ("commit a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1 is the newest", ["E4"]),
        ("41 errors of kind ZeroDivisionError, error_ratio 0.424", ["E1", "E2"]),
        ("the service is refused by Redis at redis-0.cache:6379", ["E5"]),
        ("memory grew by 12%", ["E6"]),
        ("memory's growth was 0.12, it isn't shop's", ["E6"]),
        ("the signal 'error_ratio' (RATIO) is up", ["E2"]),
    ],
)
def test_what_the_evidence_says_stands(statement, cites):
    """Names and numbers occur, rounded or in other units of a ratio as people write them."""
    assert support(statement, cites, TEXTS).dropped == ""


@pytest.mark.parametrize(
    ("statement", "cites", "why"),
    [
        ("error_ratio is 0.43", ["E2"], "0.43"),
        ("error_ratio is 4%", ["E2"], "4%"),
        ("ValueError was raised 41 times", ["E1"], "ValueError"),
        ("ZeroDivisionError was raised 4 times", ["E1"], "4"),
        ("commit b2b2b2b2 touches shop.py", ["E4"], "b2b2b2b2"),
        ("the `cache` in front of Postgres is down", ["E5"], "Postgres"),
        ("error_ratio is 0.42", ["E1"], "error_ratio"),
        ("error_ratio is 0.42", ["E77"], "no evidence E77"),
        ("error_ratio is 0.42", ["E2", "E77"], "no evidence E77"),
        ("error_ratio is 0.42", [], "cites no evidence"),
        ("the code is clearly at fault", ["E1"], "names nothing"),
        ("", ["E1"], "names nothing"),
    ],
)
def test_what_it_does_not_say_is_dropped(statement, cites, why):
    """With the word that is missing."""
    assert why in support(statement, cites, TEXTS).dropped


def test_a_citation_that_bears_nothing_out_does_not_count():
    """It cannot be padded."""
    assert support("error_ratio is 0.42", ["E5", "E2", "E2", "E4"], TEXTS).carried == ("E2",)


def test_names_and_numbers_are_told_apart():
    """A number within a name is part of the name, a unit is none."""
    assert names_in("shop2 in `a b` took 12ms, see HTTP_500 and v1.2.3 or Kafka; well-known") == (
        "a b", "shop2", "HTTP_500", "v1.2.3", "Kafka",
    )  # fmt: skip
    assert [value for _, value, _ in numbers_in("shop2 took 12ms, 1,300 rows, 5 %")] == [12, 1300, 5]


@given(st.text(max_size=400), st.text(max_size=400))
@settings(max_examples=200, deadline=500)
def test_any_text_gets_a_verdict_soon(statement, text):
    """No text raises or takes long."""
    found = support(statement, ["E1"], {"E1": text})
    assert bool(found.dropped) != bool(found.carried)


@pytest.mark.parametrize("piece", ["a.", "a_", "1,", "1.", "`", "aA", "a-", "1:", "A", "0", "/", "a" * 50 + " "])
def test_long_texts_of_one_kind_are_read_in_time(piece):
    """No pattern runs away."""
    import time

    began = time.monotonic()
    support(piece * 300, ["E1"], {"E1": (piece * 6_000)[:6_000]})
    assert time.monotonic() - began < 1
