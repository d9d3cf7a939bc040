"""What one run of a capsule in the sandbox gave, before anybody judged it."""

from __future__ import annotations

from pydantic import JsonValue

from .evidence import Signature
from .record import Record


class Answer(Record):
    """The service's answer to one replayed request. ``body`` is parsed JSON, or text where it is not JSON."""

    status: int
    body: JsonValue
    duration_ms: float
    signature: Signature | None = None


class Replay(Record):
    """One sandboxed run: did the service start, what did it answer, what did its own metrics say.

    ``answers`` are in the order of the capsule's ``failing`` then ``healthy`` requests: of each its last failure, or its
    last answer where it never failed.
    ``failures`` counts 5xx or dropped answers per request over all repetitions, in the same order.
    ``measured`` maps signal names to values (error_ratio 0..1, latency_p95 s, mae_ratio, data_age s,
    memory_growth MiB per 100 requests, rss MiB).
    """

    started: bool
    answers: tuple[Answer, ...] = ()
    failures: tuple[int, ...] = ()
    repetitions: int = 0
    measured: dict[str, float] = {}
    problem: str = ""
    startup_signature: Signature | None = None
    seconds: float = 0.0


class SuiteResult(Record):
    """The target's own test suite at one commit: names of tests by how they ended."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    finished: bool
    detail: str = ""
    seconds: float = 0.0
