"""One drill, staged once: calm, what goes wrong, what the player does, and what is true at the end.

The agent is reached through its doors only, and its word is taken for nothing that can be looked at from outside: the
target's health, the commit that runs, the main branch, the deployments, the audit trail, and the acceptance tests.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from . import check, inquest
from .approval_policy import ApprovalPolicy
from .door import Door, Refused
from .drill import Drill
from .injection import timeline
from .meter import Meter
from .players import player
from .record import AGENT, Result
from .stage import Stage

CALM: Final = 8.0  # seconds before the first fault, and up to one more: no drill knows where a scrape falls
SIGNAL_SECONDS: Final = 75.0  # an alarm that did not come by then does not come
QUIET_SECONDS: Final = 25.0  # how long is watched where no alarm is due
INCIDENT_SECONDS: Final = 240.0
LOOK_SECONDS: Final = 8.0  # of traffic behind the last look
ACCEPTANCE_SECONDS: Final = 60.0
_SIGNALS: Final = ("mae_ratio", "data_age")
_TICK: Final = 0.25


class Exam:
    """Sits one drill on one stage that was built and started."""

    def __init__(
        self, stage: Stage, drill: Drill, *, player_name: str = AGENT, policy: ApprovalPolicy, alarm_only: bool = False
    ) -> None:
        self._stage, self._drill, self._alarm_only = stage, drill, alarm_only
        self._meter = Meter(stage.target_url, stage.traffic_file)
        self._door: Door = stage.door()
        self._player = player(player_name, stage, self._door, policy)
        self._moments = timeline(drill)
        self._result = Result(drill.name, drill.family, player=player_name, target=stage.target_name)
        self._began = 0.0

    def sit(self) -> Result:
        """Everything, in order. Raises what a stage that breaks raises."""
        calm_from = time.time()
        idle(self._meter, CALM + random.Random().random())
        started = time.time()
        self._began = started + min(moment.after for moment in self._moments if moment.fault)
        ended = self._follow(started)
        self._result.stages["calm"] = started - calm_from
        if not self._alarm_only:
            if ended:
                self._testify(ended)
            idle(self._meter, LOOK_SECONDS)
            self._look(calm_from, started)
        return self._result

    def close(self) -> None:
        """Close the connections."""
        self._door.close()
        self._meter.close()

    # -- what goes wrong, and what the player does -----------------------------------------------------------------

    def _follow(self, started: float) -> Sequence[Mapping[str, Any]]:
        """Until it is over; returns the incidents, none when there was no alarm or no end."""
        waiting, last = list(self._moments), started + self._moments[-1].after
        due = self._drill.expect.alert
        patience = SIGNAL_SECONDS if due == "yes" else QUIET_SECONDS
        while True:
            while waiting and time.time() >= started + waiting[0].after:
                waiting.pop(0).act(self._stage)
            idle(self._meter, _TICK)
            incidents = self._incidents(started)
            over = bool(incidents) and self._player.look(incidents) and not waiting
            now = time.time()
            if over and (due != "no" or now > last + patience):
                return incidents
            if self._alarm_only and incidents and not waiting:
                return incidents
            if not waiting and not incidents and now > last + patience:
                self._result.problem = f"no alarm within {patience:.0f} s" if due == "yes" else ""
                return ()
            if now > last + INCIDENT_SECONDS:
                self._result.problem = f"not ended within {INCIDENT_SECONDS:.0f} s"
                return incidents

    def _incidents(self, started: float) -> list[Mapping[str, Any]]:
        try:
            found = [one for one in self._door.incidents() if inquest.at(one["opened_at"]) >= started]
        except Refused:
            return []
        self._result.incidents = len(found)
        if found and self._result.alert_seconds is None:
            self._result.alert_seconds = min(inquest.at(one["opened_at"]) for one in found) - self._began
            self._result.stages["detection"] = max(self._result.alert_seconds, 0.0)
        return found

    def _testify(self, incidents: Sequence[Mapping[str, Any]]) -> None:
        """What the agent says. A baseline says nothing, it has only acted."""
        if self._result.player != AGENT:
            return
        incident, documents = inquest.furthest(self._door, incidents)
        inquest.take_down(self._result, incident, documents, self._began)
        self._result.stages |= inquest.stage_seconds(inquest.entries(self._door), str(incident["id"]))

    # -- what is true at the end -------------------------------------------------------------------------------------

    def _look(self, calm_from: float, started: float) -> None:
        began, result, history = time.time(), self._result, self._stage.history
        result.findings = findings(self._meter, (calm_from, started), (began - LOOK_SECONDS, began))
        result.culprits, result.decoys = list(history.culprits), list(history.decoys)
        result.deployed = self._meter.running()
        result.merged = history.merges()
        result.actions = inquest.actions(self._stage, result.merged)
        if result.player == AGENT:
            result.trail = inquest.discrepancies(self._stage, self._door, inquest.entries(self._door), result.merged)
        result.acceptance = accept(self._stage, self._drill)
        result.stages["look"] = LOOK_SECONDS + time.time() - began


def findings(meter: Meter, calm: tuple[float, float], now: tuple[float, float]) -> list[check.Finding]:
    """The examiner's own look: its traffic's answers and the target's signals, in the calm and now (epoch seconds)."""
    before, after = meter.answers(*calm), meter.answers(*now)
    found = [check.enough(after), check.errors(before, after), check.latency(before, after)]
    return found + [
        check.back_to_normal(name, meter.between(name, *calm), meter.between(name, *now)) for name in _SIGNALS
    ]


def accept(stage: Stage, drill: Drill) -> str:
    """``passed``, ``failed: …`` or ``none``: the drill's own tests, on the code that runs now."""
    if drill.acceptance is None:
        return "none"
    argv = [str(stage.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", str(drill.acceptance)]
    env = {**stage.target_environment, "TARGET_URL": stage.target_url, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            argv,
            cwd=stage.releases.current.resolve(),
            env=env,
            capture_output=True,
            text=True,
            timeout=ACCEPTANCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"failed: not done within {ACCEPTANCE_SECONDS:.0f} s"
    last = (done.stdout.strip().splitlines() or [done.stderr.strip()[-200:] or "nothing was said"])[-1]
    return "passed" if done.returncode == 0 else f"failed: {last}"


def idle(meter: Meter, seconds: float) -> None:
    """Keep measuring for a while, once a second."""
    deadline = time.monotonic() + seconds
    while True:
        if not meter.readings or time.time() - meter.readings[-1].at >= 1.0:
            meter.sample()
        left = deadline - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(1.0, left))
