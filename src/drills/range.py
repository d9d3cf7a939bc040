"""``mpa drill``: stage drills, one after the other, and score what the agent did; results are kept and resumed.

A result belongs to (drill, its content, the agent's commit, stack, repetition). What is there is not run again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from .demo import Interrupted, end_on_signals, ended
from .door import Refused
from .drill import Drill, Unusable, read
from .environment import NotBuilt
from .exam import Exam
from .ground import Ground, Occupied
from .prometheus import Missing
from .record import Result, restore
from .score import interval, score, shares
from .stage import PROJECT, Broken, Stage
from .validity import check, skeleton

FOLDERS: Final = (PROJECT / "drills",)
_GOOD, _BAD, _UNUSABLE = 0, 1, 2


def find(names: Sequence[Path]) -> list[Drill]:
    """The drills in these folders, or all of the project. Raises `Unusable`."""
    found = []
    for name in names or FOLDERS:
        paths = [name / "drill.toml"] if (name / "drill.toml").exists() else sorted(name.rglob("drill.toml"))
        if not paths:
            raise Unusable(f"{name}: there is no drill.toml in it or below it")
        found += [read(path.parent) for path in paths]
    return found


class Results:
    """One JSON file a staging under ``root``."""

    def __init__(self, root: Path, agent: str, stack: str) -> None:
        self._root, self._agent, self._stack = root, agent, stack

    def path(self, drill: Drill, repetition: int) -> Path:
        """Where a staging's result is kept."""
        return self._root / self._agent / self._stack / f"{drill.name}-{content(drill)}-{repetition}.json"

    def load(self, drill: Drill, repetition: int) -> Result | None:
        """The result, None before it was staged."""
        path = self.path(drill, repetition)
        return restore(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def keep(self, drill: Drill, repetition: int, result: Result) -> None:
        """Write it whole or not at all."""
        path = self.path(drill, repetition)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(result), indent=1), encoding="utf-8")
        fresh.replace(path)


def content(drill: Drill) -> str:
    """Eight hex digits that name what is in the folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in drill.folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(drill.folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:8]


def agent_version() -> str:
    """The commit of the agent that is examined, marked when the tree has changes."""

    def git(*args: str) -> str:
        return subprocess.run(["git", "-C", str(PROJECT), *args], capture_output=True, text=True, check=False).stdout

    commit = git("rev-parse", "--short=12", "HEAD").strip() or "unknown"
    return commit + ("-changed" if git("status", "--porcelain", "--", "src").strip() else "")


def stage_once(ground: Ground, drill: Drill, stack: str, seed: int, say: Console) -> Result:
    """Stage one drill; what breaks on the way is the result's problem, not the range's."""
    run = ground.new_run()
    with ended(run, keep=False):
        stage = Stage(
            run=run,
            cache=ground.cache,
            seed=seed,
            stack="prometheus" if stack == "prometheus" else "embedded",
            say=lambda message: say.print(f"  {message}", style="dim"),
            wanted=drill,
        )
        try:
            stage.build()
            stage.start()
            exam = Exam(stage, drill)
            try:
                return exam.sit()
            finally:
                exam.close()
        except (Broken, Missing, NotBuilt, Refused, Unusable, OSError, RuntimeError) as error:
            return Result(drill.name, drill.family, problem=f"could not be staged: {error}")


def run(options: argparse.Namespace) -> int:
    """``mpa drill run``: stage what has no result yet, and print the scores."""
    drills, ground = find(options.folders), Ground(options.root)
    results = Results(options.root / "results", agent_version(), options.stack)
    console = Console(file=sys.stderr, highlight=False)
    seen: list[tuple[Drill, Result]] = []
    with ground.locked():
        ground.clean()
        for number, drill in enumerate(drills, 1):
            for repetition in range(options.repeat):
                console.print(f"{number} of {len(drills)}: {drill.name}, {drill.title}")
                result = results.load(drill, repetition)
                if result is None:
                    result = stage_once(ground, drill, options.stack, repetition + 1, console)
                    if not result.problem.startswith("could not be staged"):
                        results.keep(drill, repetition, result)
                seen.append((drill, result))
                console.print(f"  {summary(drill, result)}")
    show(seen, as_json=options.json)
    return _GOOD if all(not result.problem for _, result in seen) else _BAD


def summary(drill: Drill, result: Result) -> str:
    """One line about one staging."""
    right = score(drill, result)
    alert = "no alarm" if result.alert_seconds is None else f"alarm after {result.alert_seconds:.1f} s"
    words = [alert, f"outcome {result.outcome or 'none'}", "target well" if result.well else "target NOT well"]
    words += [f"{name} {'right' if value else 'WRONG'}" for name, value in (("change", right.change),) if value is not None]
    return "; ".join([*words, *filter(None, (right.harm, result.problem))])


def show(seen: Sequence[tuple[Drill, Result]], *, as_json: bool) -> None:
    """The table, or everything as JSON."""
    scores = [(drill, result, score(drill, result)) for drill, result in seen]
    totals = {name: [*pair, *interval(*pair)] for name, pair in shares(one for _, _, one in scores).items()}
    if as_json:
        rows = [{**asdict(result), "well": result.well, "score": asdict(one)} for _, result, one in scores]
        print(json.dumps({"agent": agent_version(), "drills": rows, "totals": totals}))  # noqa: T201 - a command's answer
        return
    table = Table("question", "right", "of", "90% interval")
    for name, (right, count, low, high) in totals.items():
        table.add_row(name.replace("_", " "), f"{right:.0f}", f"{count:.0f}", f"{low:.2f} to {high:.2f}")
    Console().print(table)


def list_all(options: argparse.Namespace) -> int:
    """``mpa drill list``."""
    drills = find(options.folders)
    if options.json:
        rows = [{"name": one.name, "title": one.title, "family": one.family, "folder": str(one.folder)} for one in drills]
        print(json.dumps({"drills": rows}))  # noqa: T201 - a command's answer
        return _GOOD
    table = Table("drill", "family", "faults", "title")
    for one in drills:
        table.add_row(one.name, one.family, ", ".join(fault.kind for fault in one.faults), one.title)
    Console().print(table)
    return _GOOD


def new(options: argparse.Namespace) -> int:
    """``mpa drill new``: a commented folder to begin with."""
    skeleton(options.folder)
    print(f"{options.folder}/drill.toml says what to fill in; then: mpa drill check {options.folder}")  # noqa: T201 - a command's answer
    return _GOOD


def check_all(options: argparse.Namespace) -> int:
    """``mpa drill check``: is each folder a drill?"""
    ground, valid, rows = Ground(options.root), True, []
    for folder in options.folders:
        for one in check(folder, ground.cache / "environments"):
            valid = valid and one.valid is not False
            rows.append({"drill": folder.name, **asdict(one)})
            if not options.json:
                mark = {True: "ok", False: "NO", None: "--"}[one.valid]
                print(f"{folder.name}: {mark} {one.name}{f': {one.detail}' if one.detail else ''}")  # noqa: T201 - a command's answer
    if options.json:
        print(json.dumps({"valid": valid, "checks": rows}))  # noqa: T201 - a command's answer
    return _GOOD if valid else _BAD


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _options(argv)
    end_on_signals()
    try:
        return int(options.command(options))
    except (Unusable, Occupied) as error:
        print(f"drill: {error}", file=sys.stderr)  # noqa: T201 - a command's answer
        return _UNUSABLE
    except (Interrupted, KeyboardInterrupt):
        print("drill: interrupted; what has a result is not staged again", file=sys.stderr)  # noqa: T201 - a command's answer
        return _BAD


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mpa drill", description="Stage faults, and score what the agent does.")
    commands = parser.add_subparsers(required=True)
    staging = commands.add_parser("run", help="stage drills and score them")
    staging.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    staging.add_argument("--stack", choices=("embedded", "prometheus"), default="embedded")
    staging.add_argument("--repeat", type=int, default=1, help="stage each so many times")
    staging.add_argument("--root", type=Path, default=Path(".mpa-drills"), help="where runs and results live")
    staging.set_defaults(command=run)
    listing = commands.add_parser("list", help="the drills of these folders, or of the project")
    listing.add_argument("folders", type=Path, nargs="*", metavar="FOLDER")
    listing.set_defaults(command=list_all)
    checking = commands.add_parser("check", help="is it a valid drill?")
    checking.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    checking.add_argument("--root", type=Path, default=Path(".mpa-drills"), help="where environments are cached")
    checking.set_defaults(command=check_all)
    making = commands.add_parser("new", help="write a commented folder to begin with")
    making.add_argument("folder", type=Path, metavar="FOLDER")
    making.set_defaults(command=new)
    for one in (staging, listing, checking):
        one.add_argument("--json", action="store_true", help="for machines")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
