"""Byte code of the target's sources, made once per content, so that a run need not compile what did not change.

The sandbox cannot write beside the sources, and compiling them costs more than the rest of a short run's start. They are
compiled inside the sandbox too (a compiler reads hostile text), in a run of its own in which nothing of them is executed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

MOST_FILES = 2000
MOST_SOURCE = 1 << 20
MOST_KEPT_BYTES = 64 << 20
WORTH_A_RUN = 24 << 10
Compile = Callable[[Path, list[str]], dict[str, Any]]


class Bytecode:
    """Keeps byte code by (interpreter, path, content), at most 64 MiB of it, used longest ago dropped first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def fill(self, tree: Path, interpreter: str, compile_inside: Compile) -> None:
        """Put byte code beside the sources of a tree; compile those not met before when they are worth a run.

        ``compile_inside`` takes the tree and relative paths and returns the driver's report. A source that does not
        compile is left as it is: the run will say so.
        """
        keys = {name: self._key(interpreter, name, data) for name, data in _sources(tree)}
        with self._lock:
            missing = {name: key for name, key in keys.items() if key not in self._kept}
        if sum((tree / name).stat().st_size for name in missing) >= WORTH_A_RUN:
            self._learn(missing, compile_inside(tree, sorted(missing)))
        for name, key in keys.items():
            with self._lock:
                kept = self._kept.get(key)
            if kept is not None:
                _put(tree / name, *kept)

    def _learn(self, missing: dict[str, str], report: dict[str, Any]) -> None:
        tag, found = report.get("tag"), report.get("bytecode")
        if not isinstance(tag, str) or not tag.isascii() or "/" in tag or not isinstance(found, dict):
            return
        for name, text in found.items():
            try:
                data = base64.b64decode(text)
            except (binascii.Error, TypeError, ValueError):
                continue
            if name in missing:
                self._keep(missing[name], tag, data)

    def _keep(self, key: str, tag: str, data: bytes) -> None:
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = (tag, data)
            self._size += len(data)
            while self._size > MOST_KEPT_BYTES:
                self._size -= len(self._kept.popitem(last=False)[1][1])

    @staticmethod
    def _key(interpreter: str, name: str, data: bytes) -> str:
        return hashlib.sha256(f"{interpreter}\0{name}\0".encode("utf-8", "surrogateescape") + data).hexdigest()


def _sources(tree: Path) -> Iterator[tuple[str, bytes]]:
    """Relative paths and contents of the Python files, at most 2,000 of up to 1 MiB; links are left out."""
    count = 0
    for folder, folders, files in os.walk(tree):
        folders.sort()
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix != ".py" or path.is_symlink() or path.stat().st_size > MOST_SOURCE:
                continue
            count += 1
            if count > MOST_FILES:
                return
            yield str(path.relative_to(tree)), path.read_bytes()


def _put(source: Path, tag: str, data: bytes) -> None:
    cache = source.parent / "__pycache__"
    if cache.is_symlink() or cache.is_file():
        return
    cache.mkdir(exist_ok=True)
    cache.chmod(0o755)
    target = cache / f"{source.stem}.{tag}.pyc"
    target.unlink(missing_ok=True)  # a committed one, which may be a link
    target.write_bytes(data)
    target.chmod(0o644)
