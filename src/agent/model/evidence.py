"""What was observed: evidence with its source and window, recorded exchanges, changes, and named gaps."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import AwareDatetime, JsonValue

from .record import Json, Record, Window

ChangeKind = Literal["commit", "deploy", "flag", "config"]


class Gap(Record):
    """Something that could not be observed, and why. A gap is shown, never silently skipped."""

    source: str
    reason: str


class Evidence(Record):
    """One observed fact with its source and time window."""

    id: str
    source: str
    kind: str
    window: Window
    summary: str
    data: Json = {}


class Frame(Record):
    """One stack frame; ``file`` is relative to the target's root."""

    file: str
    line: int
    function: str
    in_app: bool


class Signature(Record):
    """What makes two failures the same: exception type and in-app frames, without line numbers."""

    exception: str
    frames: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that name the signature."""
        text = "\n".join((self.exception, *self.frames))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @classmethod
    def of(cls, exception: str, frames: tuple[Frame, ...]) -> Signature:
        """The signature of one traceback (``file:function`` of its in-app frames, outermost first)."""
        names = tuple(f"{frame.file}:{frame.function}" for frame in frames if frame.in_app)
        return cls(exception=exception, frames=names)


class RecordedRequest(Record):
    """A request as the target's recorder wrote it, redacted; enough to send it again."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}
    body: str = ""
    body_encoding: Literal["utf-8", "base64"] = "utf-8"
    body_truncated: bool = False


class Exchange(Record):
    """One line of the target's request log."""

    timestamp: AwareDatetime
    route: str
    status: int
    duration_ms: float
    request: RecordedRequest | None = None
    replay_env: dict[str, str] = {}
    exception: str | None = None
    message: str = ""
    frames: tuple[Frame, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the service failed to answer (an unhandled exception or a 5xx)."""
        return self.status >= 500 or self.exception is not None  # noqa: PLR2004 - HTTP server errors

    @property
    def signature(self) -> Signature | None:
        """The failure's signature, or None when no exception was logged."""
        return None if self.exception is None else Signature.of(self.exception, self.frames)


class Spell(Record):
    """When and how often one kind of failure was seen."""

    first: AwareDatetime
    last: AwareDatetime
    count: int

    @property
    def gap(self) -> float:
        """Mean seconds from one to the next; 0 for a single one."""
        return (self.last - self.first).total_seconds() / max(1, self.count - 1)


class Series(Record):
    """A named time series: ``points`` are (seconds since the epoch, value), oldest first."""

    name: str
    labels: dict[str, str] = {}
    points: tuple[tuple[float, float], ...]


class Change(Record):
    """A commit, deploy, flag or configuration change; ``target`` is None where nobody said whose it is."""

    id: str
    kind: ChangeKind
    timestamp: AwareDatetime
    component: str
    author: str
    title: str
    files: tuple[str, ...] = ()
    diff: str | None = None
    commit: str | None = None
    target: str | None = None


class EvidenceSet(Record):
    """All that the collector brought back for one incident.

    ``commits`` are the target's commits newest first, starting at the running release; ``deploys`` newest first, and so
    are ``reported`` changes, which CI or people told the agent of.
    ``alerted_at`` is when the first alert began. ``spells`` tell, by the fingerprint of its signature, when and how often
    each of the failures was seen in all that was read of the log, which begins at ``log_begins``; ``course`` is the
    alert's signal over time. ``last_good`` is the newest deployed commit that ran before the onset, or None when there is
    none on record.
    """

    window: Window
    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[Gap, ...] = ()
    failing: tuple[Exchange, ...] = ()
    healthy: tuple[Exchange, ...] = ()
    series: tuple[Series, ...] = ()
    alerted_at: AwareDatetime | None = None
    spells: dict[str, Spell] = {}
    log_begins: AwareDatetime | None = None
    course: tuple[tuple[float, float], ...] = ()
    commits: tuple[Change, ...] = ()
    deploys: tuple[Change, ...] = ()
    reported: tuple[Change, ...] = ()
    running: str | None = None
    last_good: str | None = None
    health: JsonValue = None
    status: JsonValue = None
    seconds: float = 0.0
