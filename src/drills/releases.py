"""Releases of the target as its deployers lay them out; here the team's own deploys, by ``ci``.

``<root>/releases/<commit>`` holds a checkout, the symlink ``<root>/current`` names the one that runs, and every deploy
is a line of ``<root>/deployments.ndjson``. See docs/supervised-target.md.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .supervision import Supervisor


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
        """Restart the service, and write it down."""
        started, commit = _now(), self.running()
        self._supervisor.restart()
        line = {"name": name, "kind": "restart", "commit": commit, "previous": commit, "by": by}
        self._record({**line, "started_at": started, "finished_at": _now()})

    def deploy(self, commit: str, *, name: str, by: str = "ci", kind: str = "deploy") -> None:
        """Unpack ``commit``, make it current, restart the service, write it down."""
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

    def _switch(self, commit: str) -> None:
        fresh = self.current.with_name("current.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("releases") / commit)
        fresh.replace(self.current)

    def _record(self, line: Mapping[str, str | None]) -> None:
        with (self._root / "deployments.ndjson").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")


def _now() -> str:
    return datetime.now(UTC).isoformat()
