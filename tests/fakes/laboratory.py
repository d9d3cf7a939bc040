"""A laboratory in memory: a table says how each commit behaves, and what a patch makes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from agent.errors import Conflict, NotFound, Unsafe
from agent.model.evidence import RecordedRequest, Signature
from agent.model.experiment import Capsule
from agent.model.replay import Answer, Replay, SuiteResult
from agent.model.target import Target

ADDED_TEST = re.compile(r"^\+\+\+ b/(.*/)?(test_\w+)\.py$", re.MULTILINE)
Tree = tuple[str, str | None]


@dataclass(frozen=True)
class Behaviour:
    """How one tree behaves.

    ``fails`` maps a request (``/path?query``) to the exception it raises, or to None for a 500 without one; ``answers``
    maps a request to the body of its 200. ``tests`` are the names of its own suite, ``broken`` those that fail. A test
    that a patch adds fails too where a request fails, or where the tree is ``wrong`` in a way that no exception shows.
    """

    fails: Mapping[str, Signature | None] = field(default_factory=dict)
    answers: Mapping[str, object] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    unable: Signature | None = None
    tests: tuple[str, ...] = ("tests.test_app::test_it",)
    broken: tuple[str, ...] = ()
    hangs: bool = False
    wrong: bool = False

    @property
    def well(self) -> bool:
        """Whether a test that a patch adds passes."""
        return self.unable is None and not self.fails and not self.wrong


WELL = Behaviour()


class FakeLaboratory:
    """Implements `Laboratory`.

    ``patched`` maps a line of a diff (as it stands there, with its sign) to what the patched tree behaves like; the first
    line that a patch holds counts, a patch with none of them changes nothing. A patch that holds ``unfit`` does not apply.
    ``flaky`` trees take their behaviours from a list, one a run, the last one for ever.
    """

    def __init__(
        self,
        releases: Mapping[str, Behaviour],
        patched: Mapping[str, Behaviour] | None = None,
        *,
        isolated: bool = True,
    ) -> None:
        self.releases, self.patched = dict(releases), dict(patched or {})
        self.flaky: dict[Tree, list[Behaviour]] = {}
        self.isolated = isolated
        self.prepared: list[str] = []
        self.replayed: list[Tree] = []
        self.suites: list[Tree] = []

    def prepare(self, target: Target, commit: str) -> str:  # noqa: ARG002 - one target only
        self._behaviour(commit, None)
        self.prepared.append(commit)
        return sha256(b"the one lock").hexdigest()

    def replay(self, target: Target, capsule: Capsule, commit: str, patch: str | None = None) -> Replay:  # noqa: ARG002
        behaviour = self._behaviour(commit, patch)
        self.replayed.append((commit, patch))
        if behaviour.unable is not None:
            problem = f"the service did not start: {behaviour.unable.exception}"
            return Replay(started=False, problem=problem, startup_signature=behaviour.unable)
        requests = (*capsule.failing, *capsule.healthy)
        answers = tuple(_answer(behaviour, request) for request in requests)
        failed = tuple(capsule.repeat * (answer.status >= 500) for answer in answers)
        ratio = sum(failed[: len(capsule.failing)]) / max(1, len(capsule.failing) * capsule.repeat)
        return Replay(
            started=True,
            answers=answers,
            failures=failed,
            repetitions=capsule.repeat,
            measured={"error_ratio": ratio, **behaviour.measured},
            seconds=0.1,
        )

    def replay_all(self, target: Target, capsule: Capsule, trees: tuple[Tree, ...]) -> tuple[Replay, ...]:
        return tuple(self.replay(target, capsule, *tree) for tree in trees)

    def suite(
        self, target: Target, commit: str, patch: str | None = None, only: tuple[str, ...] = (), *, python: str = ""
    ) -> SuiteResult:
        del target, only, python  # one target, one interpreter, a small suite
        behaviour = self._behaviour(commit, patch)
        self.suites.append((commit, patch))
        if behaviour.hangs:
            return SuiteResult(passed=(), failed=(), finished=False, detail="the time limit ended it")
        added = [f"tests.{match[2]}::test_added" for match in ADDED_TEST.finditer(patch or "")]
        failed = behaviour.broken if behaviour.well else (*behaviour.broken, *added)
        return SuiteResult(
            passed=tuple(name for name in (*behaviour.tests, *added) if name not in failed),
            failed=failed,
            finished=True,
            seconds=0.1,
        )

    def _behaviour(self, commit: str, patch: str | None) -> Behaviour:
        if not self.isolated:
            raise Unsafe("there is no bubblewrap here: install it")
        if commit not in self.releases:
            raise NotFound(f"no commit {commit}")
        if patch is not None and "unfit" in patch:
            raise Conflict("the patch does not apply")
        lined_up = self.flaky.get((commit, patch))
        if lined_up:
            return lined_up.pop(0) if len(lined_up) > 1 else lined_up[0]
        lines = set((patch or "").splitlines())
        cured = next((behaviour for line, behaviour in self.patched.items() if line in lines), None)
        return cured or self.releases[commit]


def _answer(behaviour: Behaviour, request: RecordedRequest) -> Answer:
    name = request.path + (f"?{request.query}" if request.query else "")
    if name in behaviour.fails:
        return Answer(status=500, body={}, duration_ms=1.0, signature=behaviour.fails[name])
    return Answer.model_validate({"status": 200, "body": behaviour.answers.get(name, {}), "duration_ms": 1.0})
