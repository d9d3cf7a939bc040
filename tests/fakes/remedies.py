"""Mitigations in memory: what was called, and what the target can do."""

from __future__ import annotations

from datetime import timedelta

from agent.errors import Misconfigured, Permanent
from agent.model.plan import Abilities, Deed, Option
from agent.model.target import Target

from .clock import FakeClock
from .deployer import FakeDeployer


class FakeRemedies:
    """Implements `Remedies`; ``calls`` are the actions that the target was asked for, in order."""

    def __init__(self, deployer: FakeDeployer, clock: FakeClock) -> None:
        self._deployer, self._clock = deployer, clock
        self.can = Abilities()
        self.calls: list[str] = []
        self.refuses = False
        self.broken: set[str] = set()

    def abilities(self, target: Target) -> Abilities:  # noqa: ARG002 - one target only
        return self.can

    def find(self, target: Target, name: str, option: Option) -> Deed | None:
        done = self._deployer.find(target, name)
        return None if done is None else Deed(
            name=name, remedy=option.remedy, detail=option.detail, at=done.started_at, said="found", deployment=done
        )  # fmt: skip

    def carry_out(self, target: Target, name: str, option: Option, reason: str) -> Deed:  # noqa: ARG002
        now, done, version = self._clock.now(), None, ""
        if option.remedy in self.broken:
            raise Permanent(f"{option.remedy} was refused")
        if option.remedy == "rollback":
            done = self._deployer.deploy(target, name, option.detail, kind="rollback")
        elif option.remedy in ("restart", "configuration_revert"):
            done = self._deployer.restart(target, name)
        elif option.remedy in self.can.actions or option.remedy == "promote":
            self.calls.append(f"{option.remedy} {option.detail}".strip())
            version = "c2" if option.remedy == "retrain" else ""
        else:
            raise Misconfigured(f"no action {option.remedy}")
        until = now + timedelta(hours=1) if option.remedy == "quarantine" else None
        said = f"{option.remedy} done"
        return Deed(
            name=name, remedy=option.remedy, detail=option.detail, at=now, said=said, version=version, until=until,
            deployment=done,
        )  # fmt: skip

    def lift(self, target: Target, name: str) -> Deed | None:  # noqa: ARG002 - one target only
        self.calls.append("lift")
        if self.refuses:
            raise Permanent("not now")
        return Deed(name=name, remedy="quarantine", at=self._clock.now(), said="lifted")
