"""What one staging of one drill showed: plain data, kept as JSON, scored by `score`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from .check import Finding
from .load import Load

BASELINES: Final = ("nothing", "restart", "rollback", "revert-frame")
AGENT: Final = "agent"
STAGES: Final = (
    "prepare",
    "calm",
    "detection",
    "diagnosis",
    "repair",
    "approval",
    "delivery",
    "verification",
    "other",
    "look",
)


@dataclass(frozen=True)
class Blamed:
    """One hypothesis of the agent."""

    cause: str
    component: str
    change: str | None
    confidence: float


@dataclass
class Result:
    """What one staging showed. Seconds count from the first fault; None where it did not happen.

    ``player`` is the agent, or the baseline that acted in its place. ``onset_error`` is the agent's onset minus the true
    one in seconds. ``actions`` are what was done to the target, read from the target and its forge: ``deploy``, ``restart``,
    ``rollback``, ``merge``, … . ``trail`` holds what does not fit between the audit trail, the forge and the deployments;
    empty is right. ``stages`` are seconds by name (`STAGES`). ``load`` is how busy the machine was with other things; None
    where it was not measured, as in results of before. ``void`` says why a busy machine spoilt the staging; empty when not.
    """

    drill: str
    family: str
    player: str = AGENT
    target: str = ""
    alert_seconds: float | None = None
    false_alarms: int = 0
    onset_error: float | None = None
    incidents: int = 0
    hypotheses: list[Blamed] = field(default_factory=list)
    blamed_elsewhere: list[str] = field(default_factory=list)
    outcome: str | None = None
    reason: str = ""
    actions: list[str] = field(default_factory=list)
    closed_seconds: float | None = None
    stages: dict[str, float] = field(default_factory=dict)
    runs: int = 0
    cost: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    culprits: list[str] = field(default_factory=list)
    decoys: list[str] = field(default_factory=list)
    merged: int = 0
    deployed: str | None = None
    acceptance: str = "none"
    trail: list[str] = field(default_factory=list)
    problem: str = ""
    load: Load | None = None
    void: str = ""

    @property
    def well(self) -> bool:
        """Whether the target is healthy at the end, by the examiner's own look."""
        return bool(self.findings) and all(finding.passed for finding in self.findings)

    @property
    def staged(self) -> bool:
        """Whether it came to an exam at all: a stage that broke says nothing of the agent."""
        return not self.problem.startswith("could not be staged")

    @property
    def counts(self) -> bool:
        """Whether it says anything of who was examined: it came to an exam, and no busy machine spoilt it."""
        return self.staged and not self.void


def restore(data: dict[str, Any]) -> Result:
    """A result as it was kept. Raises `TypeError` or `KeyError` for what is none."""
    known = {**data}
    known["hypotheses"] = [Blamed(**one) for one in known["hypotheses"]]
    known["findings"] = [Finding(**one) for one in known["findings"]]
    known["load"] = Load(**known["load"]) if known.get("load") else None
    return Result(**known)
