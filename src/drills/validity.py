"""Is a drill a fair question? ``mpa drill check``.

Without a stage: the folder can be read, its commits apply wherever the seed may put them, its reference can be read, and
the target's own tests pass with the fault in place, for real bugs get past tests. Then it is staged, see `rehearsal`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Final

from . import environment, targets
from .drill import Drill, Unusable, folders_below, read
from .ground import Ground
from .history import materialise, people, try_places
from .injection import examine
from .load import Load
from .pool import Answer, Lost, Pool
from .processes import marked
from .rehearsal import Checked, steps
from .sitting import REHEARSAL, Order
from .store import Damaged, Store

BUSY: Final = "the machine was busy: that it is not valid is not kept"
AGAIN: Final = "check it again on a quiet machine, `--missing` will do"
PLACES: Final = range(1, 11)  # seeds: other places among the team's commits; a repetition's seed is its number
SUITE_SECONDS: Final = 300.0
SOME: Final = 12  # names of a team, in a message


def check_all(options: argparse.Namespace) -> bool:
    """Check every folder, the cheap questions first, and keep what was found; whether all are valid.

    Raises `Occupied` at once where another range runs in the same root, unless nothing is to be staged.
    """
    ground = Ground(options.root)
    with nullcontext() if options.quick else ground.locked():
        return _Checking(options, ground).run()


class _Checking:
    """All folders of one command, and what was found so far; it is told as it comes."""

    def __init__(self, options: argparse.Namespace, ground: Ground) -> None:
        self._options, self._ground, self._store = options, ground, Store(options.root)
        folders = (path for given in options.folders for path in folders_below(given) or [given])
        self._checks: dict[Path, list[Checked]] = {folder: [] for folder in folders}
        self._telling = threading.Lock()

    def run(self) -> bool:
        """Everything, in order; whether all are valid."""
        fresh = [folder for folder in self._checks if not self._was_valid(folder)]
        with ThreadPoolExecutor(self._options.jobs) as workers:
            list(workers.map(self._look, fresh))
        if not self._options.quick:
            sound = [one for one in fresh if all(each.valid is not False for each in self._checks[one])]
            for folder in (one for one in fresh if one not in sound and self._checks[one][0].valid):
                self._keep(folder, None)
            self._stage(sound)
        valid = all(one.valid is not False for found in self._checks.values() for one in found)
        if self._options.json:
            rows = [{"drill": at.name, **asdict(one)} for at, found in self._checks.items() for one in found]
            print(json.dumps({"valid": valid, "checks": rows}))  # noqa: T201 - a command's answer
        return valid

    def _tell(self, folder: Path, one: Checked) -> None:
        with self._telling:
            self._checks[folder].append(one)
            if not self._options.json:
                mark = {True: "ok", False: "NO", None: "--"}[one.valid]
                print(f"{folder.name}: {mark} {one.name}{f': {one.detail}' if one.detail else ''}", flush=True)  # noqa: T201 - a command's answer

    def _say(self, folder: Path, text: str) -> None:
        print(f"{folder.name}: … {text}", file=sys.stderr, flush=True)  # noqa: T201 - progress

    def _was_valid(self, folder: Path) -> bool:
        """With ``--missing``: whether the drill as it is now was found valid on a stage. What failed is looked at again."""
        try:
            found = self._store.validity(read(folder)) if self._options.missing else None
        except (Damaged, Unusable):
            return False
        if found is None or not found.valid:
            return False
        self._tell(folder, Checked("was checked before", valid=True))
        return True

    def _look(self, folder: Path) -> None:
        """Without a stage."""
        suite = None if self._options.quick else self._ground.cache / "environments"
        for one in check(folder, suite, lambda text: self._say(folder, text)):
            self._tell(folder, one)

    def _stage(self, folders: Sequence[Path]) -> None:
        cache = str(self._ground.cache.resolve())
        orders = [Order(drill=str(folder.resolve()), cache=cache, player=REHEARSAL) for folder in folders]

        def begun(number: int) -> None:
            self._say(folders[number], f"staging, {number + 1} of {len(folders)}")

        pool = Pool(self._ground, self._options.jobs, lambda number, text: self._say(folders[number], text))
        self._ground.clean()
        for number, answer in pool.each(orders, begun):
            for one in _staged(answer):
                self._tell(folders[number], one)
            self._keep(folders[number], _load(answer))

    def _keep(self, folder: Path, load: Load | None) -> None:
        """Write what was found; not that a drill is invalid, when the machine was too busy to say so."""
        found = self._checks[folder]
        valid = all(one.valid is not False for one in found)
        if not valid and load is not None and load.overloaded:
            self._tell(folder, Checked(BUSY, valid=None, detail=f"others took {load.busiest:.0%} of it; {AGAIN}"))
            return
        self._store.keep_validity(read(folder), [asdict(one) for one in found], valid=valid, load=load)


def _staged(answer: Answer) -> list[Checked]:
    if isinstance(answer, Lost):
        return [Checked("staged", valid=False, detail=answer.why)]
    if "checks" not in answer:
        return [Checked("staged", valid=False, detail=str(answer.get("problem", "")))]
    return [Checked(**one) for one in answer["checks"]]


def _load(answer: Answer) -> Load | None:
    told = None if isinstance(answer, Lost) else answer.get("load")
    return Load(**told) if told else None


def check(
    folder: Path, environments: Path | None, say: Callable[[str], None] = lambda _text: None
) -> Iterator[Checked]:
    """Look at one folder without staging it, cheap questions first; ends with the first that fails.

    Without ``environments`` the target's own tests are left out, for they take a minute. ``say`` is told before they run.
    """
    try:
        drill = read(folder)
        name = targets.of(drill).name
        examine(drill)
        yield Checked("readable", valid=True, detail=f"{drill.title} ({drill.family}; {name})")
        if drill.reference is not None:
            steps(drill)
    except Unusable as error:
        yield Checked("readable", valid=False, detail=str(error))
        return
    if not (drill.code or drill.decoys):
        return
    signed = _signed(drill)
    yield signed
    if not signed.valid:
        return
    applied = _applies(drill)
    yield applied
    if applied.valid and drill.code and environments is not None:
        say("the target's own tests are run with the fault in place")
        yield _suite(drill, environments)


def _signed(drill: Drill) -> Checked:
    """A commit that stands out by its author or its title gives itself away."""
    name, team = "commits are signed by the team", people(drill)
    for one in [*drill.decoys, *(fault.commit for fault in drill.released if fault.commit is not None)]:
        if one.unsaid:
            missing = " and ".join(one.unsaid)
            return Checked(
                name, valid=False, detail=f"{one.title!r} has no {missing}: say it in the patch or in [change]"
            )
        if team and one.author not in team:
            return Checked(name, valid=False, detail=f"{one.title!r} is by {one.author}; there are {_some(team)}")
    return Checked(name, valid=True)


def _some(names: Sequence[str]) -> str:
    left = len(names) - SOME
    return ", ".join(names[:SOME]) + (f" and {left} more" if left > 0 else "")


def _applies(drill: Drill) -> Checked:
    try:
        count = try_places(drill, PLACES)
    except RuntimeError as error:
        return Checked("commits apply", valid=False, detail=str(error))
    return Checked("commits apply", valid=True, detail=f"wherever {len(PLACES)} seeds put them: {count} histories")


def _suite(drill: Drill, environments: Path) -> Checked:
    """The target's ordinary tests, with every planted commit in place."""
    with tempfile.TemporaryDirectory(prefix="drill-") as name:
        history = materialise(Path(name) / "origin.git", 1, drill=drill)
        work, head = Path(name) / "work", history.head
        history.check_out(head, work)
        python = environment.build(history.lock_of(head), environments)
        argv = [part.format(python=python) for part in targets.of(drill).test]
        env = marked({"PATH": "/usr/bin:/bin", "PYTHONPATH": targets.of(drill).sources, "HOME": name})
        try:
            tests = subprocess.run(
                argv, cwd=work, env=env, capture_output=True, text=True, timeout=SUITE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return Checked("the target's tests pass with it", valid=False, detail=f"not within {SUITE_SECONDS:.0f} s")
    last = (tests.stdout.strip().splitlines() or ["nothing was said"])[-1]
    passed = tests.returncode == 0
    if not drill.tests_pass:
        return Checked("the target's tests notice it, as the drill says", valid=not passed, detail=last)
    return Checked("the target's tests pass with it", valid=passed, detail=last)


SKELETON: Final = """title = "Say in one sentence what goes wrong"
family = "exceptions from edge inputs"    # drills of one family are counted together
# twin = "other-drill"    # same symptom, other kind of cause
# bare_request = false    # the failing request alone, sent to a fresh process, shows nothing

# [target]
# example = "parcel-times"    # default: market-predictor
# upstream = true             # the market predictor reads an exchange over HTTP

# [release]
# after = 4               # the decoys go live by themselves, before or after the fault

[change]                  # what the patch does not say itself
title = "What the commit's author thinks it does"
body = ""
author = "Sam Okafor <sam@desk.invalid>"  # one of the team: [people] of the example's history.toml

[[fault]]
kind = "commit"           # commit, process, dependency, data, traffic, configuration, model, library, clock, none
after = 6                 # seconds of calm before it
patch = "change.patch"    # a diff against the target, or a mail as `git format-patch` writes it

# [[fault]]
# kind = "process"        # action = "stop" | "kill" | "freeze" (seconds = 10)
# after = 6
# action = "kill"

[expect]
cause = "code"            # or a list; code, configuration, dependency, capacity, data, model, infrastructure, traffic, none
component = "API"         # the one that failed first; leave it out where you do not ask
change = "fault"          # "fault": the commit above; "none": no change is to blame
outcome = "fixed"         # or a list of outcomes that are all right
# alert = "either"        # yes, no, either
# action = ["restart"]    # what may be done to the target

# Beside this file, all of it hidden from the agent:
#   change.patch          the fault
#   decoys/*.patch        innocent commits; those named after-* build on the fault
#   acceptance/           pytest tests; they run in the deployed release, TARGET_URL says where it answers
#   reference/            solution.toml: [[step]] do = "revert" | "patch" (file) | "rollback" | "restart" | "restore" | …
# docs/drills-contract.md says all of it; `mpa drill check` says whether it is a fair question.
"""
SOLUTION: Final = """[[step]]
do = "revert"             # the release without the fault goes live; or do = "patch" and file = "fix.patch"
"""


def skeleton(folder: Path) -> None:
    """Write a commented drill to begin with. Raises `Unusable` when there is something already."""
    if folder.exists():
        raise Unusable(f"{folder} is there already: choose another name")
    for name in ("decoys", "acceptance", "reference"):
        (folder / name).mkdir(parents=True)
    (folder / "drill.toml").write_text(SKELETON, encoding="utf-8")
    (folder / "reference" / "solution.toml").write_text(SOLUTION, encoding="utf-8")
