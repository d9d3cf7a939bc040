"""One staging in a process of its own: ``python -m drills.sitting ORDER.json RUN``; a crash costs only this one.

The order says which drill and who plays, RUN is the folder to do it in; the answer is written to ``result.json`` beside
the order, whole or not at all.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from . import approval_policy
from .breaks import BREAKS
from .drill import Drill, read
from .exam import Exam
from .ground import Run
from .record import AGENT, Result
from .rehearsal import rehearse
from .stage import Stage

REHEARSAL: Final = "rehearsal"


@dataclass(frozen=True)
class Order:
    """What to stage: ``player`` may also be `REHEARSAL`. Paths are absolute."""

    drill: str
    cache: str
    player: str = AGENT
    stack: str = "embedded"
    seed: int = 1
    policy: str = ""
    alarm_only: bool = False


def main(argv: list[str] | None = None) -> int:
    """Stage what the order says; returns the exit status."""
    path, folder = map(Path, argv or sys.argv[1:])
    order = Order(**json.loads(path.read_text(encoding="utf-8")))
    drill = read(Path(order.drill))
    document = sit(Run(folder), drill, order)
    fresh = path.with_name("result.new")
    fresh.write_text(json.dumps(document, indent=1), encoding="utf-8")
    fresh.replace(path.with_name("result.json"))
    return 0


def sit(run: Run, drill: Drill, order: Order) -> Mapping[str, Any]:
    """The result as plain data; what breaks on the way is the result's problem."""
    began = time.time()
    rehearsal = order.player == REHEARSAL
    try:
        stage = Stage(
            run=run,
            cache=Path(order.cache),
            seed=order.seed,
            stack="prometheus" if order.stack == "prometheus" else "embedded",
            say=lambda _message: None,
            wanted=drill,
            autonomy="approve" if order.player == AGENT else "observe",
            rehearsal=rehearsal,
        )
        stage.build()
        stage.start()
        prepared = time.time() - began
        if rehearsal:
            return rehearse(stage, drill)
        policy = approval_policy.read(Path(order.policy) if order.policy else None)
        exam = Exam(stage, drill, player_name=order.player, policy=policy, alarm_only=order.alarm_only)
        try:
            result = exam.sit()
        finally:
            exam.close()
    except BREAKS as error:
        result, prepared = Result(drill.name, drill.family, player=order.player), time.time() - began
        result.problem = f"could not be staged: {error}"
    result.stages["prepare"] = prepared
    return asdict(result)


if __name__ == "__main__":
    sys.exit(main())
