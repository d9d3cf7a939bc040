"""Where demo runs live on disk: one lock, one folder a run, one cache that outlives them all."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .addresses import SHORT, is_short
from .processes import Processes

_KEEP: Final = "keep"
_RUNS, _PAPERS = "runs", "orders"


class Occupied(Exception):
    """Another demo or drill range holds the lock; the message says which process."""


@dataclass(frozen=True)
class Run:
    """One run's folder. Everything the run starts and writes is inside it."""

    folder: Path

    @property
    def papers(self) -> Path:
        """What the examiner keeps to itself, mode 700: neither the service nor the agent works in this folder."""
        return _private(_private(self.folder.parent.with_name(_PAPERS)) / self.folder.name)

    @property
    def processes(self) -> Processes:
        """The processes of this run."""
        return Processes(self.folder / "processes")

    def logs(self, name: str) -> Path:
        """The file that a process of this run writes its output to."""
        folder = self.folder / "logs"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.log"


class Ground:
    """The root folder of all demo runs (default ``./.mpa-demo``), mode 700."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    @property
    def root(self) -> Path:
        """The folder itself."""
        return self._root

    @property
    def cache(self) -> Path:
        """What is worth keeping between runs: built environments, downloaded packages."""
        return _private(self._root / "cache")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock; it is released with this process, however that ends. Raises `Occupied`."""
        _private(self._root)
        with (self._root / "lock").open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                lock.seek(0)
                holder = lock.read().strip() or "unknown"
                raise Occupied(
                    f"another demo or drill range (process {holder}) runs in {self._root}: wait for it, end it, or work in "
                    "another folder with --root"
                ) from error
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def clean(self) -> int:
        """End what earlier runs left running and remove their folders; returns how many runs there were."""
        left = sorted(path for path in self._runs.iterdir() if path.is_dir())
        for path in left:
            Processes(path / "processes").end_all()
            if not (path / _KEEP).exists():
                self.remove(Run(path))
        for path in _private(self._root / _PAPERS).iterdir():
            if not (self._runs / path.name).exists():
                _remove(path)
        return len(left)

    def empty_cache(self) -> int:
        """Remove what is only kept to save time; returns how many bytes that were. The next run builds it again."""
        size = sum(path.lstat().st_size for path in self.cache.rglob("*") if not path.is_dir())
        _remove(self.cache)
        return size

    def remove(self, run: Run) -> None:
        """Remove all that a run has on disk; what cannot be removed is told, and costs nobody else anything."""
        short = run.folder / SHORT
        if short.is_symlink() and is_short(short.readlink()):
            _remove(short.readlink())
        _remove(run.papers)
        _remove(run.folder)

    def new_run(self, *, keep: bool = False) -> Run:
        """A fresh run folder; with ``keep`` it stays on disk afterwards."""
        stem = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}"
        folder = Path(tempfile.mkdtemp(prefix=f"{stem}-", dir=self._runs))
        if keep:
            (folder / _KEEP).touch()
        return Run(folder)

    @property
    def _runs(self) -> Path:
        return _private(self._root / _RUNS)


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        sys.stderr.write(f"{folder} cannot be removed: {error}\n")
