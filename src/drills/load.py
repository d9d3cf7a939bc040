"""How busy the machine was with other things while a drill was staged, and whether that may have changed what it showed.

Measured is the share of CPU time that processes outside the staging's own tree took, and what a hypervisor took from the
machine. Neither the load average nor the kernel's pressure would do: both count the staging itself, and an agent, or a
fault, that burns the CPU must not excuse itself by it. Another staging beside it counts as others: it takes as much.

What cannot be told: a process that ended, and that no process of the staging waited for, seems to be somebody else's for
the moment in which it was measured last. That is why only ten seconds and more are looked at.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .processes import Processes

WINDOW: Final = 10.0  # seconds over which a share is meant
MOST_OTHERS: Final = 0.6  # of all CPU time, above which a staging may get too little
FEWEST_CPUS: Final = 1.5  # left to a staging: the target and one run in the sandbox; more than that is enough
_EVERY: Final = 2.0  # seconds
_STAT: Final = Path("/proc/stat")
_BUSY: Final = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, steal; 3 and 4 are idle and waiting for a disk


@dataclass(frozen=True)
class Load:
    """What others took of the CPU time of a staging, as shares of 0..1: on the mean, and in its busiest ten seconds.

    ``cpus`` is how many the staging could run on.
    """

    cpus: int
    others: float
    busiest: float

    @property
    def overloaded(self) -> bool:
        """Whether the busiest ten seconds left less than a staging needs."""
        return too_much(self.busiest, self.cpus)


@dataclass(frozen=True)
class Sample:
    """Counted from the beginning: CPU ticks that there were, and that others took, up to ``at`` (epoch seconds)."""

    at: float
    all: int
    others: int


def too_much(others: float, cpus: int) -> bool:
    """Whether this share of so many CPUs leaves less than a staging needs."""
    return others > MOST_OTHERS and cpus * (1 - others) < FEWEST_CPUS


class Watch:
    """Measures every two seconds, in a thread of its own, until it is closed; ``processes`` are the staging's own."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._cpus = os.sched_getaffinity(0)
        self._over = threading.Event()
        self._samples: list[Sample] = []
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Measure no more."""
        self._over.set()
        self._thread.join()

    def load(self) -> Load | None:
        """All that was measured; None where the machine does not tell."""
        return summary(self._samples, len(self._cpus))

    def overloaded(self, since: float, until: float) -> bool:
        """Whether others took too much in any ten seconds that overlap these (epoch seconds)."""
        shares = windows([*self._samples], since, until)
        return any(too_much(one, len(self._cpus)) for one in shares)

    def _run(self) -> None:
        last: tuple[int, int, int] | None = None
        while True:
            now = self._measured()
            if now is None:
                return
            before = self._samples[-1] if self._samples else Sample(0.0, 0, 0)
            every, busy, own = (a - b for a, b in zip(now, last, strict=True)) if last else (0, 0, 0)
            others = max(0, busy - max(0, own))
            self._samples.append(Sample(time.time(), before.all + every, before.others + others))
            last = now
            if self._over.wait(_EVERY):
                return

    def _measured(self) -> tuple[int, int, int] | None:
        """Ticks since boot on our CPUs: all, those not idle, and the staging's own."""
        try:
            text = _STAT.read_text(encoding="ascii")
        except OSError:
            return None
        every, busy = ticks(text, self._cpus)
        return every, busy, self._processes.ticks()


def ticks(text: str, cpus: set[int]) -> tuple[int, int]:
    """All ticks, and those that were not idle, of these CPUs in the text of /proc/stat."""
    wanted = {f"cpu{number}" for number in cpus}
    lines = (line.split() for line in text.splitlines())
    rows = [[int(one) for one in fields[1:9]] for fields in lines if fields and fields[0] in wanted]
    return sum(map(sum, rows)), sum(row[place] for row in rows for place in _BUSY)


def windows(samples: Sequence[Sample], since: float, until: float) -> list[float]:
    """What share others took in every ten seconds that overlap ``since`` to ``until``; all of it where there are fewer."""
    found, end = [], 0
    for start, first in enumerate(samples):
        while end < len(samples) - 1 and samples[end].at - first.at < WINDOW:
            end += 1
        last = samples[end]
        whole = last.at - first.at >= WINDOW or start == 0
        if whole and last.all > first.all and first.at <= until and last.at >= since:
            found.append((last.others - first.others) / (last.all - first.all))
    return found


def summary(samples: Sequence[Sample], cpus: int) -> Load | None:
    """The mean and the busiest ten seconds; None where nothing was measured."""
    if not samples or samples[-1].all <= samples[0].all:
        return None
    mean = (samples[-1].others - samples[0].others) / (samples[-1].all - samples[0].all)
    busiest = max(windows(samples, samples[0].at, samples[-1].at), default=mean)
    return Load(cpus, round(mean, 3), round(busiest, 3))
