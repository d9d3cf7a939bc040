"""Runs small named jobs in one background thread, each at its own interval."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

logger = logging.getLogger("market_predictor.scheduler")


@dataclass(frozen=True)
class Job:
    """``work`` is done every ``seconds``, first when the scheduler starts."""

    name: str
    seconds: float
    work: Callable[[], object]


class Scheduler:
    """``succeeded`` and ``failed`` are told the job's name. A job that raises is logged and tried again next time."""

    def __init__(self, jobs: Sequence[Job], succeeded: Callable[[str], None], failed: Callable[[str], None]) -> None:
        self._jobs = list(jobs)
        self._succeeded, self._failed = succeeded, failed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        """Begin; to be called once."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Begin nothing new, and wait for the job under way, but not for ever."""
        self._stopping.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        due = {job.name: time.monotonic() for job in self._jobs}
        while not self._stopping.is_set():
            for job in self._jobs:
                if time.monotonic() >= due[job.name] and not self._stopping.is_set():
                    self._do(job)
                    due[job.name] = time.monotonic() + job.seconds
            self._stopping.wait(max(min(due.values()) - time.monotonic(), 0.0))

    def _do(self, job: Job) -> None:
        try:
            job.work()
        except Exception:
            logger.exception("scheduler: %s failed, it is tried again in %g s", job.name, job.seconds)
            self._failed(job.name)
        else:
            self._succeeded(job.name)
