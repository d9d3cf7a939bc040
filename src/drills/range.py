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
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from . import approval_policy, report_command, versions
from .demo import Interrupted, end_on_signals
from .drill import Drill, Unusable, distinct, folders_below, read
from .ground import Ground, Occupied
from .injection import examine
from .pool import Answer, Lost, Pool
from .range_text import by_drill, listed, row, show, show_alarms, summary, which_counts
from .record import AGENT, BASELINES, Result, restore
from .score import score
from .seal import seal
from .sitting import Order
from .stage import PROJECT
from .store import Damaged, Store, Validity, Where
from .tally import ENOUGH_FOR_A_MAJORITY, end, ends_well, majority
from .validity import check_all, skeleton

if TYPE_CHECKING:
    from argparse import _SubParsersAction

FOLDERS: Final = (PROJECT / "drills",)
MOST_JOBS: Final = 8
_GOOD, _BAD, _UNUSABLE = 0, 1, 2
_BROKEN, _INTERRUPTED = 3, 130  # 1 alone is an answer about drills, which `make drills` passes over
STATUSES: Final = """exit status: 0 every drill was staged (check: all are valid), 1 a drill was not (run --strict: or did not
end well), 2 wrong usage or what cannot be staged at all, 3 the range itself broke, 130 interrupted"""
TRIES_OF_BROKEN: Final = 1  # that are followed by another one
TRIES_OF_VOID: Final = 2
NOT_STAGED: Final = "not staged; mend and check it, or say --anyway"
_MIB: Final = 2**20


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
        self._tries: Counter[tuple[str, int]] = Counter()
        self.alarms: list[tuple[Drill, float | None]] = []

    def run(self, drills: Sequence[Drill]) -> list[tuple[Drill, Result]]:
        """Stage every drill that has no result, then those that differ from another agent; returns all results.

        Raises `Unusable` when the agent changes meanwhile.
        """
        with self._ground.locked():
            self._ground.clean()
            if self._options.fresh:
                self._forget(drills)
            self._stage([Wanted(one, n) for one in drills for n in range(self._options.repeat)])
            if self._other is not None:
                differing = self.differing(drills, self._other)
                self._stage([Wanted(one, n) for one in differing for n in range(ENOUGH_FOR_A_MAJORITY)])
        kept = [(one, self._kept(self._where, one)) for one in drills]
        for one, results in kept:
            if len(results) > 1:
                self._say(which_counts(one, results))
        return [(one, result) for one, results in kept for result in results]

    def fair(self, drills: Sequence[Drill]) -> list[Drill]:
        """The drills without those whose stage-check failed, which are named; all of them with ``--anyway``."""
        found = []
        for one in drills:
            why = self._unfair(one)
            if why:
                does = "staged all the same, and the report leaves it out" if self._options.anyway else NOT_STAGED
                self._say(f"{one.name}: its stage-check found it invalid: {why}; {does}")
            if not why or self._options.anyway:
                found.append(one)
        return found

    def _unfair(self, drill: Drill) -> str:
        found = self._checked(drill)
        return found.why if found is not None and not found.valid else ""

    def _checked(self, drill: Drill) -> Validity | None:
        try:
            return self._store.validity(drill)
        except Damaged:
            return None  # as if it had never been checked

    def _forget(self, drills: Sequence[Drill]) -> None:
        count = sum(self._store.drop(self._where, one) for one in drills)
        self._say(f"{count} kept results of these drills are dropped")

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
            other = report_command.meant(self._store, beginning, self._options.root)
        except report_command.Absent as error:
            raise Unusable(f"--against: {error}") from error
        if other == self._where.agent:
            raise Unusable(f"--against: {other} is the agent of this tree itself; name another one that has results")
        return replace(self._where, agent=other)

    def _kept(self, where: Where, drill: Drill) -> list[Result]:
        """What is kept of stagings that count; a file that cannot be read is told."""
        results, damaged = self._store.repetitions(where, drill)
        for one in damaged:
            self._say(f"not counted: {one}")
        return [one for one in results if one.counts]

    def _stage(self, wanted: Sequence[Wanted]) -> None:
        self._tries.clear()
        waiting = [one for one in wanted if self._options.alarm_only or self._missing(one)]
        while waiting:
            waiting = self._round(waiting)
            if waiting:
                self._say(f"{len(waiting)} could not be staged, or a busy machine spoilt them; once more")

    def _round(self, missing: Sequence[Wanted]) -> list[Wanted]:
        """Stage each once; returns those that are to be staged again."""
        began, done, again = time.monotonic(), 0, []

        def begun(number: int) -> None:
            self._say(f"{number + 1} of {len(missing)}: {self._called(missing[number])}, {missing[number].drill.title}")

        def heard(number: int, text: str) -> None:
            self._say(f"{self._called(missing[number])}: … {text}")

        pool = Pool(self._ground, self._options.jobs, heard)
        for number, answer in pool.each([self._order(one) for one in missing], begun):
            one, done = missing[number], done + 1
            self._expect_the_same(one.drill)
            result = _result(one.drill, answer, self._options.player)
            if not self._take(one, result):
                again.append(one)
            left = (time.monotonic() - began) / done * (len(missing) - done) / 60
            self._say(f"{self._called(one)}: {summary(one.drill, result)} (about {left:.0f} min left)")
        return again

    def _take(self, one: Wanted, result: Result) -> bool:
        """Keep a result; False when it is to be staged again, because it says nothing and there are tries left."""
        key = one.drill.name, one.repetition
        self._tries[key] += 1
        if not result.staged:
            return self._tries[key] > TRIES_OF_BROKEN
        if self._options.alarm_only:
            self.alarms.append((one.drill, result.alert_seconds))
        elif result.void and self._tries[key] <= TRIES_OF_VOID:
            return False
        else:
            self._store.keep(self._where, one.drill, one.repetition, result)
        return True

    def _called(self, wanted: Wanted) -> str:
        """The drill's name, with the repetition where there are several."""
        times = self._options.repeat
        return f"{wanted.drill.name} ({wanted.repetition + 1} of {times})" if times > 1 else wanted.drill.name

    def _expect_the_same(self, drill: Drill) -> None:
        now = replace(self._where, agent=self._named())
        if now.parts != self._parts:
            raise Unusable(
                f"{drill.name}: the agent changed while it was staged, from {'/'.join(self._parts[:2])} to "
                f"{'/'.join(now.parts[:2])}; this result is not kept. Those before are: start again"
            )

    def _missing(self, wanted: Wanted) -> bool:
        try:
            kept = self._store.load(self._where, wanted.drill, wanted.repetition)
        except Damaged:
            return True  # it is staged again
        return kept is None or bool(kept.void)

    def _order(self, wanted: Wanted) -> Order:
        checked = self._checked(wanted.drill)
        return Order(
            drill=str(wanted.drill.folder.resolve()),
            cache=str(self._ground.cache.resolve()),
            player=self._options.player,
            stack=self._options.stack,
            seed=wanted.repetition + 1,
            policy=str(self._options.policy.resolve()) if self._options.policy else "",
            alarm_only=self._options.alarm_only,
            goes_down=checked is not None and checked.goes_down,
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
    fair = grounds.fair(drills)
    seen = grounds.run(fair) if fair else []
    if options.alarm_only:
        always = show_alarms(fair, grounds.alarms, options.repeat, as_json=options.json)
        return _GOOD if always and len(fair) == len(drills) else _BAD
    show(seen, as_json=options.json)
    stagings = by_drill(seen)
    if len(stagings) < len(drills) or (options.strict and not all(map(_ended_well, stagings.values()))):
        return _BAD
    return _GOOD


def _ended_well(stagings: Sequence[tuple[Drill, Result]]) -> bool:
    """By the staging that counts, and without harm."""
    drill, counting = stagings[0][0], majority([result for _, result in stagings])
    found = score(drill, counting)
    return ends_well(found) and found.harmless


def list_all(options: argparse.Namespace) -> int:
    """``mpa drill list``."""
    drills = find(options.folders)
    if options.json:
        print(json.dumps({"drills": [row(one) for one in drills]}))  # noqa: T201 - a command's answer
        return _GOOD
    folders: dict[Path, list[Drill]] = {}
    for one in drills:
        folders.setdefault(one.folder.parent, []).append(one)
    for folder, inside in folders.items():
        Console().print(listed(folder, inside))
    return _GOOD


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


def clean(options: argparse.Namespace) -> int:
    """``mpa drill clean``: end what interrupted ranges left, and remove what is only kept to save time."""
    if not options.root.is_dir():
        raise Unusable(f"{options.root}: there is no such folder; --root says where runs and results live")
    ground = Ground(options.root)
    with ground.locked():
        print(f"interrupted runs that were ended and removed: {ground.clean()}")  # noqa: T201 - a command's answer
        if options.cache:
            print(f"removed from the cache: {ground.empty_cache() / _MIB:.0f} MiB")  # noqa: T201 - a command's answer
    print(f"results and checks stay in {options.root}")  # noqa: T201 - a command's answer
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
        print(f"drill: interrupted{options.interrupted}", file=sys.stderr)  # noqa: T201 - a command's answer
        return _INTERRUPTED
    except Exception:  # noqa: BLE001 - Python's own status for it is 1, which would look like a drill that is not valid
        traceback.print_exc()
        return _BROKEN


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="mpa drill",
        description="Stage faults, and score what the agent does.",
        epilog=STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(interrupted="")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    staging, listing, checking = _add_run(commands), _add_list(commands), _add_check(commands)
    making = commands.add_parser("new", help="write a commented folder to begin with")
    making.add_argument("folder", type=Path, metavar="FOLDER")
    making.set_defaults(command=new)
    report_command.add(commands)
    sealing = commands.add_parser("seal", help="hash the drills of a folder before their first score")
    sealing.add_argument("folder", type=Path, metavar="FOLDER", help="the folder that holds the drills' folders")
    sealing.set_defaults(command=close_up)
    cleaning = commands.add_parser("clean", help="end what an interrupted range left; results stay")
    cleaning.add_argument("--cache", action="store_true", help="remove built environments and downloads, too")
    cleaning.set_defaults(command=clean)
    for one in (staging, listing, checking):
        one.add_argument("--json", action="store_true", help="for machines")
    for one in (staging, checking, cleaning):
        one.add_argument("--root", type=Path, default=Path(".mpa-drills"), help="where runs and results live")
    for one in (staging, checking):
        one.add_argument("--jobs", type=_jobs, default=2, help=f"side by side, at most {MOST_JOBS}")
    return parser.parse_args(argv)


def _add_run(commands: _SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    staging = commands.add_parser(
        "run",
        help="stage drills and score them",
        epilog=STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    staging.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    staging.add_argument("--stack", choices=("embedded", "prometheus"), default="embedded")
    staging.add_argument("--repeat", type=_count, default=1, help="stage each so many times; which counts is told")
    staging.add_argument("--fresh", action="store_true", help="drop these drills' kept results, and stage them again")
    staging.add_argument("--anyway", action="store_true", help="stage also what its check found invalid")
    staging.add_argument("--strict", action="store_true", help="exit 1 also when a drill did not end well")
    staging.add_argument("--policy", type=Path, metavar="FILE", help="what the agent's questions are answered with")
    staging.add_argument(
        "--player", choices=(AGENT, *BASELINES), default=AGENT, help="the agent, or a baseline in its place"
    )
    staging.add_argument(
        "--against", metavar="AGENT", help="stage up to three times what ends otherwise in that agent's kept results"
    )
    staging.add_argument("--alarm-only", action="store_true", help="end each with its alarm; nothing is kept")
    staging.set_defaults(command=run, interrupted="; what has a result is not staged again")
    return staging


def _add_list(commands: _SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    listing = commands.add_parser("list", help="the drills of these folders, or of the project")
    listing.add_argument("folders", type=Path, nargs="*", metavar="FOLDER")
    listing.set_defaults(command=list_all)
    return listing


def _add_check(commands: _SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    checking = commands.add_parser("check", help="is it a valid drill? 0 yes, 1 no")
    checking.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    checking.add_argument("--quick", action="store_true", help="seconds: without a stage and the target's own tests")
    checking.add_argument("--missing", action="store_true", help="leave out what was found valid as it is")
    checking.set_defaults(command=check, interrupted="; with --missing what was found valid is not checked again")
    return checking


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
