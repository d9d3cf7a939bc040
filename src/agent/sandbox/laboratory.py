"""Runs the target's code at any commit, with a patch or without, inside the sandbox; implements `Laboratory`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import NotFound
from ..kit.git import Git
from ..kit.workspaces import Workspaces
from ..model.experiment import Capsule
from ..model.replay import Replay, SuiteResult
from ..model.target import Target
from .bubblewrap import Bind, Bubblewrap, Limits, SandboxResult
from .bytecode import Bytecode
from .environment import Environments, home, interpreter_folders
from .lock import lock_hash
from .results import document, ending, replay_of, tests_of
from .trees import VAR, Trees, has_room

SOURCE, TREE, STATE, ENVIRONMENT, DRIVER = "/src", "/tree", "/state", "/env", "/driver.py"
JUNIT = f"{STATE}/junit.xml"
STATE_MIB, COPY_MIB = 512, 1024
START_SECONDS, REQUEST_SECONDS, EXTRA_SECONDS, COMPILE_SECONDS = 20.0, 5.0, 15.0, 30.0
RATE = 150.0
LONGEST_DETAIL = 4000


@dataclass(frozen=True)
class _Interpreter:
    """The Python inside, and what must be bound for it."""

    python: str
    binds: tuple[Bind, ...]
    name: str


class SandboxLaboratory:
    """The laboratory over bubblewrap; ``cores`` says how many runs there may be side by side (default: all cores)."""

    def __init__(
        self,
        sandbox: Bubblewrap,
        environments: Environments,
        workspaces: Workspaces,
        *,
        limits: Limits | None = None,
        cores: int | None = None,
    ) -> None:
        self._sandbox, self._environments = sandbox, environments
        self._limits = limits or Limits()
        self._cores = cores or os.cpu_count() or 1
        self._trees = Trees(workspaces)
        self._bytecode = Bytecode()

    def close(self) -> None:
        """Remove the kept trees."""
        self._trees.close()

    def prepare(self, target: Target, commit: str) -> str:
        """Build the environment of the commit's lock once; returns the lock's hash."""
        self._sandbox.check()
        lock = _lock_text(target, commit)
        self._environments.build(lock)
        return lock_hash(lock)

    def make_ready(self, target: Target, commit: str) -> None:
        """Build the environment of a commit, check it out and compile it, ahead of the first run."""
        self.prepare(target, commit)
        with self._tree(target, commit, None, self._interpreter(target, commit, "")):
            pass

    def replay_all(
        self, target: Target, capsule: Capsule, trees: tuple[tuple[str, str | None], ...]
    ) -> tuple[Replay, ...]:
        """Several ``(commit, patch)`` side by side, as many at once as there are cores."""
        with ThreadPoolExecutor(self._cores) as pool:
            return tuple(pool.map(lambda tree: self.replay(target, capsule, *tree), trees))

    def replay(self, target: Target, capsule: Capsule, commit: str, patch: str | None = None) -> Replay:
        """Start the service at ``commit`` (with ``patch`` applied) and send the capsule's requests.

        Raises `NotFound` for an unknown commit, `Conflict` for a patch that does not apply.
        """
        self._sandbox.check()
        began = time.monotonic()
        interpreter = self._interpreter(target, commit, "")
        order = _replay_order(target, capsule)
        wall = order["start_seconds"] + order["total_seconds"] + 2 * REQUEST_SECONDS
        with self._tree(target, commit, patch, interpreter) as tree:
            binds = (Bind(tree, SOURCE),)
            scratch = {STATE: STATE_MIB} | ({f"{SOURCE}/{VAR}": STATE_MIB} if has_room(tree) else {})
            result = self._drive(interpreter, order, binds, scratch, replace(self._limits, wall=wall))
        return replay_of(target, capsule, result, time.monotonic() - began)

    def suite(
        self, target: Target, commit: str, patch: str | None = None, only: tuple[str, ...] = (), *, python: str = ""
    ) -> SuiteResult:
        """Run the target's own tests (``only`` these paths when given) on a private copy of the tree.

        ``python`` is an interpreter of the host to use instead of the environment of the target's lock; it is bound
        read-only. Raises `NotFound` for an unknown commit, `Conflict` for a patch that does not apply.
        """
        self._sandbox.check()
        began = time.monotonic()
        interpreter = self._interpreter(target, commit, python)
        argv = [part.replace("{python}", interpreter.python) for part in target.test]
        added = f"{target.env.get('PYTEST_ADDOPTS', '')} -p no:cacheprovider --junitxml={JUNIT}".strip()
        order = {
            "kind": "suite",
            "argv": [*argv, *only],
            "env": {**target.env, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": added},
            "tree": TREE,
            "cwd": SOURCE,
            "junit": JUNIT,
        }
        with self._tree(target, commit, patch, interpreter) as tree:
            scratch = {STATE: STATE_MIB, SOURCE: COPY_MIB}
            result = self._drive(interpreter, order, (Bind(tree, TREE),), scratch, self._limits)
        return _suite_result(result, time.monotonic() - began)

    def _drive(
        self,
        interpreter: _Interpreter,
        order: Mapping[str, Any],
        binds: tuple[Bind, ...],
        scratch: Mapping[str, int],
        limits: Limits,
    ) -> SandboxResult:
        """Carry out one order; whatever the target's environment holds is set inside, after privileges are gone."""
        driver = Bind(Path(__file__).with_name("driver.py"), DRIVER)
        return self._sandbox.run(
            [interpreter.python, "-I", "-S", DRIVER],
            binds=(*interpreter.binds, driver, *binds),
            scratch=scratch,
            cwd="/",
            limits=limits,
            stdin=json.dumps(order).encode(),
        )

    def _interpreter(self, target: Target, commit: str, python: str) -> _Interpreter:
        if python:
            folders = interpreter_folders(Path(python))
            return _Interpreter(python, tuple(Bind(folder, str(folder)) for folder in folders), python)
        environment = self._environments.build(_lock_text(target, commit))
        base = home(environment)
        binds = (Bind(environment, ENVIRONMENT), *((Bind(base, str(base)),) if base else ()))
        return _Interpreter(f"{ENVIRONMENT}/bin/python", binds, environment.name)

    @contextmanager
    def _tree(self, target: Target, commit: str, patch: str | None, interpreter: _Interpreter) -> Iterator[Path]:
        def compile_inside(tree: Path, files: list[str]) -> dict[str, Any]:
            order = {"kind": "compile", "cwd": SOURCE, "files": files, "work": STATE}
            limits = replace(self._limits, wall=COMPILE_SECONDS, output=max(self._limits.output, 32 << 20))
            result = self._drive(interpreter, order, (Bind(tree, SOURCE),), {STATE: STATE_MIB}, limits)
            return document(result)[0] or {}

        def finish(tree: Path) -> None:
            self._bytecode.fill(tree, interpreter.name, compile_inside)

        with self._trees.use(target.repository, commit, patch, finish) as tree:
            yield tree


def _replay_order(target: Target, capsule: Capsule) -> dict[str, Any]:
    replayed = {name: value for name, value in capsule.env.items() if name in target.replay_env}
    env = {**target.env, **replayed, **(target.soak_env if capsule.soak_seconds > 0 else {})}
    log = f"{STATE}/service.log" if target.log_env else ""
    if target.log_env:
        env[target.log_env] = log
    fill = {"{python}": f"{ENVIRONMENT}/bin/python", "{host}": "127.0.0.1"}
    return {
        "kind": "replay",
        "serve": [_filled(part, fill) for part in target.serve],
        "env": {**env, "PYTHONDONTWRITEBYTECODE": "1"},
        "cwd": SOURCE,
        "output": f"{STATE}/output.txt",
        "log": log,
        "health_path": target.health_path,
        "metrics_path": target.metrics_path,
        "requests": [request.model_dump(mode="json") for request in (*capsule.failing, *capsule.healthy)],
        "repeat": capsule.repeat,
        "soak_seconds": capsule.soak_seconds,
        "rate": RATE,
        "start_seconds": START_SECONDS,
        "request_seconds": REQUEST_SECONDS,
        "total_seconds": capsule.soak_seconds + EXTRA_SECONDS,
    }


def _filled(part: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        part = part.replace(name, value)
    return part


def _lock_text(target: Target, commit: str) -> str:
    git = Git(target.repository)
    done = git.call("show", "--end-of-options", f"{git.resolve(commit)}:{target.lock}")
    if done.returncode != 0:
        raise NotFound(f"{target.name} has no {target.lock} at {commit[:10]}: set `lock` for this target")
    return done.text


def _suite_result(result: SandboxResult, seconds: float) -> SuiteResult:
    report, why = document(result)
    detail = ending(result.stderr.decode("utf-8", "replace"), LONGEST_DETAIL)
    if report is None:
        return SuiteResult(passed=(), failed=(), finished=False, detail=f"{detail}\n{why}".strip(), seconds=seconds)
    passed, failed = tests_of(str(report.get("junit", "")))
    good = report.get("returncode") == 0
    if not passed and not failed:
        passed, failed = (("the test command",), ()) if good else ((), ("the test command",))
    elif not good and not failed:  # the command says no although every test it named passed: an error outside them
        failed = ("the test command",)
    detail = f"{detail}\n{report.get('problem', '')}".strip()
    return SuiteResult(passed=passed, failed=failed, finished=True, detail=detail, seconds=seconds)
