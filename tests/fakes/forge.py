"""A code host in memory. It keeps branches as lists of commits and a main branch, and refuses like a real one."""

from __future__ import annotations

import hashlib

from agent.errors import Conflict, NotFound, Permanent
from agent.model.delivery import Check, Commit, PullRequest


class FakeForge:
    """Implements `Forge`. ``history`` is main's first-parent history, oldest first; diffs are kept, not applied."""

    def __init__(self, history: tuple[str, ...] = ("a" * 40,)) -> None:
        self.history = list(history)
        self.pull_requests: dict[str, PullRequest] = {}
        self.commits: dict[str, tuple[Commit, ...]] = {}
        self.comments: list[tuple[str, str]] = []
        self.merges = 0
        self.conflicting: set[str] = set()

    def find(self, name: str) -> PullRequest | None:
        return self.pull_requests.get(name)

    def open(self, name: str, base: str, commits: tuple[Commit, ...], title: str, body: str) -> PullRequest:
        if not commits:
            raise Permanent("a pull request has at least one commit")
        if base not in self.history:
            raise NotFound(f"no commit {base}")
        if any("unfit" in commit.diff for commit in commits):
            raise Conflict("the patch does not apply")
        head = _sha(base, *(text for commit in commits for text in (commit.message, commit.diff, commit.author)))
        known = self.pull_requests.get(name)
        if known is not None:
            if (known.base, known.head) != (base, head):
                raise Conflict(f"{name} exists with other commits")
            return known
        self.commits[name] = commits
        return self._keep(
            PullRequest(
                name=name,
                number=len(self.pull_requests) + 1,
                branch=f"mpa/{name}",
                base=base,
                head=head,
                title=" ".join(title.split())[:200],
                body=body[:60_000],
                state="draft",
            )
        )

    def set_check(self, name: str, check: Check) -> PullRequest:
        known = self._existing(name)
        others = tuple(other for other in known.checks if other.name != check.name)
        return self._keep(known.model_copy(update={"checks": (*others, check)}))

    def main(self) -> str:
        return self.history[-1]

    def merge(self, name: str, head: str, main: str) -> PullRequest:
        known = self._existing(name)
        if known.head != head:
            raise Conflict(f"{name} is at {known.head}")
        if known.state == "merged":
            return known
        if known.state == "closed" or name in self.conflicting:
            raise Conflict(f"{name} cannot be merged")
        if not known.checks or any(check.state != "success" for check in known.checks):
            raise Conflict("not every check passed")
        if main != self.history[-1]:
            raise Conflict(f"main is at {self.history[-1]}")
        merge_commit = _sha(self.history[-1], head)
        self.history += [head, merge_commit]
        self.merges += 1
        return self._keep(known.model_copy(update={"state": "merged", "merge_commit": merge_commit}))

    def close(self, name: str, comment: str) -> PullRequest:
        known = self._existing(name)
        if known.state == "merged":
            raise Conflict(f"{name} is merged")
        if known.state == "closed":
            return known
        self.comments.append((name, comment))
        return self._keep(known.model_copy(update={"state": "closed"}))

    def riders(self, running: str, base: str) -> tuple[str, ...]:
        if running not in self.history or base not in self.history:
            raise NotFound(f"no commit {running} or {base}")
        return tuple(reversed(self.history[self.history.index(running) + 1 :]))

    def titles(self, commits: tuple[str, ...]) -> dict[str, str]:
        return {commit: f"c{self.history.index(commit)}" for commit in commits}

    def _existing(self, name: str) -> PullRequest:
        if name not in self.pull_requests:
            raise NotFound(f"no pull request {name}")
        return self.pull_requests[name]

    def _keep(self, pull_request: PullRequest) -> PullRequest:
        self.pull_requests[pull_request.name] = pull_request
        return pull_request


def _sha(*parts: str) -> str:
    return hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()
