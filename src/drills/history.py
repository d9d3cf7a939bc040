"""Makes an example target a git repository with a believable history, and plants one fault in its next release.

`examples/…_history/history.toml` lists the commits, oldest first. A commit adds ``files`` of the final
tree, or makes ``edits`` (text before and after). Earlier trees come from undoing the edits, newest first, on the final
tree, so the final tree and its history cannot drift apart. The last commits (``release = "next"``) are not deployed yet:
the fault goes among them, at a place that the seed chooses.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from .drill import Drill, Planted, read

PROJECT: Final = Path(__file__).resolve().parents[2]
FAULTS: Final = PROJECT / "drills" / "demo"
BRANCH: Final = "main"
_LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", "*.pyc", ".pytest_cache", ".hypothesis", "var", ".venv")
_TIMEOUT: Final = 30.0


@dataclass(frozen=True)
class Example:
    """A target that drills are staged on; ``packages`` are folders that its repository holds under packages/."""

    folder: Path
    history: Path
    packages: tuple[Path, ...] = ()


MARKET: Final = Example(
    folder=PROJECT / "examples" / "market_predictor",
    history=PROJECT / "examples" / "market_predictor_history" / "history.toml",
    packages=(PROJECT / "packages" / "flight-recorder",),
)
PARCELS: Final = Example(
    folder=PROJECT / "examples" / "parcel_times",
    history=PROJECT / "examples" / "parcel_times_history" / "history.toml",
)


@dataclass(frozen=True)
class Edit:
    """One replacement in one file; an empty ``before`` needs ``after`` to be unique text that was added."""

    file: str
    before: str
    after: str


@dataclass(frozen=True)
class Commit:
    """One commit of the team; ``hours_ago`` counts back from now."""

    author: str
    title: str
    body: str
    hours_ago: float
    files: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    next_release: bool = False


@dataclass
class History:
    """The materialised repository: ``baseline`` is deployed first, `release` pushes the next one.

    ``culprits`` are the commits of the drill's faults, ``decoys`` those of its innocent ones, oldest first.
    """

    origin: Path
    drill: Drill
    lock: str
    baseline: str
    branch: str = BRANCH
    culprits: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()
    _head: str = ""

    def release(self) -> str:
        """Push the next release, with all that was planted among its commits; returns its head."""
        _git(self.origin, "update-ref", f"refs/heads/{self.branch}", self._head, self.baseline)
        return self._head

    def merges(self) -> int:
        """How many merges main has got since: what the agent (or anybody) merged."""
        known = (self.baseline, self._head)
        return int(_git(self.origin, "rev-list", "--count", "--merges", self.branch, *(f"^{one}" for one in known)))


def faults(folder: Path = FAULTS) -> list[Drill]:
    """All drills of a folder, by name. Raises `Unusable`."""
    return [read(path.parent) for path in sorted(folder.glob("*/drill.toml"))]


def commits(example: Example = MARKET) -> list[Commit]:
    """The commits of an example's team, oldest first."""
    data = tomllib.loads(example.history.read_text(encoding="utf-8"))
    people: dict[str, str] = data["people"]
    return [_commit(entry, people) for entry in data["commit"]]


def _commit(entry: dict[str, Any], people: dict[str, str]) -> Commit:
    edits = tuple(Edit(edit["file"], edit.get("before", ""), edit.get("after", "")) for edit in entry.get("edits", ()))
    return Commit(
        author=people[entry["by"]],
        title=entry["title"],
        body=entry.get("body", ""),
        hours_ago=entry["hours_ago"],
        files=tuple(entry.get("files", ())),
        edits=edits,
        next_release=entry.get("release") == "next",
    )


def materialise(
    origin: Path, seed: int, *, drill: Drill | None = None, example: Example = MARKET, now: datetime | None = None
) -> History:
    """Write the bare repository ``origin`` of an example; the seed chooses the drill (unless given) and where its commits stand.

    Raises `RuntimeError` for a patch that does not apply there.
    """
    chosen = drill or _choose(seed)
    planned = commits(example)
    moment = now or datetime.now(UTC)
    origin.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="history-") as name:
        work = Path(name) / "work"
        _final_tree(example, work)
        _undo_all(work, planned)
        _git(Path(name), "init", "--quiet", f"--initial-branch={BRANCH}", str(work))
        baseline, planted, head = _write(work, planned, chosen, seed, moment)
        _git(work, "update-ref", f"refs/heads/{BRANCH}", baseline)
        _git(Path(name), "clone", "--quiet", "--bare", "--no-hardlinks", str(work), str(origin))
        _git(origin, "fetch", "--quiet", str(work), head)

        lock = (example.folder / "requirements.txt").read_text()
    _git(origin, "config", "gc.auto", "0")
    culprits = tuple(commit for one, commit in planted if one not in chosen.decoys)
    decoys = tuple(commit for one, commit in planted if one in chosen.decoys)
    return History(origin, chosen, lock, baseline, culprits=culprits, decoys=decoys, _head=head)


def _choose(seed: int) -> Drill:
    known = faults()
    return known[seed % len(known)]


def _final_tree(example: Example, work: Path) -> None:
    shutil.copytree(example.folder, work, ignore=_LEFT_OUT)
    for package in example.packages:
        shutil.copytree(package, work / "packages" / package.name, ignore=_LEFT_OUT)


def _undo_all(work: Path, planned: Sequence[Commit]) -> None:
    """Undo every edit, newest first. Raises ValueError for an edit that the final tree does not hold."""
    for commit in reversed(planned):
        for edit in reversed(commit.edits):
            _replace(work, commit, edit.file, edit.after, edit.before)


def _replace(work: Path, commit: Commit, file: str, old: str, new: str) -> None:
    path = work / file
    text = path.read_text()
    if text.count(old) != 1:
        raise ValueError(
            f"history: {commit.title!r} expects once in {file}, found {text.count(old)} times: {old[:60]!r}"
        )
    path.write_text(text.replace(old, new))


def _write(
    work: Path, planned: Sequence[Commit], drill: Drill, seed: int, now: datetime
) -> tuple[str, list[tuple[Planted, str]], str]:
    """Make all commits; returns the baseline, what was planted with its commit, and the head."""
    waiting = [commit for commit in planned if commit.next_release]
    places = _places(drill, len(waiting), random.Random(seed))
    for commit in planned:
        if not commit.next_release:
            _make(work, commit, now)
    baseline, planted = _head(work), []
    for index in range(len(waiting) + 1):
        before = waiting[max(0, index - 1)].hours_ago
        for nth, one in enumerate(places.get(index, ())):
            planted.append((one, _plant(work, one, before - 0.4 - 0.1 * nth, now)))
        if index < len(waiting):
            _make(work, waiting[index], now)
    return baseline, planted, _head(work)


def _places(drill: Drill, count: int, chance: random.Random) -> dict[int, list[Planted]]:
    """Before which of the team's ``count`` waiting commits each planted one stands; ``count`` is behind the last."""
    low, high = drill.places
    places: dict[int, list[Planted]] = {}
    for fault in drill.faults:
        if fault.commit is not None:
            places.setdefault(chance.randint(low, min(high, count)), []).append(fault.commit)
    for decoy in drill.decoys:
        places.setdefault(chance.randint(1, count), []).append(decoy)
    return places


def _make(work: Path, commit: Commit, now: datetime) -> None:
    for edit in commit.edits:
        _replace(work, commit, edit.file, edit.before, edit.after)
    paths = [*commit.files, *(edit.file for edit in commit.edits)]
    _git(work, "add", "--", *paths)
    _record(work, commit.author, commit.title, commit.body, now - timedelta(hours=commit.hours_ago))


def _plant(work: Path, one: Planted, hours_ago: float, now: datetime) -> str:
    _git(work, "apply", "--index", "--whitespace=nowarn", "-", stdin=one.patch)
    _record(work, one.author, one.title, one.body, now - timedelta(hours=hours_ago))
    return _head(work)


def _record(work: Path, author: str, title: str, body: str, when: datetime) -> None:
    name, _, mail = author.partition(" <")
    person = {"NAME": name, "EMAIL": mail.rstrip(">"), "DATE": when.isoformat(timespec="seconds")}
    env = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
    message = f"{title}\n\n{body.strip()}\n" if body.strip() else f"{title}\n"
    _git(work, "commit", "--quiet", "--no-verify", "-F", "-", stdin=message, env=env)


def _head(work: Path) -> str:
    return _git(work, "rev-parse", "HEAD").strip()


def _git(cwd: Path, *args: str, stdin: str | None = None, env: dict[str, str] | None = None) -> str:
    """Run git with a fixed environment. Raises RuntimeError with what it said."""
    fixed = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
    }
    done = subprocess.run(
        [
            "git",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "safe.directory=*",
            "-c",
            "uploadpack.allowAnySHA1InWant=true",
            *args,
        ],
        cwd=cwd,
        input=stdin,
        env={**fixed, **(env or {})},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"git {args[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout
