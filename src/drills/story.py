"""What happened so far, read from the agent's audit entries and documents: pure, tolerant of what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

TOTAL_LIMIT: Final = 90.0  # seconds from fault to verified fix, on 2 cores
SHARE_LIMIT: Final = 20.0  # seconds of it that are the agent's own
_PHASES: Final = ("investigate", "repair", "deliver", "verify", "conclude")


@dataclass(frozen=True)
class Event:
    """One audit entry as the agent's public door gives it; ``at`` is epoch seconds."""

    seq: int
    at: float
    kind: str
    message: str
    data: Mapping[str, Any]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Event:
        """Read one entry. Raises `KeyError` or `ValueError` when it is none."""
        return cls(
            seq=int(raw["seq"]),
            at=datetime.fromisoformat(str(raw["at"])).timestamp(),
            kind=str(raw["kind"]),
            message=str(raw.get("message", "")),
            data=raw.get("data") or {},
        )


@dataclass(frozen=True)
class Stage:
    """One closing line: what it was, and how long it took in seconds."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Account:
    """Where the time from fault to verified fix went, in seconds."""

    total: float
    signal: float
    environment: float
    own_tests: float
    window: float
    person: float

    @property
    def share(self) -> float:
        """The agent's own share: everything but the waits that are not in its hands."""
        waits = self.signal + self.environment + self.own_tests + self.window + self.person
        return max(0.0, self.total - waits)

    @property
    def within(self) -> bool:
        """Whether both limits were kept; the time a person took to answer counts against neither."""
        return self.total - self.person <= TOTAL_LIMIT and self.share <= SHARE_LIMIT


@dataclass
class Story:
    """The incident as it unfolds.

    ``fault_at`` is when the fault went live (epoch seconds). Where a person answers, the time that takes is a wait of
    its own; an answer by program counts as the agent's.
    """

    fault_at: float
    person_answers: bool = False
    events: list[Event] = field(default_factory=list)
    incident: Mapping[str, Any] = field(default_factory=dict)
    documents: Mapping[str, Any] = field(default_factory=dict)

    def add(self, events: Iterable[Event]) -> list[Event]:
        """Take in entries; returns those not seen before, oldest first."""
        seen = {event.seq for event in self.events}
        fresh = sorted((each for each in events if each.seq not in seen), key=lambda each: each.seq)
        self.events = sorted((*self.events, *fresh), key=lambda each: each.seq)
        return fresh

    def decided(self, subject: str) -> bool:
        """Whether a question was answered."""
        return any(event.kind == "approval.decided" and event.data.get("subject") == subject for event in self.events)

    def first(self, kind: str, phase: str | None = None) -> Event | None:
        """The first entry of a kind (and phase)."""
        return next(self._of(kind, phase), None)

    def last(self, kind: str, phase: str | None = None) -> Event | None:
        """The last entry of a kind (and phase)."""
        return next(iter([*self._of(kind, phase)][::-1]), None)

    @property
    def closed(self) -> bool:
        """Whether the incident has ended."""
        return self.first("incident.closed") is not None or self.incident.get("phase") == "closed"

    @property
    def outcome(self) -> str | None:
        """How it ended, None before."""
        outcome = self.incident.get("outcome")
        return None if outcome is None else str(outcome)

    @property
    def phase(self) -> str:
        """Where the incident stands."""
        waiting = self.incident.get("waiting")
        phase = str(self.incident.get("phase") or "waiting for the signal")
        return f"{phase}, waiting for {waiting}" if waiting else phase

    def stages(self) -> list[Stage]:
        """The signal's arrival and every phase that ran, in order, with the seconds from its start to the next one."""
        marks = [("signal", self.fault_at)]
        for phase in _PHASES:
            begun = self.first("phase.started", phase) or (
                self.first("incident.opened") if phase == "investigate" else None
            )
            if begun is not None:
                marks.append((phase, begun.at))
        ends = [at for _, at in marks[1:]] + [self._end()]
        return [Stage(name, max(0.0, end - at)) for (name, at), end in zip(marks, ends, strict=True)]

    def account(self) -> Account:
        """Where the time went."""
        opened = self.first("incident.opened") or self.first("alert.received")
        signal = 0.0 if opened is None else opened.at - self.fault_at
        return Account(
            total=self._end() - self.fault_at,
            signal=max(0.0, signal),
            environment=sum(float(each.data.get("seconds", 0.0)) for each in self._of("environment.built")),
            own_tests=float((self.documents.get("proposal") or {}).get("own_tests_seconds") or 0.0),
            window=self._window(),
            person=self._person() if self.person_answers else 0.0,
        )

    def _of(self, kind: str, phase: str | None = None) -> Iterator[Event]:
        return (each for each in self.events if each.kind == kind and phase in {None, each.data.get("phase")})

    def _end(self) -> float:
        closed = self.first("incident.closed")
        if closed is not None:
            return closed.at
        if self.incident.get("closed_at"):
            return datetime.fromisoformat(str(self.incident["closed_at"])).timestamp()
        return self.events[-1].at if self.events else self.fault_at

    def _window(self) -> float:
        """From the start of watching to the last look at production."""
        observations = (self.documents.get("verification") or {}).get("observations") or ()
        looks = [datetime.fromisoformat(str(each["at"])).timestamp() for each in observations if each.get("at")]
        looks += [event.at for event in self._of("verification.observed")]
        begun = self.first("phase.started", "verify")
        return 0.0 if begun is None or not looks else max(0.0, max(looks) - begun.at)

    def _person(self) -> float:
        asked, answered = self.first("approval.requested"), self.last("approval.decided")
        return 0.0 if asked is None or answered is None else max(0.0, answered.at - asked.at)
