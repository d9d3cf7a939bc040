"""Text of logs as lines: tracebacks in one piece, structured entries read, levels found."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.evidence.loglines import LONGEST, Entry, lines
from agent.kit.redact import MASK

PYTHON = """Traceback (most recent call last):
  File "a.py", line 3, in f
    return table[key]
           ~~~~~^^^^^
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "b.py", line 1, in g
    raise Bad from None
shop.errors.Bad: no"""
GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "a.py", line 3, in f
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +---------------- 2 ----------------
    | TypeError: 2
    +------------------------------------"""
JAVA = """java.lang.IllegalStateException: closed
\tat shop.Cart.add(Cart.java:31)
\tat shop.Api.post(Api.java:9)
Caused by: java.io.IOException: broken pipe
\tat java.net.Socket.write(Socket.java:1)
\t... 12 more"""
GO = """panic: runtime error: index out of range [3]

goroutine 17 [running]:
main.(*Cart).Add(0xc000010000)
\t/app/cart.go:31 +0x1d
created by main.main
\t/app/main.go:9 +0x85"""
NODE = """TypeError: Cannot read properties of undefined (reading 'id')
    at Cart.add (/app/cart.js:31:9)
    at async /app/api.js:9:3"""
TRACES = {"python": PYTHON, "group": GROUP, "java": JAVA, "go": GO, "node": NODE}


def read(*texts, gap=0.001, labels=None):
    return lines(Entry(n * gap, "s", "shop", text, labels or {}) for n, text in enumerate(texts))


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
@pytest.mark.parametrize("shipped", ["whole", "lines", "json"])
def test_a_traceback_is_one_line(trace, shipped):
    """Shipped as one entry, as one a line, or as one JSON object a line; its neighbours are lines of their own."""
    parts = [trace] if shipped == "whole" else trace.splitlines()
    if shipped == "json":
        parts = [json.dumps({"log": f"{part}\n", "stream": "stderr"}) for part in parts]
    found = read("INFO before", *parts, "INFO after")
    assert [line.message for line in found] == ["INFO before", trace.strip("\n"), "INFO after"]
    assert found[1].level == "ERROR"


def test_a_line_that_announces_a_traceback_leads_it():
    """So that what failed is its first line."""
    found = read("ERROR in /pay", *PYTHON.splitlines(), "ERROR in /buy", *JAVA.splitlines())
    assert [line.message.splitlines()[0] for line in found] == ["ERROR in /pay", "ERROR in /buy"]


def test_two_tracebacks_in_a_row_are_two():
    """Only what says that it belongs to a chain does."""
    one = PYTHON.splitlines()[:5]
    assert [line.message for line in read(*one, "INFO between", *one)][::2] == ["\n".join(one)] * 2


def test_what_comes_much_later_is_another_line():
    """Also where it looks like the next frame."""
    assert len(read("Traceback (most recent call last):", '  File "a.py", line 1, in f', gap=5.0)) == 2


def test_streams_are_not_mixed():
    """Entries of another process in between do not tear a traceback."""
    entries = [
        Entry(n * 0.001, n % 2, "shop", part) for n, part in enumerate(p for p in JAVA.splitlines() for _ in "ab")
    ]
    assert [line.message for line in lines(entries)] == [JAVA, JAVA]


@pytest.mark.parametrize(
    ("text", "level", "message"),
    [
        ('{"severity": "Warn", "msg": "slow"}', "WARNING", "slow"),
        ('{"level": 50, "message": "bad"}', "ERROR", "bad"),
        ('{"PRIORITY": "4", "MESSAGE": "m"}', "WARNING", "m"),
        ('{"log": "{\\"level\\": \\"fatal\\", \\"msg\\": \\"inner\\"}\\n", "stream": "stderr"}', "CRITICAL", "inner"),
        ('level=error msg="payment \\"x\\" timeout" trace_id=t57', "ERROR", 'payment "x" timeout'),
        ("2026-11-25 12:00:00,123 WARNING shop.cart full", "WARNING", "2026-11-25 12:00:00,123 WARNING shop.cart full"),
        ("[error] 7#7: upstream timed out", "ERROR", "[error] 7#7: upstream timed out"),
        ("all is well", "", "all is well"),
        ('{"level": true, "message": 3}', "", '{"level": true, "message": 3}'),
        ('{"broken', "", '{"broken'),
        ("[1, 2]", "", "[1, 2]"),
        ("a=1 b=2", "", "a=1 b=2"),
    ],
)  # fmt: skip
def test_level_and_message_are_found(text, level, message):
    """In JSON, logfmt, journals, wrapped lines, and in plain words."""
    (line,) = read(text)
    assert (line.level, line.message) == (level, message)


def test_a_level_beside_the_text_counts_where_the_text_has_none():
    """A stream's label, and what Loki guessed, in this order."""
    assert read("hello", labels={"level": "warn", "detected_level": "info"})[0].level == "WARNING"
    assert read("hello", labels={"detected_level": "error"})[0].level == "ERROR"
    assert read("hello", labels={"detected_level": "unknown"})[0].level == ""
    assert read("INFO hello", labels={"detected_level": "error"})[0].level == "INFO"


def test_tracebacks_in_fields_are_kept():
    """As text, in an object, or as a list of lines; other objects are not."""
    for value in (PYTHON, {"type": "Bad", "traceback": PYTHON}, PYTHON.splitlines()):
        (line,) = read(json.dumps({"message": "GET /x 500", "exception": value, "request": {"deep": 1}, "took": 1.5}))
        assert line.attributes == {"traceback": PYTHON, "took": 1.5}
        assert line.level == "ERROR"


def test_secrets_and_control_characters_do_not_pass():
    """In text and fields."""
    (line,) = read(
        '{"message": "password=hunter2hunter2 \\u202e", "api_key": "hunter2hunter2", "x": "Bearer Hunter2Hunter2"}'
    )
    assert "unter2" not in str(line)
    assert "\u202e" not in line.message
    said = {"msg": "x", "level": "in\u202efo", "password": 12345678, "bad\u202ename": "a\u202eb", "n": 2, "yes": True}
    (line,) = read(json.dumps(said))
    assert (line.level, line.attributes) == ("", {"password": MASK, "badname": "ab", "n": 2, "yes": True})


def test_long_texts_keep_their_ends():
    """A traceback says most at its end."""
    (line,) = read("x" * 1_000_000 + "\nValueError: end")
    assert len(line.message) <= LONGEST
    assert line.message.endswith("ValueError: end")


@pytest.mark.parametrize(
    "text", ["(" * 1_000_000, "a." * 500_000, "a=" * 500_000, "{" * 500_000, "\\" * 500_000, "A" * 1_000_000]
)
def test_hostile_lines_take_no_time(text):
    """Not even after a traceback has begun."""
    began = time.process_time()
    assert read("Traceback (most recent call last):", text, text)
    assert time.process_time() - began < 3.0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(alphabet='Tracebk (mostn l):\n\t |+"{}=,.E:FileError at'), max_size=8))
def test_no_text_breaks_the_reader(texts):
    """Every entry is in exactly one line."""
    found = read(*texts)
    assert len(found) <= len(texts)
    assert (found == ()) == (not texts)
