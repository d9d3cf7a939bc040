"""Durable steps in memory, with a process that can be killed at the worst moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from agent.errors import Transient, UnknownEffect
from agent.model.record import Record
from agent.ports import EffectKind

T = TypeVar("T", bound=Record)
TRIES = 3


class Killed(Exception):
    """The process died here; what was remembered before is there at the next start."""


class StepMemory:
    """What survives a crash: finished steps by run and name, intents and results of effects by name.

    ``kill_before`` and ``kill_after`` name steps and effects: at the first one that comes the process dies, before it
    begins, or when it is done and nobody has written that down.
    """

    def __init__(self) -> None:
        self.finished: dict[tuple[str, str], str] = {}
        self.effects: dict[str, str | None] = {}
        self.kill_before: set[str] = set()
        self.kill_after: set[str] = set()
        self.tried: list[str] = []

    def die(self, name: str, moments: set[str]) -> None:
        if name in moments:
            moments.discard(name)
            raise Killed(name)


class FakeSteps:
    """Implements `Steps` for one run of one phase."""

    def __init__(self, memory: StepMemory, run: str) -> None:
        self._memory, self._run = memory, run

    def run(self, name: str, of: type[T], step: Callable[[], T]) -> T:
        memory, key = self._memory, (self._run, name)
        if key not in memory.finished:
            memory.die(name, memory.kill_before)
            done = self._tried(name, step).model_dump_json()
            memory.die(name, memory.kill_after)
            memory.finished[key] = done
        return of.model_validate_json(memory.finished[key])

    def effect(
        self, name: str, kind: EffectKind, of: type[T], *, find: Callable[[], T | None], make: Callable[[], T]
    ) -> T:
        memory = self._memory

        def perform() -> T:
            known = memory.effects.get(name)
            if known is not None:
                return of.model_validate_json(known)
            if name in memory.effects and kind == "once":
                raise UnknownEffect(f"{name} may or may not have happened")
            memory.effects[name] = None
            found = find() if kind == "named" else None
            made = make() if found is None else found
            memory.die(f"made {name}", memory.kill_after)
            memory.effects[name] = made.model_dump_json()
            return made

        return self.run(name, of, perform)

    def _tried(self, name: str, step: Callable[[], T]) -> T:
        for _ in range(TRIES - 1):
            self._memory.tried.append(name)
            try:
                return step()
            except Transient:
                continue
        return step()
