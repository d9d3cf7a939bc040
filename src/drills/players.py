"""Who answers the alarm in a drill: the agent through its doors, or a baseline that needs no thought.

Baselines are what people do at first: nothing, restart, roll back the latest deploy, revert the newest commit that
touched a file of the newest traceback. The agent only observes beside them, to raise the alarm.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from .approval_policy import ApprovalPolicy
from .door import Door, Refused
from .drill import Unusable
from .record import AGENT, BASELINES
from .stage import Stage

PERSON: Final = "examiner"
BASELINE: Final = "baseline"
SETTLE_SECONDS: Final = 14.0  # after a baseline has acted, before it is looked at
_TAIL: Final = 400_000  # bytes of the log in which the newest traceback is looked for
_FRAME: Final = re.compile(r'File \\?"([^"\\]+)\\?", line \d+')


@dataclass(frozen=True)
class Given:
    """One answer that the examiner gave: to which kind of action, and whether it was a yes."""

    incident: str
    action: str
    yes: bool


class Player(Protocol):
    """Plays the incidents of a drill after the alarm."""

    autonomy: str
    given: list[Given]

    def look(self, incidents: Sequence[Mapping[str, Any]]) -> bool:
        """Do what is to be done now; whether it is over. Called again and again once there is an incident."""
        ...


class Agent:
    """The agent itself; its questions are answered as the policy says, each once, bound to what was asked."""

    autonomy = "approve"

    def __init__(self, door: Door, policy: ApprovalPolicy) -> None:
        self._door, self._policy = door, policy
        self._answered: set[str] = set()
        self.given: list[Given] = []

    def look(self, incidents: Sequence[Mapping[str, Any]]) -> bool:
        """Answer what waits for an answer; over when every incident has ended or is handed to people."""
        for incident in incidents:
            if incident.get("waiting") == "approval":
                self._answer(str(incident["id"]))
        return all(one["phase"] == "closed" or one.get("waiting") == "operator" for one in incidents)

    def _answer(self, incident_id: str) -> None:
        try:
            asked = (self._door.get(f"/incidents/{incident_id}").get("approvals") or [{}])[-1]
            subject, action = str(asked.get("subject", "")), str(asked.get("action", ""))
            if asked.get("id") in self._answered:
                return
            body: dict[str, Any] = {"by": PERSON, "subject": subject}
            yes = self._policy.allows(action)
            if not yes:
                body["comment"] = "the policy of this exam does not allow it"
            self._door.post(f"/incidents/{incident_id}/{'approve' if yes else 'reject'}", body)
            self._answered.add(str(asked.get("id")))
            self.given.append(Given(incident_id, action, yes))
        except Refused:
            return  # asked again at the next look


class Baseline:
    """One act as soon as the alarm comes, then nothing."""

    autonomy = "observe"

    def __init__(self, name: str, stage: Stage) -> None:
        self._name, self._stage = name, stage
        self._acted_at: float | None = None
        self.given: list[Given] = []

    def look(self, incidents: Sequence[Mapping[str, Any]]) -> bool:
        """Act once, then wait."""
        if self._acted_at is None:
            self.act()
            self._acted_at = time.monotonic()
        return bool(incidents) and time.monotonic() > self._acted_at + SETTLE_SECONDS

    def act(self) -> None:
        """Do the one thing that this baseline does; where it cannot be done, nothing."""
        stage = self._stage
        if self._name == "restart":
            stage.releases.restart(name="baseline-restart", by=BASELINE)
        elif self._name == "rollback":
            running, earlier = stage.releases.running(), stage.releases.before()
            if earlier is not None and earlier != running:
                stage.deploy(earlier, name=f"baseline-rollback-{earlier[:10]}", by=BASELINE, kind="rollback")
        elif self._name == "revert-frame":
            self._revert()

    def _revert(self) -> None:
        stage, head = self._stage, self._stage.history.tip()
        suspect = newest_touching(
            stage.history.touched(stage.history.baseline, head), newest_frames(stage.log_tail(_TAIL))
        )
        if suspect is None:
            return
        try:
            fixed = stage.history.reverted(head, suspect)
        except RuntimeError:
            return  # the revert conflicts: whoever does nothing else stops here
        stage.history.push(fixed)
        stage.deploy(fixed, name=f"baseline-revert-{fixed[:10]}", by=BASELINE)


def newest_frames(log: str) -> tuple[str, ...]:
    """The files of the newest traceback in a log, as JSON or plain text, innermost first."""
    start = log.rfind("Traceback (most recent call last)")
    found = _FRAME.findall(log[start:]) if start >= 0 else []
    return tuple(dict.fromkeys(reversed(found)))


def newest_touching(commits: Sequence[tuple[str, tuple[str, ...]]], files: Sequence[str]) -> str | None:
    """The newest commit that changed one of these files; ``commits`` are newest first."""
    for commit, touched in commits:
        if any(file.endswith("/" + path) for path in touched for file in files):
            return commit
    return None


def player(name: str, stage: Stage, door: Door, policy: ApprovalPolicy) -> Player:
    """The player of a name. Raises `Unusable`."""
    if name == AGENT:
        return Agent(door, policy)
    if name in BASELINES:
        return Baseline(name, stage)
    raise Unusable(f"a player is {AGENT} or one of {', '.join(BASELINES)}, not {name!r}")
