"""Fresh private folders under the state folder, removed afterwards and swept at the next start."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OWNER_ONLY = 0o700


class Workspaces:
    """Implements the `Workspaces` port under one root folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY)

    @contextmanager
    def fresh(self, purpose: str) -> Iterator[Path]:
        """A new empty folder, removed when the block ends."""
        path = self.keep(purpose)
        try:
            yield path
        finally:
            remove(path)

    def keep(self, purpose: str) -> Path:
        """A new empty folder that its owner removes (with `remove`), or the next start's `sweep`."""
        prefix = re.sub(r"[^a-z0-9]+", "-", purpose.lower())[:30] + "-"
        return Path(tempfile.mkdtemp(prefix=prefix, dir=self._root))

    def sweep(self) -> int:
        """Remove what a killed process left; only at start, when no other process uses this root."""
        leftovers = list(self._root.iterdir())
        for path in leftovers:
            remove(path)
        return len(leftovers)


def remove(path: Path) -> None:
    """Remove a tree, also one with folders made read-only."""
    for folder in [path, *(p for p in path.rglob("*") if p.is_dir() and not p.is_symlink())]:
        folder.chmod(OWNER_ONLY)
    shutil.rmtree(path)
