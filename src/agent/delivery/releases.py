"""The release folder of a supervised target: checkouts, the ``current`` link, the record of deployments, the intent.

ROOT/releases/<commit>/     one checkout a release; its name is its commit
ROOT/current                symlink to the release that runs
ROOT/deployments.ndjson     one JSON line a finished deployment
ROOT/deployment.intent      what is under way; outlives a crash
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, ValidationError

from ..errors import Busy, Permanent
from ..kit.files import append_line, tail, write_atomic
from ..kit.git import Git
from ..kit.workspaces import remove
from ..model.delivery import Deployment
from ..model.record import Record, Sha

MOST_RELEASES = 10
MOST_LINES, KEPT_LINES = 2000, 1000
MOST_BYTES = 4 << 20
Kind = Literal["deploy", "rollback", "restart"]
_COMMIT = re.compile(r"[0-9a-f]{40}")
_FIELDS = frozenset(Deployment.model_fields)


class Intent(Record):
    """What is under way, written before anything is done.

    ``before`` is (pid, start ticks) of the process that ran then: another one in the release's folder means that the
    restart has been done. ``failure`` says why the release is being put back; ``before`` is then the failed process.
    """

    name: str
    kind: Kind
    commit: Sha
    previous: Sha | None
    before: tuple[int, int] | None
    started_at: AwareDatetime
    failure: str = ""


class Releases:
    """One release folder and the repository that feeds it."""

    def __init__(self, root: Path, repository: Path) -> None:
        self._root = root
        self._repository = repository
        self._lines = root / "deployments.ndjson"
        self._intent = root / "deployment.intent"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One deployment at a time, across processes. Raises `Busy`; a killed holder's lock is gone with it."""
        (self._root / "releases").mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._root / "deploy.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _hold(descriptor)
            yield
        finally:
            os.close(descriptor)

    def folder(self, commit: str) -> Path:
        """Where a release is or would be."""
        return self._root / "releases" / commit

    def current(self) -> str | None:
        """The commit that ``current`` names, or None."""
        try:
            name = (self._root / "current").readlink().name
        except OSError:
            return None
        return name if _COMMIT.fullmatch(name) else None

    def unpack(self, commit: str) -> Path:
        """Make the release's checkout unless it is there: whole or not at all, files read-only."""
        folder = self.folder(commit)
        if folder.exists():
            return folder
        fresh, index = folder.with_name(f".{commit}.new"), folder.with_name(f".{commit}.index")
        self._clear(fresh, index)
        fresh.mkdir(parents=True)
        env = {"GIT_DIR": str(self._repository.resolve()), "GIT_WORK_TREE": str(fresh), "GIT_INDEX_FILE": str(index)}
        git = Git(self._repository)
        git.run("read-tree", commit, env=env)
        git.run("checkout-index", "--all", "--force", env=env)
        for path in fresh.rglob("*"):
            if path.is_file() and not path.is_symlink():
                path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)
        fresh.rename(folder)
        self._clear(index)
        return folder

    def switch(self, commit: str) -> None:
        """Make ``current`` name the release, in one step."""
        if self.current() == commit:
            return
        fresh = self._root / ".current.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("releases") / commit)
        fresh.replace(self._root / "current")

    def find(self, name: str) -> Deployment | None:
        """A finished deployment by its name, the newest when there are several."""
        return next((line for line in reversed(self.deployments()) if line.name == name), None)

    def deployments(self) -> tuple[Deployment, ...]:
        """All on record, oldest first; a line that is torn or of another shape is passed over."""
        if not self._lines.exists():
            return ()
        parsed = (_parse(line) for line in tail(self._lines, MOST_BYTES).decode("utf-8", "replace").splitlines())
        return tuple(line for line in parsed if line is not None)

    def record(self, deployment: Deployment) -> None:
        """Append one finished deployment and forget the intent, in this order."""
        if self._lines.exists() and (tail(self._lines, MOST_BYTES) or b"\n")[-1:] != b"\n":
            append_line(self._lines, "")  # a torn line stays alone
        append_line(self._lines, deployment.model_dump_json())
        lines = tail(self._lines, MOST_BYTES).splitlines(keepends=True)
        if len(lines) > MOST_LINES:
            write_atomic(self._lines, b"".join(lines[-KEPT_LINES:]))
        self.forget()

    def intent(self) -> Intent | None:
        """What is under way or was cut short. Raises `Permanent` when it cannot be read."""
        if not self._intent.exists():
            return None
        try:
            return Intent.model_validate_json(self._intent.read_bytes())
        except ValidationError as error:
            raise Permanent(f"{self._intent.name} cannot be read: look what runs, then remove it") from error

    def intend(self, intent: Intent) -> Intent:
        """Write what is going to be done."""
        write_atomic(self._intent, intent.model_dump_json())
        return intent

    def forget(self) -> None:
        """Nothing is under way any more."""
        self._intent.unlink(missing_ok=True)

    def prune(self, *keep: str | None) -> None:
        """Remove all but the newest releases; those in ``keep`` and the current one stay."""
        kept = {*keep, self.current()}
        folders = [path for path in (self._root / "releases").iterdir() if _COMMIT.fullmatch(path.name)]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in folders[MOST_RELEASES:]:
            if path.name not in kept:
                gone = path.with_name(f".{path.name}.gone")
                self._clear(gone)
                path.rename(gone)  # first the name: half a release must never look like a whole one
                self._clear(gone)

    @staticmethod
    def _clear(*paths: Path) -> None:
        for path in paths:
            if path.is_dir():
                remove(path)
            else:
                path.unlink(missing_ok=True)


def _hold(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Busy("another deployment of this target is under way") from error


def _parse(line: str) -> Deployment | None:
    with contextlib.suppress(ValueError, ValidationError):
        value = json.loads(line)
        if isinstance(value, dict):
            return Deployment.model_validate({key: item for key, item in value.items() if key in _FIELDS})
    return None
