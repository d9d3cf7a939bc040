"""``mpa drill``: stage drills, several side by side, and score what the agent did; results are kept and resumed.

A result belongs to (drill and its content, the agent, policy, stack, repetition), see `versions`. What is there is not
staged again. ``--against AGENT`` compares with another agent's kept results: a drill on which they end otherwise is staged
up to three times with this agent. The other one cannot be staged by this tree; what was kept of it has to do.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from . import approval_policy, report_command, targets, versions
from .demo import Interrupted, end_on_signals
from .drill import Drill, Unusable, distinct, folders_below, read
from .ground import Ground, Occupied
from .injection import examine
from .pool import Answer, Lost, Pool
from .record import AGENT, BASELINES, Result, restore
from .score import interval, score, shares
from .seal import seal
from .sitting import Order
from .stage import PROJECT
from .store import Damaged, Store, Where
from .tally import ENOUGH_FOR_A_MAJORITY, end, majority
from .validity import check_all, skeleton

FOLDERS: Final = (PROJECT / "drills",)
MOST_JOBS: Final = 8
_GOOD, _BAD, _UNUSABLE = 0, 1, 2
_BROKEN, _INTERRUPTED = 3, 130  # 1 alone is an answer about drills, which `make drills` passes over


def find(names: Sequence[Path]) -> list[Drill]:
    """The drills in these folders, or all of the project. Raises `Unusable`, also for two of one name."""
    found: list[Drill] = []
    for name in names or FOLDERS:
        folders = folders_below(name)
        if not folders:
            raise Unusable(f"{name}: there is no drill.toml in it or below it")
        found += map(read, folders)
    return distinct(found)


@dataclass(frozen=True)
class Wanted:
    """One staging that has no result yet."""

    drill: Drill
    repetition: int


class Range:
    """Stages what is wanted and keeps the results; ``named`` says which agent there is now."""

    def __init__(
        self, options: argparse.Namespace, console: Console, named: Callable[[], str] = versions.agent
    ) -> None:
        self._options, self._console, self._named = options, console, named
        self._policy = approval_policy.read(options.policy)
        self._ground = Ground(options.root)
        self._store = Store(options.root)
        self._where = Where(named(), self._policy.name, options.stack, options.player)
        self._parts = self._where.parts
        self._other = self._against(options.against) if options.against else None
        self.alarms: list[tuple[Drill, float | None]] = []

    def run(self, drills: Sequence[Drill]) -> list[tuple[Drill, Result]]:
        """Stage every drill that has no result, then those that differ from another agent; returns all results.

        Raises `Unusable` when the agent changes meanwhile.
        """
        with self._ground.locked():
            self._ground.clean()
            self._stage([Wanted(one, n) for one in drills for n in range(self._options.repeat)])
            if self._other is not None:
                differing = self.differing(drills, self._other)
                self._stage([Wanted(one, n) for one in differing for n in range(ENOUGH_FOR_A_MAJORITY)])
        return [(one, result) for one in drills for result in self._kept(self._where, one)]

    def differing(self, drills: Sequence[Drill], other: Where) -> list[Drill]:
        """The drills that end otherwise with another agent, by the majority of what is kept of both."""
        pairs = [(one, self._kept(self._where, one), self._kept(other, one)) for one in drills]
        shared = [(one, majority(mine), majority(theirs)) for one, mine, theirs in pairs if mine and theirs]
        found = [one for one, mine, theirs in shared if end(mine) != end(theirs)]
        if shared:
            self._say(f"{len(found)} of {len(shared)} drills end otherwise with {other.agent}")
        else:
            self._say(f"{other.agent} has no result of these drills as they are now: nothing can be compared")
        return found

    def _against(self, beginning: str) -> Where:
        if self._options.player != AGENT:
            raise Unusable("--against compares agents; a baseline is none")
        try:
            return replace(self._where, agent=report_command.meant(self._store, beginning, self._options.root))
        except report_command.Absent as error:
            raise Unusable(f"--against: {error}") from error

    def _kept(self, where: Where, drill: Drill) -> list[Result]:
        """What is kept of stagings that came to an exam; a file that cannot be read is told."""
        results, damaged = self._store.repetitions(where, drill)
        for one in damaged:
            self._say(f"not counted: {one}")
        return [one for one in results if one.staged]

    def _stage(self, wanted: Sequence[Wanted]) -> None:
        missing = [one for one in wanted if self._options.alarm_only or self._missing(one)]
        broken = self._round(missing)
        if broken:
            self._say(f"{len(broken)} could not be staged; once more")
            self._round(broken)

    def _round(self, missing: Sequence[Wanted]) -> list[Wanted]:
        """Stage each once; returns those that could not be staged."""
        began, done, broken = time.monotonic(), 0, []

        def begun(number: int) -> None:
            self._say(f"{number + 1} of {len(missing)}: {missing[number].drill.name}, {missing[number].drill.title}")

        for number, answer in Pool(self._ground, self._options.jobs).each([self._order(one) for one in missing], begun):
            one, done = missing[number], done + 1
            self._expect_the_same(one.drill)
            result = _result(one.drill, answer, self._options.player)
            if not result.staged:
                broken.append(one)
            elif self._options.alarm_only:
                self.alarms.append((one.drill, result.alert_seconds))
            else:
                self._store.keep(self._where, one.drill, one.repetition, result)
            left = (time.monotonic() - began) / done * (len(missing) - done) / 60
            self._say(f"{one.drill.name}: {summary(one.drill, result)} (about {left:.0f} min left)")
        return broken

    def _expect_the_same(self, drill: Drill) -> None:
        now = replace(self._where, agent=self._named())
        if now.parts != self._parts:
            raise Unusable(
                f"{drill.name}: the agent changed while it was staged, from {'/'.join(self._parts[:2])} to "
                f"{'/'.join(now.parts[:2])}; this result is not kept. Those before are: start again"
            )

    def _missing(self, wanted: Wanted) -> bool:
        try:
            return self._store.load(self._where, wanted.drill, wanted.repetition) is None
        except Damaged:
            return True  # it is staged again

    def _order(self, wanted: Wanted) -> Order:
        return Order(
            drill=str(wanted.drill.folder.resolve()),
            cache=str(self._ground.cache.resolve()),
            player=self._options.player,
            stack=self._options.stack,
            seed=wanted.repetition + 1,
            policy=str(self._options.policy.resolve()) if self._options.policy else "",
            alarm_only=self._options.alarm_only,
        )

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)


def _result(drill: Drill, answer: Answer, player: str) -> Result:
    if isinstance(answer, Lost):
        return Result(drill.name, drill.family, player=player, problem=f"could not be staged: {answer.why}")
    return restore(dict(answer))


def run(options: argparse.Namespace) -> int:
    """``mpa drill run``: stage what has no result yet, and print the scores."""
    drills = find(options.folders)
    for one in drills:
        examine(one)
    grounds = Range(options, Console(file=sys.stderr, highlight=False, soft_wrap=True))
    seen = grounds.run(drills)
    if options.alarm_only:
        return _GOOD if show_alarms(drills, grounds.alarms, options.repeat, as_json=options.json) else _BAD
    show(seen, as_json=options.json)
    return _GOOD if len({one.name for one, _ in seen}) == len(drills) else _BAD


def show_alarms(
    drills: Sequence[Drill], alarms: Sequence[tuple[Drill, float | None]], times: int, *, as_json: bool
) -> bool:
    """How often each drill's alarm came, and after how many seconds; whether it always came."""
    rows: list[dict[str, Any]] = []
    for drill in drills:
        came = sorted(seconds for one, seconds in alarms if one.name == drill.name and seconds is not None)
        rows.append({"drill": drill.name, "came": len(came), "of": times, "seconds": [round(one, 2) for one in came]})
    if as_json:
        print(json.dumps({"agent": versions.agent(), "alarms": rows}))  # noqa: T201 - a command's answer
    else:
        table = Table("drill", "alarms", "earliest, s", "latest, s")
        for row in rows:
            ends = [f"{row['seconds'][place]:.1f}" if row["came"] else "" for place in (0, -1)]
            table.add_row(str(row["drill"]), f"{row['came']} of {row['of']}", *ends)
        Console().print(table)
    return all(row["came"] == times for row in rows)


def summary(drill: Drill, result: Result) -> str:
    """One line about one staging."""
    if not result.staged:
        return result.problem
    right = score(drill, result)
    alert = "no alarm" if result.alert_seconds is None else f"alarm after {result.alert_seconds:.1f} s"
    words = [alert, f"outcome {result.outcome or 'none'}", "target well" if result.well else "target NOT well"]
    words += [f"change {'right' if right.change else 'WRONG'}"] if right.change is not None else []
    words += [f"acceptance {result.acceptance.partition(':')[0]}"] if result.acceptance != "none" else []
    return "; ".join([*words, *filter(None, (right.harm, result.problem))])


def show(seen: Sequence[tuple[Drill, Result]], *, as_json: bool) -> None:
    """The table, or everything as JSON. In the totals a drill counts once, by the majority of its stagings."""
    stagings: dict[str, list[Result]] = {}
    for drill, result in seen:
        stagings.setdefault(drill.name, []).append(result)
    drills = {drill.name: drill for drill, _ in seen}
    counted = (score(drills[name], majority(results)) for name, results in stagings.items())
    totals = {name: [*pair, *interval(*pair)] for name, pair in shares(counted).items()}
    if as_json:
        rows = [
            {**asdict(result), "well": result.well, "score": asdict(score(drill, result))} for drill, result in seen
        ]
        print(json.dumps({"agent": versions.agent(), "drills": rows, "totals": totals}))  # noqa: T201 - a command's answer
        return
    table = Table("question", "right", "of", "90% interval")
    for name, (right, count, low, high) in totals.items():
        table.add_row(name.replace("_", " "), f"{right:.0f}", f"{count:.0f}", f"{low:.2f} to {high:.2f}")
    Console().print(table)


def list_all(options: argparse.Namespace) -> int:
    """``mpa drill list``."""
    drills = find(options.folders)
    if options.json:
        print(json.dumps({"drills": [_row(one) for one in drills]}))  # noqa: T201 - a command's answer
        return _GOOD
    table = Table("drill", "family", "faults", "decoys", "title")
    for one in drills:
        faults = ", ".join(fault.kind for fault in one.faults)
        table.add_row(one.name, one.family, faults, str(len(one.decoys)), one.title)
    Console().print(table)
    return _GOOD


def _row(drill: Drill) -> dict[str, Any]:
    return {
        "name": drill.name,
        "title": drill.title,
        "family": drill.family,
        "folder": str(drill.folder),
        "target": targets.of(drill).name,
        "faults": [fault.kind for fault in drill.faults],
        "decoys": len(drill.decoys),
        "sealed": drill.sealed,
        "twin": drill.twin,
    }


def new(options: argparse.Namespace) -> int:
    """``mpa drill new``: a commented folder to begin with."""
    skeleton(options.folder)
    print(f"{options.folder}/drill.toml says what to fill in; then: mpa drill check {options.folder}")  # noqa: T201 - a command's answer
    return _GOOD


def close_up(options: argparse.Namespace) -> int:
    """``mpa drill seal``: the drills of a folder shall stay as they are."""
    for one in seal(options.folder):
        print(f"{one.name}: sealed {one.day}, {one.digest}")  # noqa: T201 - a command's answer
    return _GOOD


def check(options: argparse.Namespace) -> int:
    """``mpa drill check``: is each folder a drill?"""
    return _GOOD if check_all(options) else _BAD


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
        return _INTERRUPTED
    except Exception:  # noqa: BLE001 - Python's own status for it is 1, which would look like a drill that is not valid
        traceback.print_exc()
        return _BROKEN


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mpa drill", description="Stage faults, and score what the agent does.")
    commands = parser.add_subparsers(required=True)
    staging = commands.add_parser("run", help="stage drills and score them")
    staging.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    staging.add_argument("--stack", choices=("embedded", "prometheus"), default="embedded")
    staging.add_argument("--repeat", type=_count, default=1, help="stage each so many times")
    staging.add_argument("--policy", type=Path, metavar="FILE", help="what the agent's questions are answered with")
    staging.add_argument(
        "--player", choices=(AGENT, *BASELINES), default=AGENT, help="the agent, or a baseline in its place"
    )
    staging.add_argument(
        "--against", metavar="AGENT", help="stage up to three times what ends otherwise in that agent's kept results"
    )
    staging.add_argument("--alarm-only", action="store_true", help="end each with its alarm; nothing is kept")
    staging.set_defaults(command=run)
    listing = commands.add_parser("list", help="the drills of these folders, or of the project")
    listing.add_argument("folders", type=Path, nargs="*", metavar="FOLDER")
    listing.set_defaults(command=list_all)
    checking = commands.add_parser("check", help="is it a valid drill?")
    checking.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    checking.add_argument("--quick", action="store_true", help="without staging it")
    checking.add_argument("--missing", action="store_true", help="stage only those that were never checked as they are")
    checking.set_defaults(command=check)
    making = commands.add_parser("new", help="write a commented folder to begin with")
    making.add_argument("folder", type=Path, metavar="FOLDER")
    making.set_defaults(command=new)
    report_command.add(commands)
    sealing = commands.add_parser("seal", help="hash the drills of a folder before their first score")
    sealing.add_argument("folder", type=Path, metavar="FOLDER")
    sealing.set_defaults(command=close_up)
    for one in (staging, listing, checking):
        one.add_argument("--json", action="store_true", help="for machines")
    for one in (staging, checking):
        one.add_argument("--root", type=Path, default=Path(".mpa-drills"), help="where runs and results live")
        one.add_argument("--jobs", type=_jobs, default=2, help=f"side by side, at most {MOST_JOBS}")
    return parser.parse_args(argv)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {number}")
    return number


def _jobs(text: str) -> int:
    number = _count(text)
    if number > MOST_JOBS:
        raise argparse.ArgumentTypeError(f"at most {MOST_JOBS}, not {number}")
    return number


if __name__ == "__main__":
    sys.exit(main())
