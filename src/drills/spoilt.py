"""Whether a busy machine, and not who was examined, may have made a staging show what it showed. Pure.

Two things must come together: others took too much of the machine (`load`), and at that time something happened that only
this explains well. Whether the staging ended well does not matter: else only failures would be staged again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from .drill import Drill
from .inquest import at

Overloaded = Callable[[float, float], bool]

DOWN: Final = "TargetDown"
PROCESS: Final = "service"  # the component that is the process itself
LIMITS: Final = (
    "wall limit ended it",
    "longer than the time limit",
)  # what the agent tells of a run that took too long
ALARM_SECONDS: Final = 20.0  # before an alarm, in which a busy machine explains it
RUN_SECONDS: Final = 60.0  # that a run in the sandbox takes at most, unless it says how long it took
_LEFT_ALONE: Final = ("data", "none")  # kinds of faults that do not touch the process


def spoilt(
    drill: Drill,
    incidents: Sequence[Mapping[str, Any]],
    trail: Sequence[Mapping[str, Any]],
    overloaded: Overloaded,
    *,
    began: float | None,
    goes_down: bool,
) -> str:
    """Why the staging is void; empty when it is not.

    ``began`` is when the first fault went live (epoch seconds), ``goes_down`` whether the stage-check saw it take the
    target down, ``overloaded`` whether others took too much between two moments (epoch seconds).
    """
    alarms = (
        f"{one.get('title') or 'an alarm'}, which no fault of the drill explains"
        for one in incidents
        if _unexplained(drill, one, began, goes_down=goes_down)
        and overloaded(at(str(one["opened_at"])) - ALARM_SECONDS, at(str(one["opened_at"])))
    )
    runs = (said for since, until, said in _cut_short(trail) if overloaded(since, until))
    first = next(alarms, "") or next(runs, "")
    return f"the machine was busy: {first}" if first else ""


def may_go_down(drill: Drill, *, goes_down: bool) -> bool:
    """Whether its faults can keep the target from answering at all.

    A commit can when the drill says that the process failed first, or does not say what did, or when it was seen to.
    """
    asked = drill.expect.component
    if goes_down or PROCESS in asked:
        return True
    return any(
        fault.options.get("alert") == DOWN or (fault.kind not in _LEFT_ALONE and (fault.commit is None or not asked))
        for fault in drill.faults
    )


def _unexplained(drill: Drill, incident: Mapping[str, Any], began: float | None, *, goes_down: bool) -> bool:
    """Before the first fault nothing is wrong; later it may be only what the faults can do."""
    if began is None or at(str(incident["opened_at"])) < began:
        return True
    return str(incident.get("title", "")).startswith(DOWN) and not may_go_down(drill, goes_down=goes_down)


def _cut_short(trail: Sequence[Mapping[str, Any]]) -> Iterator[tuple[float, float, str]]:
    """From when to when a run was going on that a limit of time ended, and what was said of it."""
    for entry in trail:
        data = entry.get("data") or {}
        message = str(entry.get("message", ""))
        if any(limit in f"{message} {json.dumps(data, default=str)}" for limit in LIMITS):
            until = at(str(entry["at"]))
            yield until - float(data.get("seconds") or RUN_SECONDS), until, f"{message[:120]}"
