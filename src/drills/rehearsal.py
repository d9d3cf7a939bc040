"""Is a drill a fair question? Staged once, with an agent that only observes.

What is innocent raises nothing; with the fault the alarm comes and acceptance fails; with the reference acceptance passes and
the target is well.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from .breaks import BREAKS
from .door import Door, Refused
from .drill import Drill, Unusable
from .exam import CALM, QUIET_SECONDS, SIGNAL_SECONDS, accept, findings, idle
from .injection import restore, timeline
from .inquest import at
from .meter import Meter
from .stage import Stage
from .wording import ENV, POSITIVE, TEXT, Form

DECOYS_SECONDS: Final = 20.0
SICK_SECONDS: Final = 4.0  # after the alarm, before acceptance is asked
WELL_SECONDS: Final = 45.0  # in which the reference must have made the target well
PATCH: Final = "fix.patch"  # of a reference that does not say which
_TICK: Final = 0.5
_PARAMETERS: Final[Mapping[str, Mapping[str, Form]]] = {  # of the steps that have some
    "wait": {"seconds": POSITIVE},
    "patch": {"file": TEXT},
    "configuration": {"env": ENV},
}


@dataclass(frozen=True)
class Checked:
    """One thing that was looked at; ``valid`` is None where it was not."""

    name: str
    valid: bool | None
    detail: str = ""


def rehearse(stage: Stage, drill: Drill, say: Callable[[str], None] = lambda _text: None) -> Mapping[str, Any]:
    """``{"drill", "alert_seconds", "checks"}``, in the order of what was looked at; ends with the first that fails.

    ``say`` is told what comes next.
    """
    rehearsal = Rehearsal(stage, drill, say)
    checks: list[Checked] = []
    try:
        for one in rehearsal.checks():
            checks.append(one)
            if one.valid is False:
                break
        dead = stage.helpers_alive()
        if dead:
            checks.append(Checked("everything beside the target lives", valid=False, detail=", ".join(dead)))
    except BREAKS as error:
        checks.append(Checked("staged to the end", valid=False, detail=str(error)))
    finally:
        rehearsal.close()
    return {"drill": drill.name, "alert_seconds": rehearsal.alert_seconds, "checks": [asdict(one) for one in checks]}


class Rehearsal:
    """One stage, from calm over the fault to the reference."""

    def __init__(self, stage: Stage, drill: Drill, say: Callable[[str], None]) -> None:
        self._stage, self._drill, self._say = stage, drill, say
        self._meter = Meter(stage.target_url, stage.traffic_file)
        self._door: Door = stage.door()
        self.alert_seconds: float | None = None

    def close(self) -> None:
        """Close the connections."""
        self._door.close()
        self._meter.close()

    def checks(self) -> Iterator[Checked]:
        """Look, in order."""
        self._say("the stage stands; it is calm for a while")
        calm_from = time.time()
        idle(self._meter, CALM)
        calm = (calm_from, time.time())
        yield self._innocent(calm_from)
        self._say("now the fault, and its alarm is waited for")
        started = time.time()
        self._break(started)
        yield self._alarm(started)
        if self._drill.acceptance is not None:
            self._say("acceptance is run with the fault in place")
            idle(self._meter, SICK_SECONDS)
            yield self._sick(accept(self._stage, self._drill))
        elif self._drill.code:
            yield Checked("acceptance", valid=False, detail="there is none: nobody could say whether a fix is right")
        if self._drill.reference is None:
            yield Checked("reference", valid=not self._drill.breaks, detail="there is none")
            return
        for step in steps(self._drill):
            self._say(f"the reference: {step['do']}")
            perform(self._stage, self._drill, step, lambda seconds: idle(self._meter, seconds))
        yield self._well(calm)
        if self._drill.acceptance is not None:
            said = accept(self._stage, self._drill)
            yield Checked("acceptance passes with the reference", valid=said == "passed", detail=said)

    def _sick(self, said: str) -> Checked:
        """Acceptance fails while the fault is there; where nothing is wrong it passes all along."""
        if not self._drill.broken or self._drill.expect.alert == "no":
            return Checked("acceptance passes, as nothing is wrong", valid=said == "passed", detail=said)
        return Checked("acceptance fails with the fault", valid=said.startswith("failed"), detail=said)

    def _innocent(self, since: float) -> Checked:
        """The same release without the faults goes live, and nothing is raised; nor in the calm, where there is none."""
        name, history = "the calm raises nothing", self._stage.history
        if history.innocent and history.innocent != history.baseline:
            name = (
                "decoys alone raise nothing" if self._drill.decoys else "the release without the fault raises nothing"
            )
            self._say("a release without the fault goes live, and is watched")
            history.push(history.innocent)
            self._stage.deploy(history.innocent, name=f"ci-{history.innocent[:10]}")
            idle(self._meter, DECOYS_SECONDS)
        raised = self._raised(since)
        return Checked(name, valid=not raised, detail=", ".join(raised))

    def _break(self, started: float) -> None:
        for moment in timeline(self._drill, decoys=bool(self._drill.released)):
            idle(self._meter, max(0.0, started + moment.after - time.time()))
            moment.act(self._stage)

    def _alarm(self, started: float) -> Checked:
        due = self._drill.expect.alert
        deadline = time.time() + (SIGNAL_SECONDS if due == "yes" else QUIET_SECONDS)
        while time.time() < deadline and not self._raised(started):
            idle(self._meter, _TICK)
        raised = self._raised(started)
        first = min(moment.after for moment in timeline(self._drill) if moment.fault)
        detail = f"{', '.join(raised)} after {self.alert_seconds - first:.1f} s" if self.alert_seconds else "none came"
        if due == "no":
            return Checked("no alarm comes", valid=not raised, detail=detail)
        if due == "either":
            return Checked("the alarm may come", valid=True, detail=detail)
        return Checked("the alarm comes", valid=bool(raised), detail=detail)

    def _well(self, calm: tuple[float, float]) -> Checked:
        """Within a while a look finds nothing wrong."""
        deadline = time.time() + WELL_SECONDS
        while True:
            seconds = self._drill.look_seconds
            idle(self._meter, seconds)
            now = time.time()
            wrong = [one for one in findings(self._meter, calm, (now - seconds, now)) if not one.passed]
            if not wrong or now > deadline:
                detail = "; ".join(f"{one.name}: {one.detail}" for one in wrong)
                return Checked("the target recovers with the reference", valid=not wrong, detail=detail)

    def _raised(self, since: float) -> list[str]:
        try:
            found = [one for one in self._door.incidents() if at(one["opened_at"]) >= since]
        except Refused:
            return []
        if found and self.alert_seconds is None:
            self.alert_seconds = min(at(one["opened_at"]) for one in found) - since
        return sorted({str(one["title"]) for one in found})


def steps(drill: Drill) -> list[Mapping[str, Any]]:
    """What the reference does, in order. Raises `Unusable`."""
    path = (drill.reference or drill.folder / "reference") / "solution.toml"
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("step")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unusable(f"{path}: {error}") from error
    if not isinstance(found, list) or not found:
        raise Unusable(f"{path}: there is no [[step]]")
    for step in found:
        _examine(step, path)
    return list(found)


def _examine(step: Any, path: Path) -> None:
    """What a step may say; the patch that it names is there. Raises `Unusable`."""
    said = step.get("do") if isinstance(step, dict) else None
    if said not in _STEPS:
        raise Unusable(f"{path}: 'do' is one of {', '.join(_STEPS)}, not {said!r}")
    known = _PARAMETERS.get(str(said), {})
    for name, value in step.items():
        if name != "do" and name not in known:
            raise Unusable(f"{path}: a step {said!r} has no key {name!r}; it has {', '.join(('do', *known))}")
        if name != "do" and not known[name].fits(value):
            raise Unusable(f"{path}: {name!r} is {known[name].words}, not {value!r}")
    if said == "configuration" and "env" not in step:
        raise Unusable(f"{path}: a step 'configuration' needs env = {{ NAME = 'value' }}")
    if said == "patch":
        _patch_text(path.parent / str(step.get("file", PATCH)))


def perform(stage: Stage, drill: Drill, step: Mapping[str, Any], wait: Callable[[float], None]) -> None:
    """One step of the reference. Raises `Unusable` or `RuntimeError`."""
    if step["do"] == "wait":
        wait(float(step.get("seconds", 10.0)))
        return
    _STEPS[str(step["do"])](stage, drill, step)


def _revert(stage: Stage, _drill: Drill, _step: Mapping[str, Any]) -> None:
    _go_live(stage, stage.history.innocent or stage.history.baseline)


def _patch(stage: Stage, drill: Drill, step: Mapping[str, Any]) -> None:
    text = _patch_text((drill.reference or Path()) / str(step.get("file", PATCH)))
    _go_live(stage, stage.history.patched(stage.history.tip(), text, "The reference"))


def _patch_text(file: Path) -> str:
    """A patch that the reference names. Raises `Unusable`."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{file}: the reference names this patch, and it cannot be read: {error}") from error
    if "\n+++ " not in f"\n{text}":
        raise Unusable(f"{file}: holds no diff")
    return text


def _rollback(stage: Stage, _drill: Drill, _step: Mapping[str, Any]) -> None:
    earlier = stage.releases.before()
    if earlier is None:
        raise Unusable("there is no earlier release to roll back to")
    stage.deploy(earlier, name=f"ci-rollback-{earlier[:10]}")


def _configuration(stage: Stage, _drill: Drill, step: Mapping[str, Any]) -> None:
    stage.configure({name: str(value) for name, value in step.get("env", {}).items()})


def _go_live(stage: Stage, commit: str) -> None:
    stage.history.push(commit)
    stage.deploy(commit, name=f"ci-{commit[:10]}")


_STEPS: Final[Mapping[str, Callable[[Stage, Drill, Mapping[str, Any]], object]]] = {
    "revert": _revert,
    "patch": _patch,
    "rollback": _rollback,
    "restart": lambda stage, _drill, _step: stage.supervisor.restart(),
    "start": lambda stage, _drill, _step: stage.supervisor.restart(),
    "configuration": _configuration,
    "restore": lambda stage, drill, _step: restore(stage, drill),
    "wait": lambda _stage, _drill, _step: None,
}
