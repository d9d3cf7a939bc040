"""One staging in a process of its own: ``python -m drills.sitting ORDER.json RUN``; a crash costs only this one.

The order says which drill and who plays, RUN is the folder to do it in; the answer is written to ``result.json`` beside
the order, whole or not at all. What happens on the way is written there, too, a line at a time, for those who wait.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from . import approval_policy
from .breaks import BREAKS
from .drill import Drill, read
from .exam import Exam
from .ground import Run
from .load import Load, Watch
from .record import AGENT, Result
from .rehearsal import rehearse
from .stage import Stage

REHEARSAL: Final = "rehearsal"
SAID: Final = "said.txt"


@dataclass(frozen=True)
class Order:
    """What to stage: ``player`` may also be `REHEARSAL`. Paths are absolute.

    ``goes_down`` is whether the stage-check of the drill saw the target not answering.
    """

    drill: str
    cache: str
    player: str = AGENT
    stack: str = "embedded"
    seed: int = 1
    policy: str = ""
    alarm_only: bool = False
    goes_down: bool = False


def main(argv: list[str] | None = None) -> int:
    """Stage what the order says; returns the exit status."""
    path, folder = map(Path, argv or sys.argv[1:])
    order = Order(**json.loads(path.read_text(encoding="utf-8")))
    drill = read(Path(order.drill))
    with path.with_name(SAID).open("a", encoding="utf-8") as lines:
        document = sit(Run(folder), drill, order, lambda text: print(text, file=lines, flush=True))
    fresh = path.with_name("result.new")
    fresh.write_text(json.dumps(document, indent=1), encoding="utf-8")
    fresh.replace(path.with_name("result.json"))
    return 0


def sit(run: Run, drill: Drill, order: Order, say: Callable[[str], None]) -> Mapping[str, Any]:
    """The result as plain data, with the load of the machine; what breaks on the way is the result's problem."""
    watch = Watch(run.processes)
    try:
        return _sit(run, drill, order, say, watch)
    finally:
        watch.close()


def _sit(run: Run, drill: Drill, order: Order, say: Callable[[str], None], watch: Watch) -> Mapping[str, Any]:
    began = time.time()
    try:
        stage = _built(run, drill, order, say)
        prepared = time.time() - began
        if order.player == REHEARSAL:
            return {**rehearse(stage, drill, say), "load": _plain(watch.load())}
        result = _examined(stage, drill, order, say, watch)
    except BREAKS as error:
        result, prepared = Result(drill.name, drill.family, player=order.player), time.time() - began
        result.problem = f"could not be staged: {error}"
    result.stages["prepare"] = prepared
    result.load = watch.load()
    return asdict(result)


def _built(run: Run, drill: Drill, order: Order, say: Callable[[str], None]) -> Stage:
    stage = Stage(
        run=run,
        cache=Path(order.cache),
        seed=order.seed,
        stack="prometheus" if order.stack == "prometheus" else "embedded",
        say=say,
        wanted=drill,
        autonomy="approve" if order.player == AGENT else "observe",
        rehearsal=order.player == REHEARSAL,
    )
    stage.build()
    stage.start()
    return stage


def _examined(stage: Stage, drill: Drill, order: Order, say: Callable[[str], None], watch: Watch) -> Result:
    policy = approval_policy.read(Path(order.policy) if order.policy else None)
    exam = Exam(stage, drill, player_name=order.player, policy=policy, alarm_only=order.alarm_only, say=say)
    try:
        result = exam.sit()
        result.void = exam.void(watch.overloaded, goes_down=order.goes_down)
    finally:
        exam.close()
    return result


def _plain(load: Load | None) -> dict[str, Any] | None:
    return asdict(load) if load else None


if __name__ == "__main__":
    sys.exit(main())
