"""What a report of the drills holds: plain records, the shape of ``report --format json`` (docs/drills-report.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .compare import Comparison
from .tally import Share


@dataclass(frozen=True)
class Setting:
    """What was examined, and where. ``when`` is the time of the newest result, UTC."""

    agent: str
    policy: str
    stack: str
    machine: str
    cores: int
    when: str


@dataclass(frozen=True)
class Named:
    """A drill or file that is not in the counts, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Unsat:
    """A drill that the agent has not sat yet."""

    name: str
    family: str
    title: str


@dataclass(frozen=True)
class Head:
    """What the counts are of. ``silent`` drills raised no alarm where one was due.

    ``unchecked`` are in the counts although no stage-check has shown that they are fair questions; ``broken_seals`` are
    counted as open ones. ``void`` stagings, by drill, say nothing: the machine was too busy.
    """

    setting: Setting
    drills: int
    repetitions: int
    families: int
    open: int
    sealed: int
    without_code_cause: int
    with_decoys: int
    bare_request_shows_nothing: int
    second_target: int
    silent: tuple[str, ...]
    discarded: tuple[Named, ...]
    unreadable: tuple[Named, ...]
    missing: tuple[Unsat, ...]
    outdated: int
    unchecked: tuple[str, ...]
    broken_seals: tuple[str, ...]
    void: Mapping[str, int]


@dataclass(frozen=True)
class Question:
    """One question over all drills that ask it; ``verdict`` is met, missed, not shown, or empty without a bar."""

    name: str
    share: Share
    bar: float | None
    verdict: str


@dataclass(frozen=True)
class Family:
    """The drills of one family; ``ends_well`` by player."""

    name: str
    drills: int
    questions: Mapping[str, Share]
    ends_well: Mapping[str, Share]


@dataclass(frozen=True)
class Paired:
    """The agent beside another player, on the drills that both sat: how many end well with whom.

    ``agent`` and ``agent_harm`` are the agent's own shares of these drills only.
    """

    both: int
    agent_only: int
    other_only: int
    neither: int
    p: float
    agent: Share
    agent_harm: Share


@dataclass(frozen=True)
class Timed:
    """Seconds from the fault to the end of ``count`` drills: the median with its 90% interval, where there are enough."""

    count: int
    median_seconds: float | None
    low_seconds: float | None
    high_seconds: float | None


@dataclass(frozen=True)
class Player:
    """What one player comes to. ``times`` are by kind of end (`tally.ENDINGS`); who has no incident has no end."""

    name: str
    ends_well: Share
    harm: Share
    times: Mapping[str, Timed]
    paired: Paired | None


@dataclass(frozen=True)
class Standing:
    """How the service stands where the agent's last word was ``as_expected`` (None: not asked), in drills."""

    as_expected: bool | None
    ends_well: int
    acceptance_fails: int
    not_well: int


@dataclass(frozen=True)
class Distance:
    """A difference of two shares with its two-sided 90% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Gap:
    """One question among two groups of drills: ``gap`` is the second share less the first."""

    name: str
    first: Share
    second: Share
    gap: Distance | None


@dataclass(frozen=True)
class Stage:
    """Seconds of one stage over the drills that have it; ``of_a_minute`` is its part of sixty seconds of all stages."""

    name: str
    drills: int
    median_seconds: float
    p90_seconds: float
    total_seconds: float
    of_a_minute_seconds: float


@dataclass(frozen=True)
class Point:
    """One question of one drill in words: what was ``expected``, and what was ``said`` or seen; ``right`` None: not asked."""

    question: str
    expected: str
    said: str
    right: bool | None


@dataclass(frozen=True)
class Guess:
    """One hypothesis of the agent; ``change`` in words: the fault's commit, a decoy, another, or none."""

    cause: str
    component: str
    change: str
    confidence: float


@dataclass(frozen=True)
class Seen:
    """One thing that the examiner looked at in the end."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Staging:
    """How one staging of a drill ended; ``counts`` marks the one that stands for all."""

    number: int
    counts: bool
    outcome: str
    ends_well: bool
    acceptance: str
    harm: str
    alarm_seconds: float | None
    end_seconds: float | None


@dataclass(frozen=True)
class DrillRow:
    """One drill: what the agent said and did, by the staging that counts. ``ends_well`` is by player."""

    name: str
    title: str
    family: str
    target: str
    sealed: bool
    answers: Mapping[str, bool | None]
    points: tuple[Point, ...]
    guesses: tuple[Guess, ...]
    seen: tuple[Seen, ...]
    stagings: tuple[Staging, ...]
    ends_well: Mapping[str, bool]
    alarm_seconds: float | None
    outcome: str
    ending: str
    acceptance: str
    harm: str
    end_seconds: float | None
    reason: str
    stages_seconds: Mapping[str, float]


@dataclass(frozen=True)
class Twins:
    """Two drills with one symptom and two kinds of cause: of which the first hypothesis had the cause right."""

    first: str
    second: str
    right: str  # both, one, none


@dataclass(frozen=True)
class Report:
    """The whole document."""

    head: Head
    players: tuple[Player, ...]
    standings: tuple[Standing, ...]
    questions: tuple[Question, ...]
    brier: float | None
    brier_count: int
    patches: Mapping[str, Mapping[str, int]]
    families: tuple[Family, ...]
    sealed: tuple[Gap, ...]
    targets: tuple[Gap, ...]
    twins: tuple[Twins, ...]
    stages: tuple[Stage, ...]
    largest: tuple[str, ...]
    agreement: Share
    drills: tuple[DrillRow, ...]
    comparison: Comparison | None = None
