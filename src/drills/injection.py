"""Makes things go wrong on a staged target, as they do in life: one function a kind of fault."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import httpx2

from . import courier, own_service, targets, upstream
from .drill import Drill, Fault, Unusable
from .stage import TRAFFIC_SECONDS, Stage

LONGEST_SURGE: Final = 60.0  # seconds; more traffic for longer is there to stay
LONGEST_WAIT: Final = 180.0  # seconds that an alarm is waited for under it
DECOYS_BEFORE: Final = 2.0  # seconds before the first fault that is no commit, unless the drill says when
_DELIVERED: Final = httpx2.codes.OK
_PID_SECONDS: Final = 2.0
_PROCESS: Final = ("stop", "kill", "freeze")


@dataclass(frozen=True)
class Moment:
    """Something that happens ``after`` so many seconds; ``fault`` when it is one, else a release of innocents.

    ``lasts`` is how many seconds it goes on by itself; 0 for what is done at once, or stays. What ``remains`` goes on so
    long that it is what the target has to live with: an incident may end before it does.
    """

    after: float
    act: Callable[[Stage], None]
    fault: bool
    lasts: float = 0.0
    remains: bool = False


def timeline(drill: Drill, *, decoys: bool = True) -> list[Moment]:
    """Everything that happens in a drill, in order; without ``decoys`` no release of innocents by themselves."""
    moments = [
        Moment(fault.after, _act(fault), fault=True, lasts=_lasts(fault), remains=_remains(fault))
        for fault in drill.faults
        if fault.commit is None
    ]
    released = [fault.after for fault in drill.released]
    if released:
        moments.append(Moment(min(released), _release, fault=True))
    innocent = drill.release_after
    if innocent is None and drill.decoys and not released:
        innocent = max(0.0, min(fault.after for fault in drill.faults) - DECOYS_BEFORE)
    if innocent is not None and decoys:
        moments.append(Moment(innocent, _release, fault=False))
    return sorted(moments, key=lambda moment: (moment.after, moment.fault))


def examine(drill: Drill) -> None:
    """Whether every fault can be staged on its target. Raises `Unusable`, before anything is started."""
    staging = targets.of(drill)
    own_service.examine(drill)
    for fault in drill.faults:
        order = {**fault.options, "kind": fault.kind}
        if fault.kind == "process" and fault.options.get("action", "kill") not in _PROCESS:
            raise Unusable(f"a process fault's action is one of {', '.join(_PROCESS)}, not {fault.options['action']!r}")
        if fault.kind == "clock":
            _moment(fault)
        if fault.kind in ("dependency", "data") and staging.name == targets.PARCELS.name:
            courier.check(order)
        elif fault.kind in ("dependency", "data"):
            try:
                upstream.order_of(order)
            except upstream.Wrong as error:
                raise Unusable(str(error)) from error


def _act(fault: Fault) -> Callable[[Stage], None]:
    return lambda stage: inject(stage, fault)


def _lasts(fault: Fault) -> float:
    """How long a fault goes on by itself, seconds."""
    times = int(fault.options.get("times", 1))
    if fault.kind == "process":
        freezes = fault.options.get("action") == "freeze"
        return (
            float(fault.options.get("seconds", 10.0))
            if freezes
            else (times - 1) * float(fault.options.get("every", 1.0))
        )
    if fault.kind == "none" and fault.options.get("alert"):
        return (2 * times - 1) * float(fault.options.get("seconds", 5.0))
    seconds = float(fault.options.get("seconds", 0.0))
    return min(seconds, LONGEST_WAIT) if _remains(fault) else seconds


def _remains(fault: Fault) -> bool:
    """Whether it is traffic that goes on for longer than a surge does."""
    return fault.kind == "traffic" and float(fault.options.get("seconds", 0.0)) > LONGEST_SURGE


def _release(stage: Stage) -> None:
    """The next release goes live as the team's CI would do it."""
    stage.inject()


def inject(stage: Stage, fault: Fault) -> None:
    """Stage one fault that is no commit, now. Raises `Unusable` for a parameter that cannot be staged."""
    actions: Mapping[str, Callable[[Stage, Fault], None]] = {
        "process": _process,
        "traffic": _traffic,
        "configuration": _configuration,
        "dependency": _upstream,
        "data": _upstream,
        "model": _model,
        "clock": _clock,
        "none": _none,
    }
    actions[fault.kind](stage, fault)


def restore(stage: Stage, drill: Drill) -> None:
    """End what can be ended from outside: dependency and data faults, the clock's jump, the spoiled model."""
    kinds = {fault.kind for fault in drill.faults}
    if kinds & {"dependency", "data"}:
        stage.order([])
    if "clock" in kinds:
        stage.set_clock(None)
    if "model" in kinds:
        stage.serve_shipped_model()


def _process(stage: Stage, fault: Fault) -> None:
    """``action``: stop (nobody starts it again), kill (its supervisor does), freeze (for ``seconds``)."""
    action = fault.options.get("action", "kill")
    if action == "stop":
        stage.supervisor.stop()
        return
    times, every = int(fault.options.get("times", 1)), float(fault.options.get("every", 1.0))
    if action == "kill":
        _kill(stage)
        for number in range(1, times):
            _later(number * every, lambda: _kill(stage))
        return
    pid = _pid(stage)
    _signal(pid, signal.SIGSTOP)
    _later(float(fault.options.get("seconds", 10.0)), lambda: _signal(pid, signal.SIGCONT))


def _pid(stage: Stage) -> int:
    """The service's pid; one that is being restarted is waited for. 0 when it stays down."""
    deadline = time.monotonic() + _PID_SECONDS
    while not (pid := int(stage.supervisor.state()["pid"])) and time.monotonic() < deadline:
        time.sleep(0.05)
    return pid


def _kill(stage: Stage) -> None:
    _signal(int(stage.supervisor.state()["pid"]), signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    if pid <= 0:
        return  # it is down already
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended meanwhile


def _traffic(stage: Stage, fault: Fault) -> None:
    """``rate`` more requests a second, for ``seconds``; with ``requests`` exactly these.

    What is there to stay goes on as long as the users' own traffic, whatever the drill says: a fix that goes live late is
    verified by requests of the kind that failed, and the examiner's last look has them, too.
    """
    rate, seconds = float(fault.options.get("rate", 100.0)), float(fault.options.get("seconds", 30.0))
    if _remains(fault):
        seconds = TRAFFIC_SECONDS
    stage.more_traffic(rate, seconds, fault.options.get("requests", ()))


def _configuration(stage: Stage, fault: Fault) -> None:
    """``env`` is set for the service and takes effect with a restart; ``reported`` tells the agent of it, as CI would."""
    env = fault.options.get("env")
    if not isinstance(env, dict) or not env:
        raise Unusable("a configuration fault needs env = { NAME = 'value' }")
    stage.configure({name: str(value) for name, value in env.items()})
    if fault.options.get("reported", True):
        names = ", ".join(sorted(env))
        stage.report_change({"kind": "config", "title": str(fault.options.get("title", f"set {names}"))})


def _upstream(stage: Stage, fault: Fault) -> None:
    """What the target reads fails or is wrong, until ``seconds`` are over or somebody puts it right."""
    seconds = fault.options.get("seconds")
    until = None if seconds is None else time.time() + float(seconds)
    order = {**fault.options, "kind": fault.kind, "until": until}
    stage.order([*stage.orders, order])


def _model(stage: Stage, fault: Fault) -> None:
    """``action``: truncate or scale (by ``factor``) the serving model's file; it is read at the next start."""
    stage.spoil_model(str(fault.options.get("action", "scale")), float(fault.options.get("factor", 0.0)))


def _clock(stage: Stage, fault: Fault) -> None:
    """The target's own time jumps to ``market``, with a restart."""
    stage.set_clock(_moment(fault))


def _moment(fault: Fault) -> datetime:
    text = str(fault.options.get("market", ""))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unusable(f"a clock fault needs market = '2025-11-02T04:00:00Z', not {text!r}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _none(stage: Stage, fault: Fault) -> None:
    """Nothing breaks. With ``alert`` somebody's alert fires all the same, ``times`` over, and resolves after ``seconds``."""
    name = fault.options.get("alert")
    if not name:
        return
    labels = {"alertname": str(name), "target": stage.target_name, "severity": "warning"}
    labels |= {key: str(value) for key, value in fault.options.get("labels", {}).items()}
    seconds, times = float(fault.options.get("seconds", 5.0)), int(fault.options.get("times", 1))
    for number in range(times):
        start = number * 2 * seconds
        began = _stamp(time.time() + start)
        fires, resolves = (
            partial(_deliver, stage, labels, began, "firing"),
            partial(_deliver, stage, labels, began, "resolved"),
        )
        if number:
            _later(start, fires)
        else:
            fires()
        _later(start + seconds, resolves)


def _deliver(stage: Stage, labels: Mapping[str, str], began: str, status: str) -> None:
    """One delivery as Alertmanager makes them."""
    ends = _stamp(time.time()) if status == "resolved" else "0001-01-01T00:00:00Z"
    alert: dict[str, Any] = {
        "status": status,
        "labels": dict(labels),
        "annotations": {"summary": "raised by somebody else's rule"},
        "startsAt": began,
        "endsAt": ends,
        "generatorURL": "",
        "fingerprint": "",  # the agent makes its own of the labels
    }
    body = {"version": "4", "groupKey": "{}", "status": status, "receiver": "agent", "truncatedAlerts": 0}
    body |= {"groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "", "alerts": [alert]}
    headers = {"authorization": f"Bearer {stage.secret}"}
    answer = httpx2.post(f"{stage.agent_url}/webhook/alerts", json=body, headers=headers, timeout=10.0)
    if answer.status_code != _DELIVERED:
        raise Unusable(f"the agent did not take the alert: {answer.status_code} {answer.text[:200]}")


def _later(seconds: float, act: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


def _stamp(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
