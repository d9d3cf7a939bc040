"""A small real git repository, made of commits that are dictionaries of files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent.kit.git import Git


class Repository:
    """A repository with a work tree; its ``path`` is what a target's ``repository`` may be."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True)
        self.path, self.git = path, Git(path)
        self.git.run("init", "-q", "-b", "main")

    def commit(self, files: Mapping[str, str | None], message: str = "a change") -> str:
        """Write files (None removes one), commit everything, and return the commit."""
        for name, text in files.items():
            file = self.path / name
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        self.git.run("add", "--all")
        self.git.run("commit", "-q", "-m", message, "--allow-empty")
        return self.git.resolve("HEAD")

    def diff(self, base: str, head: str) -> str:
        """The patch from one to the other."""
        return self.git.run("diff", "--full-index", base, head)
