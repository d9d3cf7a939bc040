"""Reproduction: the capsule, its oracle, and what one run of it in the sandbox showed."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Literal

from pydantic import JsonValue

from .evidence import RecordedRequest, Signature
from .record import Record, Sha


class Verdict(StrEnum):
    """What a run showed: the fault, its absence, or nothing that can be used."""

    RED = "red"
    GREEN = "green"
    UNTESTABLE = "untestable"


class Oracle(Record):
    """What decides red or green.

    Strong: a good release's answer compared field by field, an invariant, a metamorphic relation.
    Weak: only "no exception".
    """

    strength: Literal["strong", "weak"]
    name: str
    description: str


class Expectation(Record):
    """A good release's answer to one request: status and JSON body without the fields that vary by themselves."""

    status: int
    body: JsonValue


class SignalBound(Record):
    """A signal's limit inside the sandbox: red when the measured value is above ``limit``."""

    signal: str
    limit: float
    unit: str


class Capsule(Record):
    """Everything needed to rerun the incident: requests, clock and seed (as environment), release and lock.

    ``failing`` requests must show the fault, ``healthy`` ones of the same minute must not. ``repeat`` says how many
    times the requests are sent, ``soak_seconds`` how long the service runs meanwhile (signals need time).
    ``starts`` asks only whether the service comes up and answers its health check, which ``failing`` holds.
    ``expected`` are a good release's answers, in the order of ``failing`` then ``healthy``, when there is one.
    """

    id: str
    target: str
    signal: str
    commit: Sha
    reference: Sha | None = None
    failing: tuple[RecordedRequest, ...]
    healthy: tuple[RecordedRequest, ...] = ()
    env: dict[str, str] = {}
    repeat: int = 1
    soak_seconds: float = 0.0
    signature: Signature | None = None
    bound: SignalBound | None = None
    starts: bool = False
    expected: tuple[Expectation, ...] = ()
    oracle: Oracle
    lock_hash: str
    gaps: tuple[str, ...] = ()

    @property
    def answers_only(self) -> bool:
        """Whether a good release's answers are all that tells red from green."""
        return bool(self.expected) and self.signature is None and self.bound is None


class Run(Record):
    """One run of a capsule at one commit, with a patch or without."""

    commit: str
    patch_hash: str | None = None
    verdict: Verdict
    reason: str
    measured: dict[str, float] = {}
    seconds: float


class Experiment(Record):
    """Something run to confirm or refute a hypothesis, as shown to people."""

    id: str
    question: str
    runs: tuple[Run, ...]
    conclusion: str
    seconds: float


def digest(text: str) -> str:
    """The hash that approvals and proofs are bound to (SHA-256, hex)."""
    return hashlib.sha256(text.encode()).hexdigest()
