"""Makes the example target a git repository with a believable history, and plants one fault in its next release.

`examples/market_predictor_history/history.toml` lists the commits, oldest first. A commit adds ``files`` of the final
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

PROJECT: Final = Path(__file__).resolve().parents[2]
EXAMPLE: Final = PROJECT / "examples" / "market_predictor"
RECORDER: Final = PROJECT / "packages" / "flight-recorder"
HISTORY: Final = PROJECT / "examples" / "market_predictor_history" / "history.toml"
FAULTS: Final = PROJECT / "drills" / "demo"
BRANCH: Final = "main"
_LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", "*.pyc", ".pytest_cache", ".hypothesis", "var", ".venv")
_TIMEOUT: Final = 30.0


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


@dataclass(frozen=True)
class Fault:
    """A fault as its folder tells it. ``places`` bounds where among the next release's commits it may stand."""

    name: str
    title: str
    signal: str
    commit_title: str
    commit_body: str
    author: str
    patch: str
    places: tuple[int, int]


@dataclass
class History:
    """The materialised repository: ``baseline`` is deployed first, `release` commits the next one."""

    origin: Path
    fault: Fault
    lock: str
    baseline: str
    branch: str = BRANCH
    culprit: str = ""
    _head: str = ""

    def release(self) -> str:
        """Push the next release, the fault among its commits; returns its head."""
        _git(self.origin, "update-ref", f"refs/heads/{self.branch}", self._head, self.baseline)
        return self._head


def faults(folder: Path = FAULTS) -> list[Fault]:
    """All faults, by name."""
    return [read_fault(path.parent) for path in sorted(folder.glob("*/drill.toml"))]


def read_fault(folder: Path) -> Fault:
    """One fault folder. Raises ValueError that names the key at fault."""
    data = tomllib.loads((folder / "drill.toml").read_text())
    try:
        change, signal = data["change"], data["signal"]["rule"]
        patch = (folder / data["fault"][0].get("patch", "change.patch")).read_text()
        low, high = data.get("place", {}).get("between", (2, 10))
        return Fault(
            folder.name, data["title"], signal, change["title"], change["body"], change["author"], patch, (low, high)
        )
    except (KeyError, IndexError) as error:
        raise ValueError(f"{folder.name}/drill.toml: {error} is missing") from error


def commits() -> list[Commit]:
    """The team's commits, oldest first."""
    data = tomllib.loads(HISTORY.read_text())
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


def materialise(origin: Path, seed: int, *, fault: Fault | None = None, now: datetime | None = None) -> History:
    """Write the bare repository ``origin``; the seed chooses the fault (unless given) and its place."""
    chosen = fault or _choose(seed)
    planned = commits()
    moment = now or datetime.now(UTC)
    origin.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="history-") as name:
        work = Path(name) / "work"
        _final_tree(work)
        _undo_all(work, planned)
        _git(Path(name), "init", "--quiet", f"--initial-branch={BRANCH}", str(work))
        baseline, culprit, head = _write(work, planned, chosen, seed, moment)
        _git(work, "update-ref", f"refs/heads/{BRANCH}", baseline)
        _git(Path(name), "clone", "--quiet", "--bare", "--no-hardlinks", str(work), str(origin))
        _git(origin, "fetch", "--quiet", str(work), head)

        lock = (EXAMPLE / "requirements.txt").read_text()
    _git(origin, "config", "gc.auto", "0")
    return History(origin=origin, fault=chosen, lock=lock, baseline=baseline, culprit=culprit, _head=head)


def _choose(seed: int) -> Fault:
    known = faults()
    return known[seed % len(known)]


def _final_tree(work: Path) -> None:
    shutil.copytree(EXAMPLE, work, ignore=_LEFT_OUT)
    shutil.copytree(RECORDER, work / "packages" / "flight-recorder", ignore=_LEFT_OUT)


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


def _write(work: Path, planned: Sequence[Commit], fault: Fault, seed: int, now: datetime) -> tuple[str, str, str]:
    """Make all commits; returns baseline, culprit and head."""
    waiting = [commit for commit in planned if commit.next_release]
    place = random.Random(seed).randint(fault.places[0], min(fault.places[1], len(waiting)))
    for commit in planned:
        if not commit.next_release:
            _make(work, commit, now)
    baseline, culprit = _head(work), ""
    for index, commit in enumerate(waiting):
        if index == place:
            culprit = _plant(work, fault, waiting[index - 1].hours_ago, now)
        _make(work, commit, now)
    if place == len(waiting):
        culprit = _plant(work, fault, waiting[-1].hours_ago, now)
    return baseline, culprit, _head(work)


def _make(work: Path, commit: Commit, now: datetime) -> None:
    for edit in commit.edits:
        _replace(work, commit, edit.file, edit.before, edit.after)
    paths = [*commit.files, *(edit.file for edit in commit.edits)]
    _git(work, "add", "--", *paths)
    _record(work, commit.author, commit.title, commit.body, now - timedelta(hours=commit.hours_ago))


def _plant(work: Path, fault: Fault, hours_ago: float, now: datetime) -> str:
    _git(work, "apply", "--index", "--whitespace=nowarn", "-", stdin=fault.patch)
    _record(work, fault.author, fault.commit_title, fault.commit_body, now - timedelta(hours=hours_ago - 0.4))
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
