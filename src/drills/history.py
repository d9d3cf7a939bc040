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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from .drill import NOBODY, Drill, Planted, Unusable, read
from .plan import Step, plan
from .processes import marked

PROJECT: Final = Path(__file__).resolve().parents[2]
FAULTS: Final = PROJECT / "drills" / "demo"
BRANCH: Final = "main"
LEFT_OUT: Final = ("__pycache__", "*.pyc", ".pytest_cache", ".hypothesis", "var", ".venv")
_LEFT_OUT: Final = shutil.ignore_patterns(*LEFT_OUT)
_NO_TRACE: Final = ("--no-write-fetch-head", "--no-tags")
_TIMEOUT: Final = 30.0


class Unwritten(RuntimeError):
    """Git could not do what the history needs; the message holds its last words."""


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


OWN: Final = "repository"  # the key of a drill's [target] that names a repository of the user's own
EXAMPLES: Final = {"market-predictor": MARKET, "parcel-times": PARCELS}


def example_of(drill: Drill) -> Example:
    """The example that a drill is staged on. Raises `Unusable` for an unknown name."""
    name = str(drill.target.get("example", "market-predictor"))
    if name not in EXAMPLES:
        raise Unusable(f"[target] example is one of {', '.join(EXAMPLES)}, not {name!r}")
    return EXAMPLES[name]


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
class Push:
    """One release of the team: its head, and whether it brings the fault's commits."""

    head: str
    broken: bool


@dataclass
class History:
    """The materialised repository: ``baseline`` is deployed first, `release` pushes the next ones in order.

    ``origin`` is what the team and the agent share; a commit comes there with its release. ``workshop`` holds all commits.
    ``culprits`` are the commits of the drill's faults, ``decoys`` those of its innocent ones, oldest first. ``innocent``
    is a release without any fault, empty unless it was asked for.
    """

    origin: Path
    workshop: Path
    drill: Drill
    lock: str
    baseline: str
    branch: str = BRANCH
    culprits: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()
    pushes: tuple[Push, ...] = ()
    innocent: str = ""

    @property
    def head(self) -> str:
        """The head of the last release, everything planted included."""
        return self.pushes[-1].head if self.pushes else self.baseline

    def release(self, number: int | None = None) -> str:
        """Push one release, by its number or the last; returns its head."""
        head = self.head if number is None else self.pushes[number].head
        self.push(head)
        return head

    def push(self, commit: str) -> None:
        """Make any known commit the head of main."""
        self._catch_up()
        git(self.origin, "fetch", "--quiet", *_NO_TRACE, str(self.workshop), commit)
        git(self.origin, "update-ref", f"refs/heads/{self.branch}", commit)

    def merges(self) -> int:
        """How many merges main has got since: what the agent (or anybody) merged."""
        return self._count("--merges")

    def strangers(self) -> int:
        """How many commits stand on main's own line that are neither the team's nor merges."""
        return self._count("--first-parent", "--no-merges")

    def _count(self, *options: str) -> int:
        self._catch_up()
        known = (self.baseline, *(one.head for one in self.pushes))
        return int(git(self.workshop, "rev-list", "--count", *options, self.tip(), *(f"^{one}" for one in known)))

    def ours(self, commit: str) -> bool:
        """Whether a commit is a release of the team, or stands on main."""
        known = (self.baseline, self.innocent, *(one.head for one in self.pushes))
        if commit in known:
            return True
        try:
            git(self.origin, "merge-base", "--is-ancestor", commit, self.branch)
        except Unwritten:
            return False
        return True

    def tip(self) -> str:
        """The head of main now."""
        return git(self.origin, "rev-parse", f"refs/heads/{self.branch}").strip()

    def lock_of(self, commit: str) -> str:
        """The lock file of a commit."""
        return git(self.workshop, "show", f"{commit}:requirements.txt")

    def check_out(self, commit: str, work: Path) -> None:
        """A working copy of a commit, released or not, in a new folder ``work``."""
        self._catch_up()
        git(self.workshop, "clone", "--quiet", "--no-checkout", str(self.workshop), str(work))
        git(work, "fetch", "--quiet", "origin", commit)
        git(work, "checkout", "--quiet", "--detach", commit)

    def touched(self, since: str, until: str) -> list[tuple[str, tuple[str, ...]]]:
        """The commits after ``since`` up to ``until``, newest first, each with the files it changed."""
        self._catch_up()
        log = git(self.workshop, "log", "--no-merges", "--name-only", "--format=%x00%H", f"{since}..{until}")
        entries = (entry.split() for entry in log.split("\0") if entry.strip())
        return [(commit, tuple(files)) for commit, *files in entries]

    def patched(self, onto: str, patch: str, title: str) -> str:
        """A commit on top of another with a patch applied. Raises `RuntimeError` where it does not apply."""
        return self._made(onto, lambda work: _plant(work, Planted(title, "", NOBODY, patch), 0.0, datetime.now(UTC)))

    def reverted(self, onto: str, commit: str) -> str:
        """A commit on top of ``onto`` that reverts one. Raises `RuntimeError` where that conflicts."""

        def revert(work: Path) -> None:
            git(work, "-c", "user.name=ci", "-c", "user.email=ci@desk.invalid", "revert", "--no-edit", commit)

        return self._made(onto, revert)

    def _made(self, onto: str, act: Callable[[Path], object]) -> str:
        with tempfile.TemporaryDirectory(prefix="history-") as name:
            work = Path(name) / "work"
            self.check_out(onto, work)
            act(work)
            head = _head(work)
            git(self.workshop, "fetch", "--quiet", str(work), head)
        return head

    def _catch_up(self) -> None:
        """The workshop knows what others pushed to the origin."""
        git(self.workshop, "fetch", "--quiet", str(self.origin), "+refs/heads/*:refs/shared/*")


def faults(folder: Path = FAULTS) -> list[Drill]:
    """All drills of a folder, by name. Raises `Unusable`."""
    return [read(path.parent) for path in sorted(folder.glob("*/drill.toml"))]


def commits(example: Example = MARKET) -> list[Commit]:
    """The commits of an example's team, oldest first."""
    data = tomllib.loads(example.history.read_text(encoding="utf-8"))
    people: dict[str, str] = data["people"]
    return [_commit(entry, people) for entry in data["commit"]]


def people(drill: Drill) -> tuple[str, ...]:
    """Who commits to the target of a drill; of a service of the user's own, whoever did. Raises `Unwritten`."""
    if OWN in drill.target:
        log = git((drill.folder / str(drill.target[OWN])).resolve(), "log", "--format=%an <%ae>", "HEAD")
        return tuple(dict.fromkeys(log.splitlines()))
    data = tomllib.loads(example_of(drill).history.read_text(encoding="utf-8"))
    return tuple(data["people"].values())


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
    origin: Path,
    seed: int,
    *,
    drill: Drill | None = None,
    example: Example | None = None,
    innocent: bool = False,
    now: datetime | None = None,
    workshop: Path | None = None,
) -> History:
    """Write the bare repository ``origin``; the seed chooses the drill (unless given) and where its commits stand.

    The target is the drill's own unless ``example`` says which. What is not released yet is in ``workshop`` only, by
    default beside the origin; with ``innocent`` also the same release without the faults. Raises `Unwritten` for a patch
    that does not apply there.
    """
    chosen = drill or _choose(seed)
    moment = now or datetime.now(UTC)
    hidden = workshop or origin.with_name(f"{origin.stem}-workshop.git")
    origin.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="history-") as name:
        work = Path(name) / "work"
        waiting = _work(example, chosen, work, moment)
        baseline = _head(work)
        pushes, planted = _releases(work, waiting, plan(chosen, len(waiting), random.Random(seed)), moment)
        heads = [baseline, *(push.head for push in pushes)]
        if innocent:
            git(work, "checkout", "--quiet", "--force", "--detach", baseline)
            calm = replace(chosen, faults=(), release_after=0.0)
            _releases(work, waiting, plan(calm, len(waiting), random.Random(seed)), moment)
            heads.append(_head(work))
        git(work, "checkout", "--quiet", "--force", "-B", BRANCH, baseline)
        # Not as a local clone, which would copy all objects and not only main's.
        git(Path(name), "clone", "--quiet", "--bare", "--no-local", "--single-branch", str(work), str(origin))
        git(Path(name), "clone", "--quiet", "--bare", "--no-hardlinks", str(work), str(hidden))
        git(hidden, "fetch", "--quiet", str(work), *heads)
    for repository in (origin, hidden):
        git(repository, "config", "gc.auto", "0")
    return History(
        origin,
        hidden,
        chosen,
        git(origin, "show", f"{baseline}:requirements.txt"),
        baseline,
        culprits=tuple(commit for one, commit in planted if one not in chosen.decoys),
        decoys=tuple(commit for one, commit in planted if one in chosen.decoys),
        pushes=pushes,
        innocent=heads[-1] if innocent else "",
    )


def try_places(drill: Drill, seeds: Iterable[int]) -> int:
    """Make the releases as every seed would have them, without a repository to keep; returns how many differ.

    Raises `Unwritten` with the seed for a patch that does not apply there.
    """
    moment, known = datetime.now(UTC), []
    with tempfile.TemporaryDirectory(prefix="history-") as name:
        work = Path(name) / "work"
        waiting = _work(None, drill, work, moment)
        baseline = _head(work)
        for seed in seeds:
            planned = plan(drill, len(waiting), random.Random(seed))
            if planned in known:
                continue
            known.append(planned)
            git(work, "checkout", "--quiet", "--force", "--detach", baseline)
            try:
                _releases(work, waiting, planned, moment)
            except Unwritten as error:
                raise Unwritten(f"seed {seed}: {error}") from error
    return len(known)


def _choose(seed: int) -> Drill:
    known = faults()
    return known[seed % len(known)]


def _work(example: Example | None, drill: Drill, work: Path, now: datetime) -> list[Commit]:
    """The repository as it is deployed first, in ``work``; returns what waits for the next release."""
    if example is None and OWN in drill.target:
        return _own_work(drill, work)
    return _example_work(example or example_of(drill), drill, work, now)


def _example_work(example: Example, drill: Drill, work: Path, now: datetime) -> list[Commit]:
    """The history of an example up to what is deployed; returns what waits for the next release."""
    planned = commits(example)
    _first_tree(example, drill, planned, work)
    for commit in planned:
        if not commit.next_release:
            _make(work, commit, now)
    return [commit for commit in planned if commit.next_release]


def _own_work(drill: Drill, work: Path) -> list[Commit]:
    """A copy of the user's repository as it is committed; nothing waits. Raises `Unusable` for what is none."""
    folder = (drill.folder / str(drill.target[OWN])).resolve()
    try:
        git(work.parent, "clone", "--quiet", "--no-hardlinks", "--single-branch", str(folder), str(work))
        git(work, "show", "HEAD:requirements.txt")
        git(work, "checkout", "--quiet", "-B", BRANCH)
    except Unwritten as error:
        raise Unusable(f"{drill.name}/drill.toml: [target] repository {folder}: {error}") from error
    return []


def _first_tree(example: Example, drill: Drill, planned: Sequence[Commit], work: Path) -> None:
    """The tree before all commits, in a new repository; a fault older than the history is in its files already."""
    _final_tree(example, work)
    git(work.parent, "init", "--quiet", f"--initial-branch={BRANCH}", str(work))
    for fault in drill.faults:
        if fault.commit is not None and fault.old:
            git(work, "apply", "--whitespace=nowarn", "-", stdin=fault.commit.patch)
    _undo_all(work, planned)


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


def _releases(
    work: Path, waiting: Sequence[Commit], planned: Sequence[Step], now: datetime
) -> tuple[tuple[Push, ...], list[tuple[Planted, str]]]:
    pushes, planted = [], []
    for step in planned:
        planted += _release(work, waiting, step, now)
        pushes.append(Push(_head(work), step.broken))
    return tuple(pushes), planted


def _release(work: Path, waiting: Sequence[Commit], step: Step, now: datetime) -> list[tuple[Planted, str]]:
    """Make one release's commits; returns what was planted with its commit."""
    planted = []
    team = waiting if step.team else ()
    for index in range(len(team) + 1):
        before = team[max(0, index - 1)].hours_ago if team else 0.5
        for nth, one in enumerate(step.places.get(index, ())):
            planted.append((one, _plant(work, one, max(before - 0.4 - 0.1 * nth, 0.01), now)))
        if index < len(team):
            _make(work, team[index], now)
    return planted


def _make(work: Path, commit: Commit, now: datetime) -> None:
    for edit in commit.edits:
        _replace(work, commit, edit.file, edit.before, edit.after)
    paths = [*commit.files, *(edit.file for edit in commit.edits)]
    git(work, "add", "--", *paths)
    _record(work, commit.author, commit.title, commit.body, now - timedelta(hours=commit.hours_ago))


def _plant(work: Path, one: Planted, hours_ago: float, now: datetime) -> str:
    git(work, "apply", "--index", "--whitespace=nowarn", "-", stdin=one.patch)
    _record(work, one.author, one.title, one.body, now - timedelta(hours=hours_ago))
    return _head(work)


def _record(work: Path, author: str, title: str, body: str, when: datetime) -> None:
    name, _, mail = author.partition(" <")
    person = {"NAME": name, "EMAIL": mail.rstrip(">"), "DATE": when.isoformat(timespec="seconds")}
    env = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
    message = f"{title}\n\n{body.strip()}\n" if body.strip() else f"{title}\n"
    git(work, "commit", "--quiet", "--no-verify", "-F", "-", stdin=message, env=env)


def _head(work: Path) -> str:
    return git(work, "rev-parse", "HEAD").strip()


def git(cwd: Path, *args: str, stdin: str | None = None, env: dict[str, str] | None = None) -> str:
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
        env=marked({**fixed, **(env or {})}),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        raise Unwritten(f"git {args[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout
