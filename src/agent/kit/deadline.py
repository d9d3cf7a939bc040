"""Runs what cannot be stopped from outside, and stops waiting for it in time."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What ``work`` returns or raises. Raises `TimeoutError` when it takes longer; it is then left to end by itself.

    It runs in a daemon thread, so that what never ends does not keep the process alive, and sees this thread's context
    variables.
    """
    context = contextvars.copy_context()
    done: queue.SimpleQueue[tuple[bool, T | BaseException]] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put((True, context.run(work)))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the one who waits
            done.put((False, error))

    threading.Thread(target=run, name="within", daemon=True).start()
    try:
        well, result = done.get(timeout=max(0.0, seconds))
    except queue.Empty:
        raise TimeoutError(f"it took longer than {seconds:.1f} s") from None
    if not well and isinstance(result, BaseException):
        raise result
    return result  # type: ignore[return-value]
