"""A deployer in memory: releases run, answer or not, and every restart is counted."""

from __future__ import annotations

from typing import Literal

from agent.errors import Misconfigured, NotFound, Permanent
from agent.model.delivery import Deployment, Release
from agent.model.target import Target

from .clock import FakeClock


class FakeDeployer:
    """Implements `Deployer` for one target. ``broken`` releases never answer; ``known`` are those that exist."""

    def __init__(self, known: tuple[str, ...], *, broken: tuple[str, ...] = (), clock: FakeClock | None = None) -> None:
        self.known, self.broken = set(known), set(broken)
        self.clock = clock or FakeClock()
        self.finished: list[Deployment] = []
        self.current: str | None = None
        self.pid = 100
        self.restarts = 0

    def running(self, target: Target) -> Release:  # noqa: ARG002 - one target only
        if self.current is None:
            return Release(commit=None, healthy=False)
        return Release(commit=self.current, healthy=self.current not in self.broken, pid=self.pid)

    def find(self, target: Target, name: str) -> Deployment | None:  # noqa: ARG002 - one target only
        return next((one for one in reversed(self.finished) if one.name == name), None)

    def deploy(self, target: Target, name: str, commit: str, *, kind: Literal["deploy", "rollback"]) -> Deployment:
        if commit not in self.known:
            raise NotFound(f"no commit {commit}")
        return self.find(target, name) or self._run(target, name, kind, commit)

    def restart(self, target: Target, name: str) -> Deployment:
        if self.current is None:
            raise Misconfigured("nothing is deployed")
        return self.find(target, name) or self._run(target, name, "restart", self.current)

    def _run(
        self, target: Target, name: str, kind: Literal["deploy", "rollback", "restart"], commit: str
    ) -> Deployment:
        if self.find(target, f"{name}-put-back") is not None:
            raise Permanent(f"{name} was put back before")
        previous = self.current
        self._start(commit)
        if commit in self.broken:
            if previous not in (None, commit):
                self._start(previous)
                self._record(f"{name}-put-back", "rollback", previous, commit)
            raise Permanent(f"{commit[:10]} did not come up; {(previous or 'nothing')[:10]} was put back")
        return self._record(name, kind, commit, previous)

    def _start(self, commit: str) -> None:
        self.current = commit
        self.pid += 1
        self.restarts += 1

    def _record(self, name: str, kind: str, commit: str, previous: str | None) -> Deployment:
        now = self.clock.now()
        one = Deployment.model_validate(
            {
                "name": name,
                "kind": kind,
                "commit": commit,
                "previous": previous,
                "by": "agent",
                "started_at": now,
                "finished_at": now,
            }
        )
        self.finished.append(one)
        return one
