"""The target's git history; implements `History`. Works on the bare repository only, never in a tree of target code."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from ..errors import Conflict
from ..kit.files import tail
from ..kit.git import SHA_LENGTH, Git
from ..kit.redact import fence
from ..model.evidence import Change

FIELD, FIELDS = "\0", 5  # NUL is the one character that no commit's text can hold
MOST_DEPLOYS = 200
MOST_TEXT = 1 << 20


class GitHistory:
    """Reads one repository; patches are tried on an index of their own, without a work tree."""

    def __init__(self, repository: Path, branch: str, component: str = "service") -> None:
        self._git, self._branch, self._component = Git(repository), branch, component

    def commits(self, head: str, limit: int) -> tuple[Change, ...]:
        """First-parent history of ``head``, newest first."""
        text = self._git.run(
            "log", "--first-parent", f"-n{limit}", "--format=%x00%H%x00%ct%x00%an%x00%s%x00", "--name-only",
            "--diff-merges=first-parent", "--end-of-options", head,
        )  # fmt: skip
        parts = text.split(FIELD)[1:]
        return tuple(self._change(*parts[at : at + FIELDS]) for at in range(0, len(parts), FIELDS))

    def _change(self, sha: str, seconds: str, author: str, title: str, files: str) -> Change:
        return Change(
            id=sha,
            kind="commit",
            timestamp=datetime.fromtimestamp(int(seconds), UTC),
            component=self._component,
            author=fence(author, 100),
            title=fence(title, 200),
            files=tuple(name for name in files.split("\n") if name)[:500],
            commit=sha,
        )

    def parent(self, commit: str) -> str | None:
        """First parent, None at the root."""
        parts = self._git.run("rev-list", "--parents", "-n1", "--end-of-options", commit).split()
        return parts[1] if len(parts) > 1 else None

    def diff(self, base: str, head: str) -> str:
        """``git diff base head`` as a patch."""
        return self._git.run("diff", "--no-color", "--no-ext-diff", "--full-index", self._sha(base), self._sha(head))

    def _sha(self, commit: str) -> str:
        return self._git.resolve(commit)

    def revert(self, base: str, culprit: str) -> str:
        """The diff against ``base`` that undoes ``culprit``. Raises `Conflict` when it does not apply."""
        parent = self.parent(culprit)
        if parent is None:
            raise Conflict(f"{culprit[:10]} is the first commit: there is nothing to go back to")
        return self.apply(base, self.diff(culprit, parent))

    def apply(self, base: str, diff: str) -> str:
        """Check that ``diff`` applies to ``base`` (three-way where lines moved); the normalised diff. Raises `Conflict`."""
        with tempfile.TemporaryDirectory(prefix="index-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._git.run("read-tree", self._sha(base), env=env)
            self._git.apply(diff, "--cached", "--3way", env=env)
            conflicts = self._git.run("ls-files", "--unmerged", env=env)
            if conflicts.strip():
                raise Conflict("the patch conflicts with later changes")
            tree = self._git.run("write-tree", env=env).strip()
        return self._git.run("diff", "--no-color", "--no-ext-diff", "--full-index", self._sha(base), tree)

    def read(self, commit: str, path: str) -> str | None:
        """A text file at a commit, or None."""
        done = self._git.call("cat-file", "blob", f"{self._sha(commit)}:{path}", max_output=MOST_TEXT)
        return done.text if done.returncode == 0 else None

    def files(self, commit: str) -> tuple[str, ...]:
        """All paths at a commit."""
        return tuple(self._git.run("ls-tree", "-r", "--name-only", "-z", self._sha(commit)).split("\0")[:-1])

    def branch_head(self) -> str:
        """The commit at the head of the target's main branch."""
        return self._git.resolve(f"refs/heads/{self._branch}")


def current_release(root: Path) -> str | None:
    """The commit whose checkout the deployer made the current one (docs/supervised-target.md), or None."""
    try:
        name = (root / "current").readlink().name
    except OSError:
        return None
    return name if len(name) == SHA_LENGTH else None


def deploys(record: Path, component: str) -> tuple[Change, ...]:
    """The deployer's record, newest first; lines that cannot be read are left out."""
    if not record.is_file():
        return ()
    found: list[Change] = []
    for line in tail(record, MOST_TEXT).splitlines():
        try:
            item = json.loads(line)
            moment = datetime.fromisoformat(item.get("finished_at") or item["started_at"])
            commit = str(item["commit"])
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        found.append(
            Change(
                id=f"deploy-{len(found)}-{commit[:10]}",
                kind="deploy",
                timestamp=moment.astimezone(UTC),
                component=component,
                author=fence(str(item.get("by", "")), 100),
                title=f"{fence(str(item.get('kind', 'deploy')), 20)} of {commit[:10]}",
                commit=commit,
            )
        )
    return tuple(reversed(found[-MOST_DEPLOYS:]))
