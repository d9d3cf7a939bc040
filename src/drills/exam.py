"""One drill, staged once: calm, what goes wrong, what the player does, and what is true at the end.

The agent is reached through its doors only, and its word is taken for nothing that can be looked at from outside: the
target's health, the commit that runs, the main branch, the deployments, what the examiner allowed, and the acceptance tests.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from . import check, inquest, spoilt
from .approval_policy import ApprovalPolicy
from .door import Door, Refused
from .drill import Drill
from .injection import Moment, timeline
from .meter import Meter
from .players import player
from .processes import marked
from .record import AGENT, Result
from .stage import Broken, Stage

CALM: Final = 8.0  # seconds before the first fault, and up to one more: no drill knows where a scrape falls
SIGNAL_SECONDS: Final = 75.0  # an alarm that did not come by then does not come
QUIET_SECONDS: Final = 25.0  # how long is watched where no alarm is due
INCIDENT_SECONDS: Final = 240.0
ACCEPTANCE_SECONDS: Final = 60.0
LATE: Final = f"failed: not done within {ACCEPTANCE_SECONDS:.0f} s"
UNANSWERED: Final = "the agent did not answer"
_SIGNALS: Final = ("mae_ratio", "data_age")
_SLOW_SIGNALS: Final = ("memory_growth",)
_SLOW_SECONDS: Final = 15.0  # of look, from which slow signals can be told
_PASSING: Final = ("recovered", "nothing_wrong", "cancelled")
_NOT_RUN: Final = (4, 5)  # pytest: it was called wrongly, or found no tests
_TICK: Final = 0.25


class Timeline:
    """Does what is due, in order, in a thread of its own: a deploy takes seconds, and the examiner goes on looking."""

    def __init__(self, stage: Stage, moments: Sequence[Moment]) -> None:
        self._stage, self._waiting = stage, list(moments)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="timeline")
        self._doing: list[Future[None]] = []
        self.began: float | None = None
        self.over = 0.0
        self._awaited = 0.0

    def run(self, started: float) -> None:
        """Begin what is due ``started`` (epoch seconds) and later. Raises what one of them raised."""
        while self._waiting and time.time() >= started + self._waiting[0].after:
            self._doing.append(self._worker.submit(self._act, self._waiting.pop(0)))
        for one in self._doing:
            if one.done():
                one.result()

    @property
    def done(self) -> bool:
        """Whether everything has happened, and what goes on by itself for a while has ended."""
        return not self._waiting and all(one.done() for one in self._doing) and time.time() >= self._awaited

    def close(self) -> None:
        """Begin nothing more."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _act(self, moment: Moment) -> None:
        if moment.fault and self.began is None:
            self.began = time.time()
        moment.act(self._stage)
        ends = time.time() + moment.lasts
        self.over = max(self.over, ends)
        self._awaited = max(self._awaited, time.time() if moment.remains else ends)


class Exam:
    """Sits one drill on one stage that was built and started; ``say`` is told how far it is."""

    def __init__(
        self,
        stage: Stage,
        drill: Drill,
        *,
        player_name: str = AGENT,
        policy: ApprovalPolicy,
        alarm_only: bool = False,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._stage, self._drill, self._alarm_only, self._say = stage, drill, alarm_only, say
        self._told: dict[str, str] = {}
        self._meter = Meter(stage.target_url, stage.traffic_file)
        self._door: Door = stage.door()
        self._player = player(player_name, stage, self._door, policy)
        self._timeline = Timeline(stage, timeline(drill))
        self._result = Result(drill.name, drill.family, player=player_name, target=stage.target_name)
        self._seen: list[Mapping[str, Any]] = []

    def sit(self) -> Result:
        """Everything, in order. Raises what a stage that breaks raises before the first fault."""
        calm_from = time.time()
        self._say("the stage stands; it is calm for a while")
        idle(self._meter, CALM + random.Random().random())
        started = time.time()
        self._result.stages["calm"] = started - calm_from
        try:
            self._play(calm_from, started)
        except Refused as error:
            self._result.problem = f"{UNANSWERED}: {error}"
            self._look(calm_from, started)
        return self._result

    def void(self, overloaded: spoilt.Overloaded, *, goes_down: bool) -> str:
        """Why a busy machine spoilt what was seen; empty when it did not. See `spoilt`."""
        try:
            trail = inquest.entries(self._door)
        except Refused:
            trail = []  # the alarms were told before
        began, now = self._timeline.began, time.time()
        if self._result.acceptance == LATE and overloaded(now - ACCEPTANCE_SECONDS, now):
            return f"the machine was busy: acceptance was {LATE.partition(': ')[2]}"
        return spoilt.spoilt(self._drill, self._seen, trail, overloaded, began=began, goes_down=goes_down)

    def close(self) -> None:
        """Close the connections."""
        self._timeline.close()
        self._door.close()
        self._meter.close()

    # -- what goes wrong, and what the player does -----------------------------------------------------------------

    def _play(self, calm_from: float, started: float) -> None:
        """Follow, then look; an alarm that comes while one looks is followed, too."""
        while True:
            self._follow(calm_from, started)
            if self._alarm_only:
                return
            self._say("the examiner looks for itself")
            known = len(self._seen)
            idle(self._meter, self._drill.look_seconds)
            self._incidents(calm_from)
            self._look(calm_from, started)
            if self._result.problem or not (len(self._seen) > known or self._unnoticed()):
                break
        dead = self._stage.helpers_alive()
        if dead:
            raise Broken(f"{', '.join(dead)} ended in the midst of the drill")
        if self._seen and self._result.player == AGENT:
            self._take_down()

    def _unnoticed(self) -> bool:
        """Whether the target is sick though every incident passed by itself, and another alarm may come yet."""
        passed = bool(self._seen) and all(one.get("outcome") in _PASSING for one in self._seen)
        in_time = time.time() < self._timeline.over + SIGNAL_SECONDS
        return self._result.player == AGENT and passed and not self._result.well and in_time

    def _follow(self, calm_from: float, started: float) -> None:
        """Until it is over, or no alarm came, or it takes too long."""
        due = self._drill.expect.alert
        patience = SIGNAL_SECONDS if due == "yes" else QUIET_SECONDS
        while True:
            self._timeline.run(started)
            idle(self._meter, _TICK)
            seen = self._incidents(calm_from)
            began = self._timeline.began
            mine = seen if self._result.player == AGENT else [one for one in seen if began and opened(one) >= began]
            over = bool(mine) and self._player.look(mine)
            since = time.time() - self._timeline.over
            if not self._timeline.done:
                continue
            if mine and (over or self._alarm_only) and (due != "no" or since > patience):
                return
            if not mine and since > patience:
                self._result.problem = f"no alarm within {patience:.0f} s" if due == "yes" else ""
                return
            if since > INCIDENT_SECONDS:
                self._result.problem = f"not ended within {INCIDENT_SECONDS:.0f} s"
                return

    def _incidents(self, since: float) -> list[Mapping[str, Any]]:
        """The incidents since a moment, as they were last told; one slow answer is no silence."""
        try:
            self._seen = [one for one in self._door.incidents() if opened(one) >= since]
        except Refused:
            return self._seen
        began, result = self._timeline.began, self._result
        result.incidents = len(self._seen)
        self._tell()
        early = [one for one in self._seen if began is None or opened(one) < began]
        result.false_alarms = len(early)
        late = [opened(one) for one in self._seen if began is not None and opened(one) >= began]
        if late and result.alert_seconds is None and began is not None:
            result.alert_seconds = min(late) - began
            result.stages["detection"] = result.alert_seconds
        return self._seen

    def _tell(self) -> None:
        """How far each incident is, when that is news."""
        for one in self._seen:
            words = [str(one[key]) for key in ("phase", "outcome") if one.get(key)]
            waits = [f"waits for the {one['waiting']}"] if one.get("waiting") else []
            said = f"{one.get('title') or 'an incident'}: {', '.join([*words, *waits])}"
            if self._told.get(str(one["id"])) != said:
                self._told[str(one["id"])] = said
                self._say(said)

    def _take_down(self) -> None:
        """What the agent says."""
        incident, documents = inquest.furthest(self._door, self._seen)
        chosen = str(incident["id"])
        inquest.take_down(self._result, incident, documents, self._timeline.began or 0.0)
        self._result.blamed_elsewhere = inquest.others(self._door, self._seen, chosen)
        self._result.stages |= inquest.stage_seconds(inquest.entries(self._door), chosen)

    # -- what is true at the end -------------------------------------------------------------------------------------

    def _look(self, calm_from: float, started: float) -> None:
        began, result, history = time.time(), self._result, self._stage.history
        seconds = self._drill.look_seconds
        result.findings = findings(self._meter, (calm_from, started), (began - seconds, began))
        result.culprits, result.decoys = list(history.culprits), list(history.decoys)
        result.deployed = self._meter.running()
        result.merged = history.merges() if result.player == AGENT else history.strangers()
        result.actions = inquest.actions(self._stage, result.merged)
        if result.player == AGENT:
            result.trail = self._compare()
        result.acceptance = accept(self._stage, self._drill)
        result.stages["look"] = result.stages.get("look", 0.0) + seconds + time.time() - began

    def _compare(self) -> list[str]:
        try:
            trail, report = inquest.entries(self._door), self._door.get("/audit/verify")
        except Refused as error:
            return [f"{UNANSWERED} at the end: {error}"]
        return inquest.discrepancies(self._stage, self._player.given, trail, report, self._result.deployed)


def opened(incident: Mapping[str, Any]) -> float:
    """When an incident was opened, epoch seconds."""
    return inquest.at(str(incident["opened_at"]))


def findings(meter: Meter, calm: tuple[float, float], now: tuple[float, float]) -> list[check.Finding]:
    """The examiner's own look: its traffic's answers and the target's signals, in the calm and now (epoch seconds)."""
    before, after = meter.answers(*calm), meter.answers(*now)
    found = [
        check.enough(after),
        check.errors(before, after),
        check.refusals(before, after),
        check.latency(before, after),
    ]
    slow = _SLOW_SIGNALS if now[1] - now[0] >= _SLOW_SECONDS else ()
    return found + [
        check.back_to_normal(name, meter.between(name, *calm), meter.between(name, *now)) for name in (*_SIGNALS, *slow)
    ]


def accept(stage: Stage, drill: Drill) -> str:
    """``passed``, ``failed: …``, ``not run: …`` or ``none``: the drill's own tests, on the code that runs now."""
    if drill.acceptance is None:
        return "none"
    folder = str(drill.acceptance)
    # The target's packages and settings, none of ours; what the drills of a folder share lies beside them.
    apart = ("-c", "/dev/null", "--rootdir", folder, f"--confcutdir={drill.folder.parent}")
    options = ("-q", "-p", "no:cacheprovider", *apart)
    argv = [str(stage.python), "-m", "pytest", *options, folder]
    env = marked({**stage.target_environment, "TARGET_URL": stage.target_url, "PYTHONDONTWRITEBYTECODE": "1"})
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
        return LATE
    if done.returncode == 0:
        return "passed"
    last = (done.stdout.strip().splitlines() or [done.stderr.strip()[-200:] or "nothing was said"])[-1]
    return f"{'not run' if done.returncode in _NOT_RUN else 'failed'}: {last}"


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
