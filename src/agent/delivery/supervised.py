"""Deploys to a local process under a supervisor. See docs/supervised-target.md for the layout.

A deployment is: intent, checkout, ``current`` switched, restart, health, record. Killed anywhere, the same call made
again goes on from what it finds: the process's own start and folder tell whether the restart was done already.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ..errors import Misconfigured, Permanent, Unreachable
from ..kit.git import Git
from ..kit.http import HttpClient
from ..kit.redact import fence, redact
from ..model.delivery import Deployment, Release
from ..model.target import Target
from ..ports import Clock, Trail
from .claims import claimed_commit, healthy
from .releases import Intent, Kind, Releases
from .supervisor import Identity, Supervisor, working_folder

HTTP_TIMEOUT = 2.0
LOG_LENGTH = 1500
MOST_LIVES = 3


@dataclass(frozen=True)
class _Tools:
    """What the deployer was built with."""

    clock: Clock
    trail: Trail | None
    by: str
    health_timeout: float
    pause: Callable[[float], None]
    http: HttpClient


class SupervisedDeployer:
    """Implements `Deployer` for targets with ``supervisor`` (its socket) and ``release_root``.

    ``health_timeout`` seconds is how long a release may take until its health answers.
    """

    def __init__(
        self,
        clock: Clock,
        trail: Trail | None = None,
        *,
        program: str = "service",
        by: str = "agent",
        health_timeout: float = 30.0,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tools = _Tools(clock, trail, by, health_timeout, pause, HttpClient())
        self._program = program

    def close(self) -> None:
        """Close the connections to targets."""
        self._tools.http.close()

    def running(self, target: Target) -> Release:
        """What runs now: the release its process was started in, whatever the target itself says of it.

        A target that is wrong about its commit would hide riders: the disagreement is put on the trail, the deployer's
        own knowledge counts. Only where the deployer has none is the target believed.
        """
        claimed = claimed_commit(self._tools.http, target, timeout=HTTP_TIMEOUT)
        pid, since, folder, process = None, None, None, ""
        releases, supervisor = self._parts(target)
        try:
            state = supervisor.state()
        except Unreachable:
            pass  # the supervisor may be down while its service answers: say what can be said
        else:
            pid, since = (state.identity.pid if state.identity else None), state.since
            folder = working_folder(pid) if pid else None
            process = f"{state.state} ({redact(state.problem)[:200]})"
        started = folder.name if folder is not None and folder == releases.folder(folder.name).resolve() else None
        known = started or releases.current()
        if known and claimed and known != claimed:
            self._say_disagreement(target, known, claimed)
        return Release(
            commit=known or claimed,
            healthy=healthy(self._tools.http, target, timeout=HTTP_TIMEOUT),
            pid=pid,
            since=since,
            process=process,
        )

    def _say_disagreement(self, target: Target, known: str, claimed: str) -> None:
        if self._tools.trail is not None:
            said = f"{target.name} says it runs {claimed[:10]}, but it was started from {known[:10]}: the latter counts"
            self._tools.trail.append("release.disagrees", said, data={"started": known, "claimed": claimed})

    def find(self, target: Target, name: str) -> Deployment | None:
        """A finished deployment by its name."""
        return self._parts(target)[0].find(name)

    def deploy(self, target: Target, name: str, commit: str, *, kind: Literal["deploy", "rollback"]) -> Deployment:
        """Make ``commit`` the running release and wait until it answers; a second call changes nothing more.

        When it does not answer in time the former release is put back, and `Permanent` says so with the log's end.
        Raises `Unreachable` when the supervisor is down, `Busy` while another deployment is under way.
        """
        full = Git(target.repository).resolve(commit)
        return self._run(target, name, kind, full)

    def restart(self, target: Target, name: str) -> Deployment:
        """Restart the running release and wait until it answers. Raises as `deploy` does."""
        current = self._parts(target)[0].current()
        if current is None:
            raise Misconfigured(f"{target.name} has no current release: deploy one first")
        return self._run(target, name, "restart", current)

    def _run(self, target: Target, name: str, kind: Kind, commit: str) -> Deployment:
        releases, supervisor = self._parts(target)
        with releases.locked():
            done = releases.find(name)
            if done is not None:
                self._forget(releases, name)
                return done
            undone = releases.find(_put_back(name))
            if undone is not None:
                self._forget(releases, name)
                raise Permanent(f"{name} was tried before and put back to {undone.commit[:10]}: it did not answer")
            work = _Work(self._tools, target, releases, supervisor)
            intent = work.intent(name, kind, commit)
            return work.carry_out(intent)

    @staticmethod
    def _forget(releases: Releases, name: str) -> None:
        """Remove the intent of a deployment that is on record already: a crash came between the two."""
        intent = releases.intent()
        if intent is not None and intent.name == name:
            releases.forget()

    def _parts(self, target: Target) -> tuple[Releases, Supervisor]:
        if target.supervisor is None or target.release_root is None:
            raise Misconfigured(f"{target.name} is not under a supervisor: set supervisor and release_root for it")
        supervisor = Supervisor(target.supervisor, self._program, pause=self._tools.pause)
        return Releases(target.release_root, target.repository), supervisor


@dataclass(frozen=True)
class _Work:
    """One deployment under way, with the lock held."""

    tools: _Tools
    target: Target
    releases: Releases
    supervisor: Supervisor

    def intent(self, name: str, kind: Kind, commit: str) -> Intent:
        """This deployment's intent: the one a crash left behind, or a new one."""
        left = self.releases.intent()
        if left is not None and left.name == name:
            return left
        if left is not None:
            self._settle(left)
        state = self.supervisor.state()
        return self.releases.intend(
            Intent(
                name=name,
                kind=kind,
                commit=commit,
                previous=self.releases.current(),
                before=_pair(state.identity),
                started_at=self.tools.clock.now(),
            )
        )

    def carry_out(self, intent: Intent) -> Deployment:
        """Go on from wherever an earlier call stopped."""
        if not intent.failure:
            problem = self._serve(intent)
            if problem is None:
                return self._record(intent, intent.name, intent.kind, intent.commit, intent.previous)
            failed = _pair(self.supervisor.state().identity)
            intent = self.releases.intend(intent.model_copy(update={"failure": problem, "before": failed}))
        raise Permanent(self._undo(intent))

    def _undo(self, intent: Intent) -> str:
        """Put the former release back, and say what happened."""
        what = f"{intent.commit[:10]} did not come up: {intent.failure}"
        if intent.previous is None or intent.previous == intent.commit:
            self.releases.forget()
            return f"{what}. There is no other release to put back: look at the service's log"
        problem = self._serve(intent.model_copy(update={"commit": intent.previous, "previous": intent.commit}))
        self._record(intent, _put_back(intent.name), "rollback", intent.previous, intent.commit)
        state = "it runs again" if problem is None else f"but it does not answer either: {problem}"
        message = f"{what}. {intent.previous[:10]} was put back; {state}"
        if self.tools.trail is not None:
            self.tools.trail.append("deployment.put_back", fence(message, LOG_LENGTH))
        return message

    def _serve(self, intent: Intent) -> str | None:
        """Make the intent's commit the running release; why it does not answer, or None."""
        folder = self.releases.unpack(intent.commit)
        self.releases.switch(intent.commit)
        if not self._restarted(intent, folder.resolve().name):
            try:
                self.supervisor.restart()
            except Unreachable:
                raise
            except Permanent as error:
                return str(error)
        return self._wait(intent.commit)

    def _restarted(self, intent: Intent, name: str) -> bool:
        """Whether the supervisor has started another process on this release since the intent was written."""
        identity = self.supervisor.state().identity
        if identity is None or _pair(identity) == intent.before:
            return False
        folder = working_folder(identity.pid)
        return folder is not None and folder == self.releases.folder(name).resolve()

    def _wait(self, commit: str) -> str | None:
        """Wait for health and for the right commit; why it did not come, or None."""
        tools, lives = self.tools, _Lives()
        deadline = tools.clock.monotonic() + tools.health_timeout
        while True:
            state = self.supervisor.state()
            lives.saw(state.identity)
            problem = lives.problem or self._problem(state.state, state.identity, commit)
            if problem is None:
                return None
            if state.state == "FATAL" or lives.problem or tools.clock.monotonic() > deadline:
                log = fence(self.supervisor.log_tail(), LOG_LENGTH).strip()
                return f"{problem}. The end of its log:\n{log}"
            tools.pause(0.1)

    def _problem(self, state: str, identity: Identity | None, commit: str) -> str | None:
        http = self.tools.http
        if identity is None:
            return f"its process does not run ({state.lower()})"
        if not healthy(http, self.target, timeout=HTTP_TIMEOUT):
            return f"its health did not answer within {self.tools.health_timeout:.0f} s"
        claimed = claimed_commit(http, self.target, timeout=HTTP_TIMEOUT)
        if claimed is not None and not commit.startswith(claimed):
            return f"what answers says it is {claimed[:10]}"
        return None

    def _record(self, intent: Intent, name: str, kind: Kind, commit: str, previous: str | None) -> Deployment:
        done = Deployment(
            name=name,
            kind=kind,
            commit=commit,
            previous=previous,
            by=self.tools.by,
            started_at=intent.started_at,
            finished_at=self.tools.clock.now(),
        )
        self.releases.record(done)
        self.releases.prune(commit, previous)
        return done

    def _settle(self, left: Intent) -> None:
        """Another deployment was cut short for good: it is on record if its release came to run."""
        if self.releases.folder(left.commit).exists() and self._restarted(left, left.commit):
            self._record(left, left.name, left.kind, left.commit, left.previous)
        else:
            self.releases.forget()


@dataclass
class _Lives:
    """Counts the processes seen while waiting: one that keeps ending is not coming up."""

    seen: set[Identity] = field(default_factory=set)

    def saw(self, identity: Identity | None) -> None:
        """Note one look at the process."""
        if identity is not None:
            self.seen.add(identity)

    @property
    def problem(self) -> str | None:
        """Why waiting longer is of no use, or None."""
        return "its process ends again and again" if len(self.seen) > MOST_LIVES else None


def _pair(identity: Identity | None) -> tuple[int, int] | None:
    return None if identity is None else (identity.pid, identity.born)


def _put_back(name: str) -> str:
    return f"{name}-put-back"
