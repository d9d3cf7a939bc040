"""The local forge: pull requests as branches of a bare repository plus one JSON record each.

Commits are built with git's plumbing on an index of their own: no work tree, no checkout, no hook ever runs. Every
effect writes its intent (with the times to be used) first, so that a second call after a crash makes the same hashes.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, ValidationError

from ..errors import Conflict, NotFound, Permanent
from ..kit.files import OWNER_ONLY, write_atomic
from ..kit.git import Git
from ..kit.redact import fence
from ..model.delivery import Check, Commit, PullRequest
from ..model.record import Record
from ..ports import Clock

TITLE_LENGTH, BODY_LENGTH, MESSAGE_LENGTH, COMMENT_LENGTH, DETAIL_LENGTH = 200, 60_000, 10_000, 2_000, 1_000
MOST_CHECKS, MOST_COMMITS, MOST_COMMENTS, MOST_RIDERS = 50, 20, 50, 1000
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9_-])){0,99}")
_AUTHOR = re.compile(r"\s*([^<>\n]*?)\s*<([^<>\n\s]*)>\s*")


class _Merge(Record):
    """What a merge is going to do, written before it is done."""

    commit: str
    main: str
    at: AwareDatetime


class _Stored(Record):
    """One record file; ``pull_request`` is None until its branch exists."""

    name: str
    number: int
    created_at: AwareDatetime
    pull_request: PullRequest | None = None
    merge: _Merge | None = None
    comments: tuple[str, ...] = ()


class LocalForge:
    """Implements `Forge` on a bare repository; ``records`` is a folder of this forge alone."""

    def __init__(self, repository: Path, records: Path, clock: Clock, *, branch: str = "main") -> None:
        self._git = Git(repository)
        self._records = records
        self._clock = clock
        self._main = f"refs/heads/{branch}"

    def find(self, name: str) -> PullRequest | None:
        """A pull request by its name; one whose merge a crash cut short is finished on the way."""
        with self._locked():
            stored = self._read(name)
            return None if stored is None else self._settled(stored).pull_request

    def open(self, name: str, base: str, commits: tuple[Commit, ...], title: str, body: str) -> PullRequest:
        """Make the branch ``mpa/<name>`` with ``commits`` on ``base`` and record a draft.

        Raises `Conflict` when a diff does not apply, or when the name was used for something else.
        """
        if not commits or len(commits) > MOST_COMMITS:
            raise Permanent(f"a pull request has 1 to {MOST_COMMITS} commits, not {len(commits)}")
        base = self._git.resolve(base)
        with self._locked():
            stored = self._read(name) or self._intend(name)
            head = self._build(base, commits, stored.created_at)
            if stored.pull_request is not None:
                if (stored.pull_request.base, stored.pull_request.head) != (base, head):
                    raise Conflict(f"pull request {name} exists with other commits: use another name")
                return stored.pull_request
            branch = f"mpa/{name}"
            self._git.run("update-ref", "--", f"refs/heads/{branch}", head)
            pull_request = PullRequest(
                name=name,
                number=stored.number,
                branch=branch,
                base=base,
                head=head,
                title=_line(title, TITLE_LENGTH),
                body=fence(body, BODY_LENGTH),
                state="draft",
            )
            return self._keep(stored, pull_request)

    def set_check(self, name: str, check: Check) -> PullRequest:
        """Report one check; the newest report of a check's name counts. Raises `NotFound`."""
        check = Check(name=_line(check.name, 100), state=check.state, detail=fence(check.detail, DETAIL_LENGTH))
        with self._locked():
            stored, pull_request = self._existing(name)
            others = tuple(other for other in pull_request.checks if other.name != check.name)
            if len(others) >= MOST_CHECKS:
                raise Permanent(f"pull request {name} has {MOST_CHECKS} checks already")
            return self._keep(stored, pull_request.model_copy(update={"checks": (*others, check)}))

    def main(self) -> str:
        """The commit at the head of the main branch. Raises `NotFound`."""
        return self._git.resolve(self._main)

    def merge(self, name: str, head: str, main: str) -> PullRequest:
        """Merge with a merge commit when ``head`` and ``main`` are still the branches' heads and every check passed.

        A second call finds it merged. Raises `Conflict`, and `NotFound` for an unknown name.
        """
        with self._locked():
            stored, pull_request = self._existing(name)
            if pull_request.head != head:
                raise Conflict(f"pull request {name} is at {pull_request.head[:10]}, not at {head[:10]}: look again")
            if pull_request.state == "merged":
                self._retire(pull_request)
                return pull_request
            self._check_mergeable(pull_request)
            if self._git.resolve(self._main) != main:
                raise Conflict(f"the main branch moved from {main[:10]} before {name} was merged: look again")
            at = stored.merge.at if stored.merge is not None else self._clock.now()
            intent = _Merge(commit=self._merge_commit(pull_request, main, at), main=main, at=at)
            stored = stored.model_copy(update={"merge": intent})
            self._write(stored)
            moved = self._git.call("update-ref", "--", self._main, intent.commit, main)
            if moved.returncode != 0:
                raise Conflict(f"the main branch moved while {name} was merged: look again and merge anew")
            return self._merged(stored, pull_request, intent)

    def close(self, name: str, comment: str) -> PullRequest:
        """Close without merging; a second call changes nothing. Raises `Conflict` when it is merged, `NotFound`."""
        with self._locked():
            stored, pull_request = self._existing(name)
            if pull_request.state == "merged":
                raise Conflict(f"pull request {name} is merged: it cannot be closed")
            if pull_request.state == "closed":
                self._retire(pull_request)
                return pull_request
            comments = (*stored.comments, fence(comment, COMMENT_LENGTH))[-MOST_COMMENTS:]
            stored = stored.model_copy(update={"comments": comments})
            closed = self._keep(stored, pull_request.model_copy(update={"state": "closed"}))
            self._retire(closed)
            return closed

    def riders(self, running: str, base: str) -> tuple[str, ...]:
        """Commits that a deploy of main would ship besides the pull request's own, newest first.

        Those between ``running`` and ``base``, and whatever main has got since. Raises `NotFound`.
        """
        tips = (self._git.resolve(base), self._git.resolve(self._main))
        limit = f"--max-count={MOST_RIDERS}"
        return tuple(self._git.run("rev-list", limit, *tips, f"^{self._git.resolve(running)}", "--").split())

    def titles(self, commits: tuple[str, ...]) -> dict[str, str]:
        """The first line of each commit's message. Raises `Permanent` for a commit that is not there."""
        if not commits:
            return {}
        said = self._git.run("log", "-z", "--no-walk=unsorted", "--format=%s", *commits, "--").split("\0")
        return {commit: _line(title, TITLE_LENGTH) for commit, title in zip(commits, said, strict=False)}

    def _check_mergeable(self, pull_request: PullRequest) -> None:
        name = pull_request.name
        if pull_request.state == "closed":
            raise Conflict(f"pull request {name} is closed")
        if self._git.resolve(f"refs/heads/{pull_request.branch}") != pull_request.head:
            raise Conflict(f"somebody moved the branch of pull request {name}: look again")
        waiting = [check.name for check in pull_request.checks if check.state != "success"]
        if waiting or not pull_request.checks:
            raise Conflict(f"not every check of pull request {name} passed: {', '.join(waiting) or 'none reported'}")

    def _merge_commit(self, pull_request: PullRequest, main: str, at: datetime) -> str:
        """The merge commit, made but not yet on any branch. Raises `Conflict`."""
        done = self._git.call("merge-tree", "--write-tree", "--name-only", main, pull_request.head)
        lines = done.text.splitlines()
        if done.returncode == 1:
            names = ", ".join(_line(line, 100) for line in lines[1:6] if line)
            raise Conflict(f"main moved and pull request {pull_request.name} no longer merges: {names}")
        if done.returncode != 0 or not lines:
            raise Permanent(f"git merge-tree failed: {done.problem}")
        message = f"Merge pull request #{pull_request.number}: {pull_request.title}\n"
        return self._commit(lines[0], (main, pull_request.head), message, {}, at)

    def _build(self, base: str, commits: tuple[Commit, ...], at: datetime) -> str:
        """The commits on ``base``; the same input gives the same hash."""
        parent = base
        with tempfile.TemporaryDirectory(prefix="index-", dir=self._records) as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._git.run("read-tree", base, env=index)
            for commit in commits:
                self._git.apply(commit.diff, "--cached", env=index)
                tree = self._git.run("write-tree", env=index).strip()
                message = fence(commit.message, MESSAGE_LENGTH).strip() + "\n"
                parent = self._commit(tree, (parent,), message, _author(commit.author), at)
        return parent

    def _commit(self, tree: str, parents: tuple[str, ...], message: str, author: dict[str, str], at: datetime) -> str:
        date = f"{int(at.timestamp())} +0000"
        env = {**author, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        options = [word for parent in parents for word in ("-p", parent)]
        return self._git.run("commit-tree", tree, *options, "-F", "-", stdin=message, env=env).strip()

    def _settled(self, stored: _Stored) -> _Stored:
        """Finish a merge that reached main but not the record."""
        pull_request, intent = stored.pull_request, stored.merge
        if pull_request is None or intent is None or pull_request.state == "merged":
            return stored
        done = self._git.call("merge-base", "--is-ancestor", intent.commit, self._main)
        if done.returncode == 0:
            merged = self._merged(stored, pull_request, intent)
            return stored.model_copy(update={"pull_request": merged})
        return stored

    def _merged(self, stored: _Stored, pull_request: PullRequest, intent: _Merge) -> PullRequest:
        update = {"state": "merged", "merge_commit": intent.commit}
        merged = self._keep(stored, pull_request.model_copy(update=update))
        self._retire(merged)
        return merged

    def _retire(self, pull_request: PullRequest) -> None:
        """An ended pull request leaves no branch, unless somebody pushed to it; its commits stay under ``refs/mpa``."""
        kept = f"refs/mpa/{pull_request.name}"
        self._git.run("update-ref", "--", kept, pull_request.head)
        self._git.call("update-ref", "-d", f"refs/heads/{pull_request.branch}", pull_request.head)

    def _existing(self, name: str) -> tuple[_Stored, PullRequest]:
        found = self._read(name)
        stored = None if found is None else self._settled(found)
        if stored is None or stored.pull_request is None:
            raise NotFound(f"there is no pull request {name[:100]!r}")
        return stored, stored.pull_request

    def _intend(self, name: str) -> _Stored:
        numbers = [_load(path).number for path in self._records.glob("*.json")]
        stored = _Stored(name=name, number=max(numbers, default=0) + 1, created_at=self._clock.now())
        self._write(stored)
        return stored

    def _keep(self, stored: _Stored, pull_request: PullRequest) -> PullRequest:
        self._write(stored.model_copy(update={"pull_request": pull_request}))
        return pull_request

    def _read(self, name: str) -> _Stored | None:
        path = self._path(name)
        return _load(path) if path.exists() else None

    def _write(self, stored: _Stored) -> None:
        write_atomic(self._path(stored.name), stored.model_dump_json(indent=1), mode=0o600)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or name.endswith(".lock"):
            raise Permanent(f"{name[:100]!r} cannot name a pull request: use letters, digits, '-', '_' and '.'")
        return self._records / f"{name}.json"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, also across processes; a killed holder's lock is gone with it."""
        self._records.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY)
        descriptor = os.open(self._records / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _load(path: Path) -> _Stored:
    try:
        return _Stored.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        raise Permanent(f"the record {path.name} cannot be read: {error}. Restore it, or move it away") from error


def _line(text: str, limit: int) -> str:
    return " ".join(fence(text, limit).split())


def _author(author: str) -> dict[str, str]:
    """Git's variables for ``Name <address>``; a plain name gets an address that reaches nobody."""
    match = _AUTHOR.fullmatch(author)
    name, address = match.groups() if match else (re.sub(r"[<>]", "", author), "unknown@invalid")
    return {"GIT_AUTHOR_NAME": _line(name, 100) or "unknown", "GIT_AUTHOR_EMAIL": _line(address, 200) or "unknown"}
