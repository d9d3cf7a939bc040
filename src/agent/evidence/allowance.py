"""What one look at a source may cost, shared by all its queries, and the gaps that come of it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

from ..errors import Permanent
from ..kit.redact import fence
from ..model.evidence import Gap

MOST_GAPS: Final = 25
LONGEST_REASON: Final = 400
MOST_FAILURES: Final = 2  # queries in a row without an answer: then the server is taken for gone
MEGABYTE: Final = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds of one look; ``seconds`` in all and for one query, bytes of all answers."""

    seconds: float = 2.8
    seconds_a_query: float = 2.0
    queries: int = 80
    bytes: int = 32 * MEGABYTE
    series: int = 400
    points: int = 600
    lines: int = 4_000


class Spent(Permanent):
    """The look has used what it may use; the message says of what."""


class Allowance:
    """What is left of the limits. Queries on several threads share it."""

    def __init__(self, source: str, limits: Limits) -> None:
        self.limits, self._source = limits, source
        self._lock = threading.Lock()
        self._deadline = time.monotonic() + limits.seconds
        self._queries, self._bytes, self._failures = limits.queries, limits.bytes, 0
        self._gaps: dict[str, None] = {}
        self._more = 0

    def take(self) -> tuple[float, int]:
        """Seconds and bytes for one more query. Raises `Spent`."""
        with self._lock:
            seconds = min(self._deadline - time.monotonic(), self.limits.seconds_a_query)
            if self._failures >= MOST_FAILURES:
                raise Spent("it does not answer: nothing more was asked")
            if seconds <= 0:
                raise Spent(f"after {self.limits.seconds:g} s the rest was not asked")
            if self._queries <= 0:
                raise Spent(f"after {self.limits.queries} queries the rest was not asked")
            if self._bytes <= 0:
                raise Spent(f"after {self.limits.bytes} bytes the rest was not asked")
            self._queries -= 1
            return seconds, self._bytes

    def answered(self, size: int) -> None:
        """An answer came, of so many bytes."""
        with self._lock:
            self._bytes -= size
            self._failures = 0

    def failed(self) -> None:
        """No answer came."""
        with self._lock:
            self._failures += 1

    def gap(self, reason: str) -> None:
        """Name what is missing, once; the text may quote anybody."""
        text = fence(reason, LONGEST_REASON)
        with self._lock:
            if text in self._gaps:
                return
            if len(self._gaps) >= MOST_GAPS:
                self._more += 1
            else:
                self._gaps[text] = None

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """All of them, and how many more there were."""
        told = [*self._gaps, *([f"{self._more} more of the kind"] if self._more else [])]
        return tuple(Gap(source=self._source, reason=reason) for reason in told)
