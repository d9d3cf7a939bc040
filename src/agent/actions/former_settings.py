"""Former versions of a target's settings file, so that a change of settings is known and can be taken back.

FOLDER/<target>/<seconds since the epoch>-<hash>.settings    the file as it was from that moment on; mode 600

The monitor looks with every cycle; only a file that changed is read. The contents may hold secrets: they never leave the
state folder, except back to where they came from.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from ..errors import Conflict, NotFound, Unreachable
from ..kit.files import OWNER_ONLY, PRIVATE, write_atomic
from ..kit.redact import fence
from ..model.evidence import Change
from ..model.target import Target

MOST_VERSIONS: Final = 20
MOST_BYTES: Final = 256 << 10
LONGEST_TITLE: Final = 200
SAME: Final = timedelta(minutes=2)
_NAME: Final = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*[=:]")


class Version(NamedTuple):
    """One version: its hash, and the moment from which on it was in force."""

    name: str
    since: datetime
    path: Path


class FormerSettings:
    """Keeps the newest versions of each target's settings file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[int, int]] = {}

    def look(self, target: Target) -> None:
        """Keep the file's content when it has changed since it was last seen. A file that cannot be read is left alone."""
        file = target.settings_file
        if file is None:
            return
        with contextlib.suppress(OSError):
            state = file.stat()
            mark = (state.st_mtime_ns, state.st_size)
            if self._seen.get(target.name) == mark or state.st_size > MOST_BYTES:
                return
            self._keep(target, file.read_bytes(), state.st_mtime)
            self._seen[target.name] = mark

    def _keep(self, target: Target, content: bytes, since: float) -> None:
        name = hashlib.sha256(content).hexdigest()[:12]
        versions = self.versions(target)
        if versions and versions[-1].name == name:
            return
        folder = self._folder / target.name
        folder.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY)
        after = max(since, versions[-1].since.timestamp() + 0.001) if versions else since
        write_atomic(folder / f"{after:017.3f}-{name}.settings", content, mode=PRIVATE)
        for old in self.versions(target)[:-MOST_VERSIONS]:
            old.path.unlink(missing_ok=True)

    def versions(self, target: Target) -> tuple[Version, ...]:
        """All that are kept, oldest first."""
        found = []
        for path in sorted((self._folder / target.name).glob("*.settings")):
            since, _, name = path.stem.partition("-")
            with contextlib.suppress(ValueError):
                found.append(Version(name, datetime.fromtimestamp(float(since), UTC), path))
        return tuple(found)

    def replaced(self, target: Target) -> tuple[Version, Version] | None:
        """The version before the one in force, and the one in force; None where there is none, or it is back already."""
        versions = self.versions(target)
        earlier = versions[:-1]
        if not earlier or versions[-1].name in {one.name for one in earlier}:
            return None
        return earlier[-1], versions[-1]

    def change(self, target: Target) -> Change | None:
        """The newest change of settings, by the names whose lines differ; values are not told."""
        pair = self.replaced(target)
        if pair is None:
            return None
        before, after = pair
        names = _differing(_lines(before.path), _lines(after.path))
        title = fence(f"settings changed: {', '.join(names) or 'their form only'}", LONGEST_TITLE)
        return Change(
            id=f"settings-{after.name}",
            kind="config",
            timestamp=after.since,
            component=target.name,
            author="",
            title=title,
            files=(target.settings_file.name,) if target.settings_file else (),
            target=target.name,
        )

    def unreported(self, targets: Iterable[Target], told: Sequence[Change]) -> tuple[Change, ...]:
        """The newest change of each target's settings, unless somebody has told the agent of it."""
        seen = (self.change(target) for target in targets)
        return tuple(change for change in seen if change is not None and not _reported(change, told))

    def restore(self, target: Target, change: str) -> None:
        """Take one change of settings back (``before..after``), whole or not at all; nothing to do when it is back already.

        Raises `NotFound` for a version that is not kept, `Conflict` when other settings are in force, `Unreachable`.
        """
        before, _, after = change.partition("..")
        self.look(target)
        versions = self.versions(target)
        found = next((one for one in reversed(versions) if one.name == before), None)
        if found is None or target.settings_file is None:
            raise NotFound(f"{target.name} has no settings {before} on record: look at them yourself")
        if versions[-1].name == before:
            return
        if versions[-1].name != after:
            raise Conflict(
                f"the settings of {target.name} were changed once more: what was approved would undo that, too"
            )
        try:
            mode = target.settings_file.stat().st_mode & 0o777
            write_atomic(target.settings_file, found.path.read_bytes(), mode=mode)
        except OSError as error:
            raise Unreachable(f"{target.settings_file.name} cannot be written: {error.strerror}") from error
        self.look(target)


def _lines(path: Path) -> Mapping[str, str]:
    """Each setting's line by its name; what is no setting stands for itself."""
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        named = _NAME.match(line)
        if named is not None:
            found[named.group(1)] = line.strip()
    return found


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _reported(seen: Change, told: Iterable[Change]) -> bool:
    near = (one for one in told if one.kind == "config" and one.target in (None, seen.target))
    return any(abs(one.timestamp - seen.timestamp) <= SAME for one in near)
