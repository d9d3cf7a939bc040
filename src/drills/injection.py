"""Makes things go wrong on a staged target, as they do in life: one function a kind of fault."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx2

from .drill import Fault, Unusable
from .stage import Stage

STAGED: Final = ("commit", "process", "traffic", "configuration", "model", "none")
_DELIVERED: Final = httpx2.codes.OK


def inject(stage: Stage, fault: Fault) -> None:
    """Stage one fault now. Raises `Unusable` for a kind or a parameter that cannot be staged."""
    if fault.kind not in STAGED:
        raise Unusable(f"a fault of kind {fault.kind!r} cannot be staged yet")
    actions: Mapping[str, Callable[[Stage, Fault], None]] = {
        "commit": _commit,
        "process": _process,
        "traffic": _traffic,
        "configuration": _configuration,
        "model": _model,
        "none": _none,
    }
    actions[fault.kind](stage, fault)


def _commit(stage: Stage, _fault: Fault) -> None:
    """The next release, all planted commits among its own, goes live as the team's CI would do it."""
    stage.inject()


def _process(stage: Stage, fault: Fault) -> None:
    """``action``: stop (nobody starts it again), kill (its supervisor does), freeze (for ``seconds``)."""
    action = fault.options.get("action", "kill")
    if action == "stop":
        stage.supervisor.stop()
        return
    if action not in ("kill", "freeze"):
        raise Unusable(f"a process fault's action is stop, kill or freeze, not {action!r}")
    pid = int(stage.supervisor.state()["pid"])
    if action == "kill":
        os.kill(pid, signal.SIGKILL)
        return
    os.kill(pid, signal.SIGSTOP)
    _later(float(fault.options.get("seconds", 10.0)), lambda: os.kill(pid, signal.SIGCONT))


def _traffic(stage: Stage, fault: Fault) -> None:
    """``rate`` more requests a second, for ``seconds``."""
    rate, seconds = float(fault.options.get("rate", 100.0)), float(fault.options.get("seconds", 30.0))
    stage.more_traffic(rate, seconds)


def _configuration(stage: Stage, fault: Fault) -> None:
    """``env`` is set for the service and takes effect with a restart; ``reported`` tells the agent of it, as CI would."""
    env = fault.options.get("env")
    if not isinstance(env, dict) or not env:
        raise Unusable("a configuration fault needs env = { NAME = 'value' }")
    stage.configure({name: str(value) for name, value in env.items()})
    if fault.options.get("reported", True):
        names = ", ".join(sorted(env))
        stage.report_change({"kind": "config", "title": str(fault.options.get("title", f"set {names}"))})


def _model(stage: Stage, fault: Fault) -> None:
    """``action``: truncate or scale (by ``factor``) the serving model's file; it is read at the next start."""
    stage.spoil_model(str(fault.options.get("action", "scale")), float(fault.options.get("factor", 0.0)))


def _none(stage: Stage, fault: Fault) -> None:
    """Nothing breaks. With ``alert`` somebody's alert fires all the same, and resolves after ``seconds``."""
    name = fault.options.get("alert")
    if not name:
        return
    labels = {"alertname": str(name), "target": stage.target_name, "severity": "warning"}
    labels |= {key: str(value) for key, value in fault.options.get("labels", {}).items()}
    began = _stamp(time.time())
    _deliver(stage, labels, began, "firing")
    _later(float(fault.options.get("seconds", 5.0)), lambda: _deliver(stage, labels, began, "resolved"))


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
