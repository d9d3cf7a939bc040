"""Runs the target's code at any commit, with a patch or without, inside the sandbox; implements `Laboratory`."""

from __future__ import annotations

import json
import os
import re
import tarfile
import threading
import time
import xml.etree.ElementTree as ET
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

from ..errors import Conflict, NotFound
from ..kit.exposition import parse
from ..kit.git import Git
from ..kit.workspaces import Workspaces, remove
from ..model.evidence import Signature
from ..model.experiment import Capsule, digest
from ..model.replay import Answer, Replay, SuiteResult
from ..model.target import Target
from .bubblewrap import Bind, Bubblewrap, Limits, SandboxResult
from .environment import Environments, lock_hash
from .tracebacks import signature_of_line, signature_of_text

SOURCE, STATE, ENVIRONMENT, DRIVER = "/src", "/state", "/env", "/driver.py"
TREES_KEPT = 48
RATE = 150.0
GAUGES = {"mae_ratio": "prediction_mae_ratio", "data_age": "data_age_seconds", "invalid": "prediction_invalid_total"}
MEBI = 1 << 20
WORST_SHARE = 0.95
_LINKS = re.compile(r"^(?:new file|new) mode 1[26]0000", re.MULTILINE)


class SandboxLaboratory:
    """The laboratory over bubblewrap.

    ``gauges`` maps signal names to the target's metric names.
    """

    def __init__(
        self,
        sandbox: Bubblewrap,
        environments: Environments,
        workspaces: Workspaces,
        *,
        limits: Limits | None = None,
        gauges: Mapping[str, str] | None = None,
        cores: int | None = None,
    ) -> None:
        self._sandbox, self._environments, self._workspaces = sandbox, environments, workspaces
        self._limits = limits or Limits()
        self._gauges = dict(GAUGES if gauges is None else gauges)
        self._cores = cores or os.cpu_count() or 1
        self._trees: OrderedDict[str, Path] = OrderedDict()
        self._in_use: dict[Path, int] = {}
        self._lock = threading.Lock()

    def prepare(self, target: Target, commit: str) -> str:
        """Build the environment of the commit's lock once; returns the lock's hash."""
        self._sandbox.check()
        lock = self._lock_text(target, commit)
        self._environments.build(lock)
        return lock_hash(lock)

    def replay_all(
        self, target: Target, capsule: Capsule, trees: tuple[tuple[str, str | None], ...]
    ) -> tuple[Replay, ...]:
        """Several ``(commit, patch)`` side by side, as many at once as there are cores."""
        with ThreadPoolExecutor(self._cores) as pool:
            return tuple(pool.map(lambda tree: self.replay(target, capsule, *tree), trees))

    def replay(self, target: Target, capsule: Capsule, commit: str, patch: str | None = None) -> Replay:
        """Start the service at ``commit`` (with ``patch`` applied) and send the capsule's requests."""
        self._sandbox.check()
        began = time.monotonic()
        environment = self._environments.build(self._lock_text(target, commit))
        tree = self._tree(target, commit, patch)
        with self._workspaces.fresh("replay") as state:
            order = self._order(target, capsule)
            limits = Limits(
                wall=order["start_seconds"] + order["total_seconds"] + 10,
                cpu=self._limits.cpu,
                memory_mib=self._limits.memory_mib,
                processes=self._limits.processes,
            )
            argv = [f"{ENVIRONMENT}/bin/python", "-I", DRIVER]
            result = self._run(tree, environment, state, argv, self._static_env(target), limits, json.dumps(order))
        return self._report(target, capsule, result, time.monotonic() - began)

    def suite(
        self, target: Target, commit: str, patch: str | None = None, only: tuple[str, ...] = (), *, python: str = ""
    ) -> SuiteResult:
        """Run the target's own tests (``only`` these paths when given)."""
        self._sandbox.check()
        began = time.monotonic()
        environment = self._environments.build(self._lock_text(target, commit))
        tree = self._tree(target, commit, patch)
        with self._workspaces.fresh("suite") as state:
            interpreter = python or f"{ENVIRONMENT}/bin/python"
            argv = [part.replace("{python}", interpreter) for part in target.test]
            if any("pytest" in part for part in argv):
                argv += ["-p", "no:cacheprovider", f"--junitxml={STATE}/junit.xml"]
            result = self._run(tree, environment, state, [*argv, *only], self._static_env(target), self._limits, "")
            passed, failed = _junit(state / "junit.xml")
        detail = (result.stdout + result.stderr).decode("utf-8", "replace")[-4000:]
        finished = result.limit is None and (bool(passed or failed) or result.returncode == 0)
        if not passed and not failed and result.limit is None:
            passed, failed = (("the test command",), ()) if result.returncode == 0 else ((), ("the test command",))
        return SuiteResult(
            passed=passed, failed=failed, finished=finished, detail=detail, seconds=time.monotonic() - began
        )

    # -- what goes in --------------------------------------------------------------------------------------------

    def _order(self, target: Target, capsule: Capsule) -> dict[str, Any]:
        soaking = capsule.soak_seconds > 0
        replayed = {name: value for name, value in capsule.env.items() if name in target.replay_env}
        env = {**target.env, **replayed, **(target.soak_env if soaking else {})}
        log = f"{STATE}/service.log" if target.log_env else ""
        if target.log_env:
            env[target.log_env] = log
        serve = [
            part.replace("{python}", f"{ENVIRONMENT}/bin/python").replace("{host}", "127.0.0.1")
            for part in target.serve
        ]
        requests = [request.model_dump(mode="json") for request in (*capsule.failing, *capsule.healthy)]
        return {
            "serve": serve,
            "env": {**env, "PYTHONPYCACHEPREFIX": f"{STATE}/pycache"},
            "cwd": SOURCE,
            "output": f"{STATE}/output.txt",
            "log": log,
            "health_path": target.health_path,
            "metrics_path": target.metrics_path,
            "requests": requests,
            "repeat": capsule.repeat,
            "soak_seconds": capsule.soak_seconds,
            "rate": RATE,
            "start_seconds": 20.0,
            "request_seconds": 5.0,
            "total_seconds": capsule.soak_seconds + 15.0,
        }

    def _static_env(self, target: Target) -> dict[str, str]:
        """PYTHONPATH of a target is relative to its tree; state goes to the one writable folder."""
        return {**target.env, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": "/tmp"}  # noqa: S108 - inside the sandbox

    def _run(
        self,
        tree: Path,
        environment: Path,
        state: Path,
        argv: Sequence[str],
        env: Mapping[str, str],
        limits: Limits,
        feed: str,
    ) -> SandboxResult:
        driver = Path(__file__).with_name("driver.py")
        (state / "var").mkdir()
        for folder in (state, state / "var"):
            folder.chmod(0o777)  # the sandbox's uid differs; the folder above is private to this user
        binds = (
            Bind(tree, SOURCE),
            Bind(environment, ENVIRONMENT),
            Bind(driver, DRIVER),
            Bind(state, STATE, writable=True),
            Bind(state / "var", f"{SOURCE}/var", writable=True),
        )
        try:
            return self._sandbox.run(argv, binds=binds, cwd=SOURCE, env=env, limits=limits, stdin=feed.encode())
        finally:
            self._release(tree)

    def _lock_text(self, target: Target, commit: str) -> str:
        done = Git(target.repository).call("show", "--end-of-options", f"{commit}:{target.lock}")
        if done.returncode != 0:
            raise NotFound(f"{target.name} has no {target.lock} at {commit[:10]}: set `lock` for this target")
        return done.text

    # -- trees ---------------------------------------------------------------------------------------------------

    def _tree(self, target: Target, commit: str, patch: str | None) -> Path:
        """A clean export of ``commit`` with ``patch`` applied outside the sandbox; kept for the next run."""
        key = digest(f"{target.repository}\n{commit}\n{patch or ''}")
        with self._lock:
            if key in self._trees:
                self._trees.move_to_end(key)
                self._in_use[self._trees[key]] = self._in_use.get(self._trees[key], 0) + 1
                return self._trees[key]
        tree = self._workspaces.keep("tree")
        _export(Git(target.repository), commit, tree)
        if patch:
            _apply(tree, patch)
        (tree / "var").mkdir(exist_ok=True)
        with self._lock:
            self._trees[key] = tree
            self._in_use[tree] = self._in_use.get(tree, 0) + 1
            self._forget()
        return tree

    def _release(self, tree: Path) -> None:
        with self._lock:
            self._in_use[tree] -= 1

    def _forget(self) -> None:
        """Remove the oldest trees that nobody uses, down to the bound."""
        for key, tree in list(self._trees.items()):
            if len(self._trees) <= TREES_KEPT:
                return
            if not self._in_use.get(tree):
                del self._trees[key]
                self._in_use.pop(tree, None)
                remove(tree)

    # -- what comes out --------------------------------------------------------------------------------------------

    def _report(self, target: Target, capsule: Capsule, result: SandboxResult, seconds: float) -> Replay:
        try:
            report = json.loads(result.stdout)
        except ValueError:
            why = (
                f"the {result.limit} limit ended it"
                if result.limit
                else result.stderr.decode("utf-8", "replace")[-500:]
            )
            return Replay(started=False, problem=f"the run gave no report: {why}", seconds=seconds)
        if not report["started"]:
            return Replay(
                started=False,
                problem=f"the service did not start: {report['output'][-500:]}",
                startup_signature=signature_of_text(report["output"], target.source),
                seconds=seconds,
            )
        signatures = _signatures(report, target)
        answers = tuple(
            Answer(
                status=answer["status"],
                body=answer["body"],
                duration_ms=answer["duration_ms"],
                signature=signatures.get(index) if answer["status"] >= 500 else None,  # noqa: PLR2004 - HTTP server errors
            )
            for index, answer in enumerate(report["answers"])
        )
        return Replay(
            started=True,
            answers=answers,
            failures=tuple(report["failures"]),
            repetitions=report["repetitions"],
            measured=self._measured(capsule, report),
            problem=report["problem"],
            seconds=seconds,
        )

    def _measured(self, capsule: Capsule, report: dict[str, Any]) -> dict[str, float]:
        durations = report.get("durations") or []
        measured: dict[str, float] = {}
        if durations:
            measured["latency_p95"] = durations[min(len(durations) - 1, int(len(durations) * WORST_SHARE))] / 1000
        sent = report["repetitions"] * len(capsule.failing)
        if sent:
            measured["error_ratio"] = sum(report["failures"][: len(capsule.failing)]) / sent
        for sample in parse(report.get("metrics_after", "")):
            for signal, metric in self._gauges.items():
                if sample.name == metric and sample.value == sample.value:
                    measured[signal] = max(sample.value, measured.get(signal, sample.value))
        measured |= _growth(report.get("rss") or [])
        return measured


def _growth(points: list[list[float]]) -> dict[str, float]:
    """Resident memory at the end (MiB), and its growth per 100 requests after a warm-up third."""
    if not points:
        return {}
    measured = {"rss": points[-1][1] / MEBI}
    first = points[len(points) // 3]
    if points[-1][0] > first[0]:
        measured["memory_growth"] = (points[-1][1] - first[1]) / MEBI / (points[-1][0] - first[0]) * 100
    return measured


def _signatures(report: dict[str, Any], target: Target) -> dict[int, Signature]:
    """Which failing answer left which exception in the service's log: failures are logged in the order they were sent."""
    failing = [index for index, answer in enumerate(report["answers"]) if answer["status"] >= 500]  # noqa: PLR2004
    logged = [found for line in report["log"].splitlines() if (found := signature_of_line(line)) is not None]
    if not logged:
        found = signature_of_text(report["output"], target.source)
        return dict.fromkeys(failing, found) if found else {}
    return dict(zip(failing, logged[-len(failing) :], strict=False)) if failing else {}


def _export(git: Git, commit: str, tree: Path) -> None:
    done = git.call("archive", "--format=tar", commit, max_output=256 * MEBI)
    if done.returncode != 0 or done.truncated:
        raise NotFound(f"commit {commit[:10]} cannot be exported: {done.problem}")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(tree, filter="data")
    tree.chmod(0o755)


def _apply(tree: Path, patch: str) -> None:
    """Apply outside the sandbox, on a clean export; git refuses paths outside the tree and below ``.git`` by itself."""
    if _LINKS.search(patch):
        raise Conflict("the patch is refused: it makes a symbolic link or a submodule")
    Git(tree).apply(patch, env={"GIT_CEILING_DIRECTORIES": str(tree.parent)})


def _junit(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of passed and failed tests; skipped ones count as neither."""
    if not path.is_file() or path.is_symlink() or path.stat().st_size > 16 * MEBI:
        return (), ()
    try:
        root = ET.fromstring(path.read_bytes())  # noqa: S314 - bounded above; expat resolves no external entity
    except ET.ParseError:
        return (), ()
    passed, failed = [], []
    for case in root.iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is None:
            passed.append(name)
    return tuple(passed), tuple(failed)
