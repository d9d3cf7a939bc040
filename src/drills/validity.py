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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Final

from . import environment, targets
from .drill import Drill, Unusable, folders_below, read
from .ground import Ground
from .history import materialise, people, try_places
from .injection import examine
from .pool import Answer, Lost, Pool
from .processes import marked
from .rehearsal import Checked, steps
from .sitting import REHEARSAL, Order
from .store import Damaged, Store, Validity

PLACES: Final = range(1, 11)  # seeds: other places among the team's commits; a repetition's seed is its number
SUITE_SECONDS: Final = 300.0


def check_all(options: argparse.Namespace) -> bool:
    """Check every folder, the cheap questions first, and keep what was found; whether all are valid."""
    ground, store = Ground(options.root), Store(options.root)
    folders = list(dict.fromkeys(path for given in options.folders for path in folders_below(given) or [given]))
    checks: dict[Path, list[Checked]] = {folder: [] for folder in folders}

    def tell(folder: Path, one: Checked) -> None:
        checks[folder].append(one)
        if not options.json:
            mark = {True: "ok", False: "NO", None: "--"}[one.valid]
            print(f"{folder.name}: {mark} {one.name}{f': {one.detail}' if one.detail else ''}", flush=True)  # noqa: T201 - a command's answer

    known = {folder: found for folder in folders if options.missing and (found := _known(store, folder))}
    for folder, found in known.items():
        tell(folder, Checked("was checked before", valid=found.valid, detail=found.why))
    fresh = [folder for folder in folders if folder not in known]
    with ThreadPoolExecutor(options.jobs) as workers:
        for folder, seen in zip(
            fresh, workers.map(lambda one: list(check(one, ground.cache / "environments")), fresh), strict=True
        ):
            for one in seen:
                tell(folder, one)
    if not options.quick:
        sound = [one for one in fresh if all(each.valid is not False for each in checks[one])]
        for folder in (one for one in fresh if one not in sound and checks[one][0].valid):
            _keep(store, folder, checks[folder])
        _stage(ground, store, sound, options.jobs, checks, tell)
    if options.json:
        rows = [{"drill": folder.name, **asdict(one)} for folder in folders for one in checks[folder]]
        valid = all(one["valid"] is not False for one in rows)
        print(json.dumps({"valid": valid, "checks": rows}))  # noqa: T201 - a command's answer
    return all(one.valid is not False for found in checks.values() for one in found)


def _keep(store: Store, folder: Path, checks: Sequence[Checked]) -> None:
    """Write what was found, as soon as there is no more to find."""
    valid = all(one.valid is not False for one in checks)
    store.keep_validity(read(folder), [asdict(one) for one in checks], valid=valid)


def _known(store: Store, folder: Path) -> Validity | None:
    """What was found on a stage for the drill as it is now; None when that is not known."""
    try:
        return store.validity(read(folder))
    except (Damaged, Unusable):
        return None


def _stage(
    ground: Ground,
    store: Store,
    folders: Sequence[Path],
    jobs: int,
    checks: dict[Path, list[Checked]],
    tell: Callable[[Path, Checked], None],
) -> None:
    orders = [
        Order(drill=str(folder.resolve()), cache=str(ground.cache.resolve()), player=REHEARSAL) for folder in folders
    ]

    def begun(number: int) -> None:
        print(f"staging {number + 1} of {len(folders)}: {folders[number].name}", file=sys.stderr, flush=True)  # noqa: T201 - progress

    with ground.locked():
        ground.clean()
        for number, answer in Pool(ground, jobs).each(orders, begun):
            folder = folders[number]
            for one in _staged(answer):
                tell(folder, one)
            _keep(store, folder, checks[folder])


def _staged(answer: Answer) -> list[Checked]:
    if isinstance(answer, Lost):
        return [Checked("staged", valid=False, detail=answer.why)]
    if "checks" not in answer:
        return [Checked("staged", valid=False, detail=str(answer.get("problem", "")))]
    return [Checked(**one) for one in answer["checks"]]


def check(folder: Path, environments: Path) -> Iterator[Checked]:
    """Look at one folder without staging it, cheap questions first; ends with the first that fails."""
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
    if applied.valid and drill.code:
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
            return Checked(name, valid=False, detail=f"{one.title!r} is by {one.author}; there are {', '.join(team)}")
    return Checked(name, valid=True)


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
