"""Fresh private folders under the state folder, removed afterwards and swept at the next start.

Every process keeps its folders below one of its own, with a lock that the system gives back when the process dies: a
sweep removes what dead processes left and never what another live one (a second command, say) is using.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .files import OWNER_ONLY
from .leftovers import end_leftovers

GUARD, LOCK = ".guard", ".lock"


class Workspaces:
    """Implements the `Workspaces` port under one root folder."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._root.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY)
        with self._guard():
            self._own = Path(tempfile.mkdtemp(prefix="process-", dir=self._root))
            lock = os.open(self._own / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
        self._finalizer = weakref.finalize(self, _give_up, self._own, lock)

    @contextmanager
    def fresh(self, purpose: str) -> Iterator[Path]:
        """A new empty folder, removed when the block ends."""
        path = self.keep(purpose)
        try:
            yield path
        finally:
            remove(path)

    def keep(self, purpose: str) -> Path:
        """A new empty folder that its owner removes (with `remove`), or a later start's `sweep`."""
        prefix = re.sub(r"[^a-z0-9]+", "-", purpose.lower())[:30] + "-"
        return Path(tempfile.mkdtemp(prefix=prefix, dir=self._own))

    def sweep(self) -> int:
        """Remove what dead processes left, sandboxes too; returns how many things that were."""
        removed = 0
        with self._guard():
            for path in self._root.iterdir():
                if path.name != GUARD and path != self._own and not _in_use(path):
                    end_leftovers("bwrap", path)
                    remove(path)
                    removed += 1
        return removed

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Between the making of a folder and of its lock nobody sweeps."""
        with (self._root / GUARD).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _in_use(path: Path) -> bool:
    """Whether a live process holds the folder's lock."""
    try:
        lock = os.open(path / LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _give_up(own: Path, lock: int) -> None:
    """At the end of a process: take the folder away when nothing is left in it, else leave it to a sweep."""
    with contextlib.suppress(OSError):
        if [path.name for path in own.iterdir()] == [LOCK]:
            remove(own)
    os.close(lock)


def remove(path: Path) -> None:
    """Remove a file or a tree, also one with folders made unreadable; links are removed, not followed."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    path.chmod(OWNER_ONLY)
    for folder, folders, _ in os.walk(path):
        for name in folders:
            inner = Path(folder, name)
            if not inner.is_symlink():
                inner.chmod(OWNER_ONLY)
    shutil.rmtree(path)
