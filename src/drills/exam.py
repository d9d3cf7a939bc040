"""One drill, staged once: calm, what goes wrong, what the agent does, and what is true at the end.

The agent is reached through its doors only, and its word is taken for nothing that can be looked at from outside: the
target's health, the commit that runs, the main branch, and the acceptance tests.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from . import check
from .door import Door, Refused
from .drill import Drill, Fault
from .injection import inject
from .meter import Meter
from .record import Blamed, Result
from .stage import Stage

CALM: Final = 8.0  # seconds before the first fault
SIGNAL_SECONDS: Final = 75.0  # an alarm that did not come by then does not come
QUIET_SECONDS: Final = 25.0  # how long a drill without a fault is watched
INCIDENT_SECONDS: Final = 240.0
LOOK_SECONDS: Final = 6.0  # of traffic behind the last look
ACCEPTANCE_SECONDS: Final = 180.0
_TICK: Final = 0.25
_PERSON: Final = "examiner"


class Exam:
    """Sits one drill on one stage that was built and started."""

    def __init__(self, stage: Stage, drill: Drill) -> None:
        self._stage, self._drill = stage, drill
        self._meter = Meter(stage.target_url, stage.traffic_file)
        self._door: Door = stage.door()
        self._answered: set[str] = set()
        self._result = Result(drill.name, drill.family)

    def sit(self) -> Result:
        """Everything, in order. Raises what a stage that breaks raises."""
        calm_from = time.time()
        self._idle(CALM)
        began = time.time()
        self._result.incidents = -len(self._incidents())
        self._follow(began)
        self._idle(LOOK_SECONDS)
        self._look(calm_from, began)
        return self._result

    def close(self) -> None:
        """Close the connections."""
        self._door.close()
        self._meter.close()

    # -- what goes wrong, and what the agent does ------------------------------------------------------------------

    def _follow(self, began: float) -> None:
        waiting = sorted(self._drill.faults, key=lambda fault: fault.after)
        last = began + waiting[-1].after
        silent = all(fault.kind == "none" for fault in waiting)
        patience = QUIET_SECONDS if silent else SIGNAL_SECONDS
        while True:
            self._inject(waiting, began)
            ended = self._step(began)
            now = time.time()
            if not waiting and ended and now > last + (patience if silent else 0.0):
                return
            if not waiting and self._result.alert_seconds is None and now > last + patience:
                self._result.problem = "" if silent else f"no alarm within {patience:.0f} s"
                return
            if now > last + INCIDENT_SECONDS:
                self._result.problem = f"not ended within {INCIDENT_SECONDS:.0f} s"
                return

    def _inject(self, waiting: list[Fault], began: float) -> None:
        while waiting and time.time() >= began + waiting[0].after:
            inject(self._stage, waiting.pop(0))

    def _step(self, began: float) -> bool:
        """One look at the agent; whether every incident since the fault has ended."""
        self._idle(_TICK)
        incidents = [one for one in self._incidents() if _at(one["opened_at"]) >= began]
        self._result.incidents = len(incidents)
        if incidents and self._result.alert_seconds is None:
            self._result.alert_seconds = min(_at(one["opened_at"]) for one in incidents) - began
        for incident in incidents:
            if incident.get("waiting") == "approval":
                self._approve(str(incident["id"]))
        handed = [one for one in incidents if one["phase"] == "closed" or one.get("waiting") == "operator"]
        if not incidents or len(handed) < len(incidents):
            return False
        self._read(incidents, began)
        return True

    def _approve(self, incident_id: str) -> None:
        """As the policy of an exam says: every question is answered with yes, bound to what was asked."""
        try:
            asked = (self._door.get(f"/incidents/{incident_id}").get("approvals") or [{}])[-1]
            subject = str(asked.get("subject", ""))
            if subject not in self._answered:
                self._door.post(f"/incidents/{incident_id}/approve", {"by": _PERSON, "subject": subject})
                self._answered.add(subject)
        except Refused:
            return  # asked again at the next look

    def _read(self, incidents: list[Mapping[str, Any]], began: float) -> None:
        """What the agent says of the incident that it took furthest."""
        result, chosen = self._result, incidents[0]
        documents: Mapping[str, Any] = {}
        for incident in incidents:
            read = self._door.get(f"/incidents/{incident['id']}").get("documents") or {}
            if len([one for one in read.values() if one]) >= len([one for one in documents.values() if one]):
                documents, chosen = read, incident
        diagnosis = documents.get("diagnosis") or {}
        result.hypotheses = [
            Blamed(one["cause"], one["component"], one.get("change"), float(one["confidence"]))
            for one in diagnosis.get("hypotheses", ())[:3]
        ]
        result.outcome, result.reason = chosen.get("outcome"), str(chosen.get("reason", ""))
        result.patch = bool((documents.get("proposal") or {}).get("patch"))
        if chosen.get("closed_at"):
            result.closed_seconds = _at(chosen["closed_at"]) - began
        result.stages = {
            "diagnosis": float(diagnosis.get("seconds") or 0.0),
            "repair": float((documents.get("proposal") or {}).get("seconds") or 0.0),
            "own tests": float((documents.get("proposal") or {}).get("own_tests_seconds") or 0.0),
        }

    # -- what is true at the end -------------------------------------------------------------------------------------

    def _look(self, calm_from: float, began: float) -> None:
        result, now = self._result, time.time()
        before, after = self._meter.answers(calm_from, began), self._meter.answers(now - LOOK_SECONDS, now)
        result.findings = [check.enough(after), check.errors(before, after), check.latency(before, after)]
        for signal in ("mae_ratio", "data_age"):
            course = self._meter.between(signal, calm_from, began), self._meter.between(signal, now - LOOK_SECONDS, now)
            result.findings.append(check.back_to_normal(signal, *course))
        result.culprits = list(self._stage.history.culprits)
        result.deployed = self._meter.running()
        result.merged = self._stage.history.merges()
        result.acceptance = self._accept()

    def _accept(self) -> str:
        """``passed``, ``failed: …`` or ``none``: the drill's own tests, on the code that runs now."""
        if self._drill.acceptance is None:
            return "none"
        argv = [str(self._stage.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", str(self._drill.acceptance)]
        env = {**self._stage.target_environment, "TARGET_URL": self._stage.target_url}
        try:
            done = subprocess.run(
                argv,
                cwd=self._stage.releases.current.resolve(),
                env=env,
                capture_output=True,
                text=True,
                timeout=ACCEPTANCE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"failed: not done within {ACCEPTANCE_SECONDS:.0f} s"
        last = (done.stdout.strip().splitlines() or ["nothing was said"])[-1]
        return "passed" if done.returncode == 0 else f"failed: {last}"

    # -- small parts -------------------------------------------------------------------------------------------------

    def _idle(self, seconds: float) -> None:
        """Keep measuring for a while."""
        deadline = time.monotonic() + seconds
        while True:
            self._meter.sample()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(1.0, left))

    def _incidents(self) -> list[Mapping[str, Any]]:
        try:
            return self._door.incidents()
        except Refused:
            return []


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
