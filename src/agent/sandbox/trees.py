"""Checked-out trees of the target's commits, with a patch or without; kept for the next run, bounded.

Trees are made outside the sandbox by git alone, and the sandbox can only read them. Nothing here follows a symbolic
link of a tree.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Conflict, Permanent
from ..kit.git import Git
from ..kit.workspaces import Workspaces, remove
from ..model.experiment import digest

MOST_KEPT = 48
MOST_BYTES = 512 << 20
MOST_FILES = 100_000
LONGEST_PATCH = 4 << 20
LINK = "120000"
READABLE = 0o444
VAR = "var"


class Trees:
    """Trees by (repository, commit, patch); at most ``most`` that nobody uses are kept."""

    def __init__(self, workspaces: Workspaces, *, most: int = MOST_KEPT) -> None:
        self._workspaces, self._most = workspaces, most
        self._trees: OrderedDict[str, Path] = OrderedDict()
        self._users: dict[str, int] = {}
        self._making: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    @contextmanager
    def use(self, repository: Path, commit: str, patch: str | None, finish: Callable[[Path], None]) -> Iterator[Path]:
        """The tree, which stays as long as the block runs; ``finish`` is called with a new one, before anybody uses it.

        Raises `NotFound` for an unknown commit, `Conflict` for a patch that does not apply or makes a link.
        """
        key = digest(f"{repository}\n{commit}\n{patch or ''}")
        with self._lock:
            self._users[key] = self._users.get(key, 0) + 1
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                tree = self._trees.get(key)
                if tree is None:
                    tree = self._make(Git(repository), commit, patch, finish)
                    with self._lock:
                        self._trees[key] = tree
            yield tree
        finally:
            self._leave(key)

    def close(self) -> None:
        """Remove every tree that nobody uses."""
        with self._lock:
            self._forget(0)

    def _leave(self, key: str) -> None:
        with self._lock:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key]
                self._making.pop(key, None)
            if key in self._trees:
                self._trees.move_to_end(key)
            self._forget(self._most)

    def _forget(self, most: int) -> None:
        """Remove the trees that were used longest ago, down to ``most``."""
        for key in [key for key in self._trees if key not in self._users]:
            if len(self._trees) <= most:
                return
            remove(self._trees.pop(key))

    def _make(self, git: Git, commit: str, patch: str | None, finish: Callable[[Path], None]) -> Path:
        tree = self._workspaces.keep("tree")
        try:
            links = _check_out(git, commit, tree)
            if patch:
                _apply(tree, patch, links)
            _make_room(tree)
            _open_for_reading(tree)
            finish(tree)
        except BaseException:  # whatever it was, the half-made tree goes before the error goes on its way up
            remove(tree)
            raise
        return tree


def _check_out(git: Git, commit: str, tree: Path) -> set[str]:
    """Write all files of a commit, as a checkout would; returns the paths that are symbolic links.

    Not ``git archive``: the commit's own attributes could leave files out of that.
    """
    sha = git.resolve(commit)
    links, total, count = set(), 0, 0
    for line in filter(None, git.run("ls-tree", "-r", "-l", "-z", sha).split("\0")):
        about, _, path = line.partition("\t")
        mode, _, _, size = about.split()
        total, count = total + (int(size) if size.isdigit() else 0), count + 1
        if mode == LINK:
            links.add(path)
    if total > MOST_BYTES or count > MOST_FILES:
        raise Permanent(f"commit {sha[:10]} is too large to be tried out: {count} files, {total >> 20} MiB")
    index = tree.with_name(f"{tree.name}.index")
    env = {
        "GIT_INDEX_FILE": str(index),
        "GIT_WORK_TREE": str(tree),
        "GIT_DIR": git.run("rev-parse", "--absolute-git-dir").strip(),
    }
    try:
        git.run("read-tree", sha, env=env)
        Git(tree).run("checkout-index", "--all", "--force", env=env)
    finally:
        index.unlink(missing_ok=True)
        index.with_name(f"{index.name}.lock").unlink(missing_ok=True)
    return links


def _apply(tree: Path, patch: str, links: set[str]) -> None:
    """Apply on the clean tree; git refuses paths outside it and below ``.git`` by itself, links are refused here."""
    if len(patch) > LONGEST_PATCH:
        raise Conflict(f"the patch is longer than {LONGEST_PATCH} characters")
    before = _targets(tree, links)
    Git(tree).apply(patch, env={"GIT_CEILING_DIRECTORIES": str(tree.parent)})
    if _targets(tree, _links(tree)) != before:
        raise Conflict("the patch is refused: it makes, changes or removes a symbolic link")


def _targets(tree: Path, links: set[str]) -> dict[str, str]:
    return {path: str((tree / path).readlink()) for path in links}


def _links(tree: Path) -> set[str]:
    found = set()
    for folder, folders, files in os.walk(tree):
        found |= {
            str(path.relative_to(tree)) for name in (*folders, *files) if (path := Path(folder, name)).is_symlink()
        }
    return found


def _open_for_reading(tree: Path) -> None:
    """The sandbox runs as another user: everything is readable whatever this process's umask; links are left alone."""
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o777 | READABLE)


def _make_room(tree: Path) -> None:
    """A folder of the customary name where a service may write what it keeps; the rest of the tree is read-only."""
    room = tree / VAR
    if not room.is_symlink() and not room.exists():
        room.mkdir()


def has_room(tree: Path) -> bool:
    """Whether that folder has nothing of the commit's in it that the memory file system would hide."""
    room = tree / VAR
    return room.is_dir() and not room.is_symlink() and all(path.name.startswith(".") for path in room.iterdir())
