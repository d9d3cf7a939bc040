"""Nobody waits for what does not end."""

from __future__ import annotations

import contextvars
import threading
import time

import pytest

from agent.kit.deadline import within

WHO = contextvars.ContextVar("WHO", default="nobody")


def test_a_result_and_an_error_come_through():
    """As if it had been called here, context variables too."""
    token = WHO.set("ines")
    assert within(5, WHO.get) == "ines"
    WHO.reset(token)
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 / 0)


def test_what_takes_too_long_is_left():
    """In time, and in a thread that keeps no process alive."""
    ended = threading.Event()
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"longer than 0\.1 s"):
        within(0.1, lambda: ended.wait(30))
    assert time.monotonic() - began < 5
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "within")
    ended.set()


def test_no_time_is_no_time():
    """A deadline that has passed lets nothing through but does not hang."""
    with pytest.raises(TimeoutError):
        within(-1, lambda: time.sleep(0.2))
