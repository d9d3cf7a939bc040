"""What a run printed becomes records, whatever it printed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model.experiment import Capsule, Oracle
from agent.model.target import Target
from agent.sandbox import results
from agent.sandbox.bubblewrap import SandboxResult
from agent.sandbox.results import replay_of
from agent.sandbox.tracebacks import failure_of_line, signatures_of_text

REPORT = {
    "started": True,
    "problem": "",
    "answers": [{"status": 200, "body": {}, "duration_ms": 1.0}],
    "failures": [0],
    "failed": [],
    "repetitions": 1,
    "output": "",
    "log": "",
    "rss": [[0, 1]],
    "latency_p95_ms": 1.0,
    "metrics_before": "",
    "metrics_after": "",
}
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
CHAINED = """\
Traceback (most recent call last):
  File "/src/app/a.py", line 1, in first
    x()
KeyError: 'k'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/usr/lib/python3.11/asyncio.py", line 5, in run
  File "/src/app/b.py", line 2, in second
    y()
    ^^^
app.errors.Wrong: said

INFO: something else
Traceback (most recent call last):
  File "/src/app/c.py", line 3, in third
ValueError
"""


def _replay(report, **result):
    capsule = Capsule(
        id="c", target="t", signal="errors", commit="0" * 40, failing=(), lock_hash="x",
        oracle=Oracle(strength="weak", name="n", description=""),
    )  # fmt: skip
    target = Target(name="t", url="http://x", repository=".", source="app")
    text = report if isinstance(report, bytes) else json.dumps(report).encode()
    basis = {"returncode": 0, "stdout": text, "stderr": b"", "limit": None, "truncated": False, "seconds": 1.0}
    return replay_of(target, capsule, SandboxResult(**{**basis, **result}), 1.0)


def test_a_whole_report_is_a_replay():
    """The ordinary case, to tell the others from."""
    assert _replay(REPORT).started


@settings(deadline=None)
@given(st.sampled_from(sorted(REPORT)), JUNK)
def test_a_report_with_junk_in_it_is_no_crash(field, junk):
    """One wrong field makes a run that did not start, or does not matter."""
    replay = _replay({**REPORT, field: junk})
    assert replay.started or replay.problem


@pytest.mark.parametrize("text", [b"", b"nonsense", b"[]", b"null", b"[" * 200_000, b"\xff\xfe"])
def test_what_is_no_report_says_what_there_was_instead(text):
    """The limit that was broken, or the end of the error output."""
    assert "memory limit" in _replay(text, limit="memory").problem
    assert "Segmentation" in _replay(text, stderr=b"Segmentation fault").problem
    assert "code 139" in _replay(text, returncode=139).problem


def test_secrets_of_what_was_printed_are_not_kept():
    """A service that cannot start may say with which password."""
    printed = "connecting to postgres://bob:hunter2@db/x\nrefused"
    unable = {**REPORT, "started": False, "problem": "it ended with code 1", "output": printed}
    for replay in (_replay(unable), _replay(b"", stderr=printed.encode())):
        assert replay.problem.endswith("postgres://[redacted]@db/x\nrefused")


def test_tracebacks_in_a_text_are_read_in_order():
    """Of a chain the last part counts; frames outside the target's source are not its own."""
    chained, single = signatures_of_text(CHAINED, "app")
    assert (chained.exception, chained.frames) == ("app.errors.Wrong", ("b.py:second",))
    assert (single.exception, single.frames) == ("ValueError", ("c.py:third",))


@settings(deadline=None)
@given(st.one_of(st.text(max_size=200), JUNK.map(lambda junk: json.dumps({"path": "/", "exception": junk}))))
def test_any_log_line_can_be_read(line):
    """A line that is no failure is none."""
    failure = failure_of_line(line)
    assert failure is None or failure.request[1] == "/"


@pytest.mark.parametrize(
    "report",
    [
        "",
        "<testsuites>",
        "<a/>",
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><testsuites><testcase name="&a;"/></testsuites>',
        "<!DOCTYPE x ["
        + "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
        + '<!ENTITY e0 "x">]><testsuites><testcase name="&e12;"/></testsuites>',
    ],
    ids=["empty", "cut", "other", "entity", "laughs"],
)
def test_a_hostile_test_report_names_no_test(report):
    """Neither broken nor booby-trapped reports bring anything in."""
    assert results.tests_of(report) == ((), ())


def test_skipped_tests_count_as_neither():
    """Passed, failed and broken are told apart."""
    cases = '<testcase classname="a" name="p"/>' + "".join(
        f'<testcase classname="a" name="{kind}"><{kind}/></testcase>' for kind in ("failure", "error", "skipped")
    )
    assert results.tests_of(f"<testsuites>{cases}</testsuites>") == (("a::p",), ("a::failure", "a::error"))
