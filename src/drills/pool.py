"""Stages several drills side by side, each in a process of its own with a folder of its own; a crash costs only one.

Every process of a staging, the examiner's too, carries the mark of its run folder: what a killed range leaves behind is
ended by the next one's start.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from .ground import Ground, Run
from .sitting import SAID, Order
from .stage import child_environment

LONGEST_SECONDS: Final = 600.0  # of one staging, whatever happens in it
_TICK: Final = 0.2
_EXAMINER: Final = "examiner"


@dataclass(frozen=True)
class Lost:
    """A staging whose process ended without an answer; ``why`` is its last word."""

    why: str


Answer = Mapping[str, Any] | Lost


@dataclass
class _Slot:
    number: int
    run: Run
    since: float
    heard: int = 0  # bytes


class Pool:
    """``jobs`` stagings at once; ``heard`` is told what each of them says on its way, with the number of its order."""

    def __init__(
        self, ground: Ground, jobs: int, heard: Callable[[int, str], None] = lambda _number, _line: None
    ) -> None:
        self._ground, self._jobs, self._heard = ground, jobs, heard
        self._slots: list[_Slot] = []

    def each(self, orders: Sequence[Order], begun: Callable[[int], None]) -> Iterator[tuple[int, Answer]]:
        """The answers as they come, with the number of their order. All that was started is ended on the way out."""
        waiting = list(enumerate(orders))
        with self._ended():
            while waiting or self._slots:
                while waiting and len(self._slots) < self._jobs:
                    number, order = waiting.pop(0)
                    begun(number)
                    self._slots.append(_Slot(number, self._begin(order), time.monotonic()))
                time.sleep(_TICK)
                for slot in self._slots:
                    self._listen(slot)
                for slot in [one for one in self._slots if self._over(one)]:
                    answer = _answer(slot.run)
                    self._end(slot)
                    yield slot.number, answer

    def _begin(self, order: Order) -> Run:
        run = self._ground.new_run()
        path = run.papers / "order.json"
        path.write_text(json.dumps(asdict(order)), encoding="utf-8")
        argv = [sys.executable, "-m", "drills.sitting", str(path), str(run.folder)]
        run.processes.start(_EXAMINER, argv, env=child_environment(), log=run.logs(_EXAMINER), cwd=run.folder)
        return run

    def _over(self, slot: _Slot) -> bool:
        return not slot.run.processes.alive(_EXAMINER) or time.monotonic() - slot.since > LONGEST_SECONDS

    def _listen(self, slot: _Slot) -> None:
        path = slot.run.papers / SAID
        text = path.read_bytes()[slot.heard :] if path.exists() else b""
        whole = text[: text.rfind(b"\n") + 1]  # a line that is still being written is heard the next time
        slot.heard += len(whole)
        for line in whole.decode("utf-8", errors="replace").splitlines():
            self._heard(slot.number, line)

    def _end(self, slot: _Slot) -> None:
        slot.run.processes.end_all()
        self._ground.remove(slot.run)
        self._slots.remove(slot)

    @contextmanager
    def _ended(self) -> Iterator[None]:
        try:
            yield
        finally:
            for slot in list(self._slots):
                self._end(slot)


def _answer(run: Run) -> Answer:
    """What the examiner wrote, when it came to its end; else its last words."""
    path = run.papers / "result.json"
    if run.processes.status(_EXAMINER) == 0 and path.exists():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    log = run.logs(_EXAMINER)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return Lost(
        lines[-1] if lines else f"its process ended, or took more than {LONGEST_SECONDS:.0f} s, and said nothing"
    )
