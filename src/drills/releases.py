"""Releases of the target as its deployers lay them out; here the team's own deploys, by ``ci``.

``<root>/releases/<commit>`` holds a checkout, the symlink ``<root>/current`` names the one that runs, and every deploy
is a line of ``<root>/deployments.ndjson``. See docs/supervised-target.md.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from .supervision import Supervisor

_HEX: Final = re.compile(r"[0-9a-f]{7,40}")
_BUSY_SECONDS: Final = 60.0  # how long somebody else's deployment is waited for


class Releases:
    """The release folder of one target, fed from a bare repository."""

    def __init__(self, root: Path, repository: Path, supervisor: Supervisor) -> None:
        self._root = root
        self._repository = repository
        self._supervisor = supervisor

    @property
    def current(self) -> Path:
        """The symlink that the supervisor starts the service in."""
        return self._root / "current"

    def restart(self, *, name: str, by: str) -> None:
        """Restart the service, and write it down. Raises `TimeoutError`."""
        with self._locked():
            started, commit = _now(), self.running()
            self._supervisor.restart()
            line = {"name": name, "kind": "restart", "commit": commit, "previous": commit, "by": by}
            self._record({**line, "started_at": started, "finished_at": _now()})

    def deploy(self, commit: str, *, name: str, by: str = "ci", kind: str = "deploy") -> None:
        """Unpack ``commit``, make it current, restart the service, write it down. Raises `TimeoutError`."""
        with self._locked():
            self._deploy(commit, name, by, kind)

    def _deploy(self, commit: str, name: str, by: str, kind: str) -> None:
        started = _now()
        previous = self.current.resolve().name if self.current.exists() else None
        self.unpack(commit)
        self._switch(commit)
        self._supervisor.restart()
        self._record(
            {
                "name": name,
                "kind": kind,
                "commit": commit,
                "previous": previous,
                "by": by,
                "started_at": started,
                "finished_at": _now(),
            }
        )

    def deployments(self) -> list[dict[str, Any]]:
        """What is written down of all deployments, oldest first; a line that was cut short is left out."""
        file, lines = self._root / "deployments.ndjson", []
        for text in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
            try:
                lines.append(dict(json.loads(text)))
            except ValueError:
                continue  # it is being written
        return lines

    def running(self) -> str | None:
        """The commit that ``current`` names."""
        return self.current.resolve().name if self.current.exists() else None

    def before(self) -> str | None:
        """The commit that ran before the latest deploy."""
        previous = [line.get("previous") for line in self.deployments() if line.get("kind") != "restart"]
        return str(previous[-1]) if previous and previous[-1] else None

    def folder(self, commit: str) -> Path:
        """Where a commit is checked out, once it is unpacked."""
        return self._root / "releases" / commit

    def knows(self, commit: str) -> bool:
        """Whether a commit, or its first digits, was unpacked here; what is no commit's name is not doubted."""
        if not _HEX.fullmatch(commit):
            return True
        return any(path.name.startswith(commit) for path in (self._root / "releases").iterdir())

    def unpack(self, commit: str) -> None:
        """Check ``commit`` out, where that was not done yet."""
        folder = self.folder(commit)
        if folder.exists():
            return
        archive = subprocess.run(
            ["git", "-C", str(self._repository), "archive", "--format=tar", commit],
            check=True,
            capture_output=True,
            timeout=60,
        ).stdout
        fresh = folder.with_name(f"{commit}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        subprocess.run(["tar", "-x", "-C", str(fresh)], input=archive, check=True, timeout=60)
        fresh.rename(folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One deployment at a time: the agent's deployer locks the same file."""
        self._root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._root / "deploy.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _hold(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _switch(self, commit: str) -> None:
        fresh = self.current.with_name("current.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("releases") / commit)
        fresh.replace(self.current)

    def _record(self, line: Mapping[str, str | None]) -> None:
        with (self._root / "deployments.ndjson").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")


def _hold(descriptor: int) -> None:
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"another deployment is under way for more than {_BUSY_SECONDS:.0f} s") from error
            time.sleep(0.1)
        else:
            return


def _now() -> str:
    return datetime.now(UTC).isoformat()
