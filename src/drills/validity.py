"""Is a drill a fair question? ``mpa drill check``: what can be said without staging it.

The folder can be read, its commits apply wherever the seed may put them, and the target's own tests pass with the fault
in place, for real bugs get past tests. Whether the alarm comes, and acceptance fails without a fix and passes with the
reference, needs a stage; that is not checked yet, and the answer says so.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import environment
from .drill import Drill, Unusable, read
from .history import materialise
from .injection import STAGED
from .stage import SOURCES

PLACES: Final = range(1, 6)  # seeds: other places among the team's commits
SUITE_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Checked:
    """One thing that was looked at; ``valid`` is None where it was not."""

    name: str
    valid: bool | None
    detail: str = ""


def check(folder: Path, environments: Path) -> Iterator[Checked]:
    """Look at one folder, cheap questions first; ends with the first that fails."""
    try:
        drill = read(folder)
    except Unusable as error:
        yield Checked("readable", valid=False, detail=str(error))
        return
    yield Checked("readable", valid=True, detail=f"{drill.title} ({drill.family})")
    unknown = [fault.kind for fault in drill.faults if fault.kind not in STAGED]
    yield Checked("can be staged", valid=not unknown, detail=", ".join(unknown) and f"not yet: {', '.join(unknown)}")
    if any(fault.commit for fault in drill.faults) or drill.decoys:
        applied = _applies(drill)
        yield applied
        if applied.valid:
            yield _suite(drill, environments)
    yield Checked("alarm, acceptance and reference", valid=None, detail="not checked yet: they need a stage")


def _applies(drill: Drill) -> Checked:
    with tempfile.TemporaryDirectory(prefix="drill-") as name:
        for seed in PLACES:
            try:
                materialise(Path(name) / str(seed) / "origin.git", seed, drill=drill)
            except RuntimeError as error:
                return Checked("commits apply", valid=False, detail=f"seed {seed}: {error}")
    return Checked("commits apply", valid=True, detail=f"at {len(PLACES)} places")


def _suite(drill: Drill, environments: Path) -> Checked:
    """The target's ordinary tests, with every planted commit in place."""
    with tempfile.TemporaryDirectory(prefix="drill-") as name:
        history = materialise(Path(name) / "origin.git", 1, drill=drill)
        work, head = Path(name) / "work", history.release()
        clone = ["git", "clone", "--quiet", "--no-checkout", str(history.origin), str(work)]
        subprocess.run(clone, capture_output=True, check=True, timeout=60)
        subprocess.run(["git", "-C", str(work), "checkout", "--quiet", head], capture_output=True, check=True, timeout=60)
        python = environment.build(history.lock, environments)
        argv = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": SOURCES, "HOME": name}
        try:
            tests = subprocess.run(
                argv, cwd=work, env=env, capture_output=True, text=True, timeout=SUITE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return Checked("the target's tests pass with it", valid=False, detail=f"not within {SUITE_SECONDS:.0f} s")
    last = (tests.stdout.strip().splitlines() or ["nothing was said"])[-1]
    return Checked("the target's tests pass with it", valid=tests.returncode == 0, detail=last)


SKELETON: Final = '''title = "Say in one sentence what goes wrong"
family = "exceptions from edge inputs"    # drills of one family are counted together

[[fault]]
kind = "commit"           # commit, process, traffic, configuration, model, none; more come
after = 6                 # seconds of calm before it
patch = "change.patch"    # a diff against the target, or a mail as `git format-patch` writes it

# [[fault]]
# kind = "process"        # action = "stop" | "kill" | "freeze" (seconds = 10)
# after = 6
# action = "kill"

[expect]
cause = "code"            # code, configuration, dependency, capacity, data, model, infrastructure, traffic, none
component = "API"         # the one that failed first; leave it out where you do not ask
change = "fault"          # "fault": the commit above; "none": no change is to blame
outcome = "fixed"         # or a list of outcomes that are all right

# Beside this file, all of it hidden from the agent:
#   change.patch          the fault
#   decoys/*.patch        innocent commits of the same release
#   acceptance/           pytest tests; they run in the deployed release, TARGET_URL says where it answers
#   reference/            a solution, to show that there is one
'''


def skeleton(folder: Path) -> None:
    """Write a commented drill to begin with. Raises `Unusable` when there is something already."""
    if folder.exists():
        raise Unusable(f"{folder} is there already: choose another name")
    (folder / "decoys").mkdir(parents=True)
    (folder / "acceptance").mkdir()
    (folder / "reference").mkdir()
    (folder / "drill.toml").write_text(SKELETON, encoding="utf-8")
