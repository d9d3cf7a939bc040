"""The git command line with a fixed, safe environment.

No user or system configuration, no hooks, no prompts, no pager. Only ever used on repositories that target code
cannot write.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import Conflict, NotFound, Permanent, Transient
from .command import MINIMAL_ENV, Completed, run

SAFE_CONFIG = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.quotePath", "false"),
    ("safe.directory", "*"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("commit.gpgSign", "false"),
    ("protocol.file.allow", "always"),
    ("advice.detachedHead", "false"),
)
IDENTITY = {
    "GIT_AUTHOR_NAME": "Market Programmer Agent",
    "GIT_AUTHOR_EMAIL": "agent@market-programmer.invalid",
    "GIT_COMMITTER_NAME": "Market Programmer Agent",
    "GIT_COMMITTER_EMAIL": "agent@market-programmer.invalid",
}
SHA_LENGTH = 40


def environment() -> dict[str, str]:
    """The environment every git process gets."""
    env = {
        **MINIMAL_ENV,
        **IDENTITY,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_PAGER": "cat",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_CONFIG_COUNT": str(len(SAFE_CONFIG)),
        "TZ": "UTC",
    }
    for index, (key, value) in enumerate(SAFE_CONFIG):
        env[f"GIT_CONFIG_KEY_{index}"], env[f"GIT_CONFIG_VALUE_{index}"] = key, value
    return env


class Git:
    """One repository (bare or not)."""

    def __init__(self, path: Path, *, timeout: float = 30.0) -> None:
        self.path = path
        self._timeout = timeout

    def call(
        self, *args: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None, max_output: int = 16 << 20
    ) -> Completed:
        """Run git and return how it ended, whatever that was. Raises `Transient` on a timeout."""
        done = run(
            ["git", *args],
            cwd=self.path,
            env={**environment(), **(env or {})},
            stdin=stdin,
            timeout=self._timeout,
            max_output=max_output,
        )
        if done.timed_out:
            raise Transient(f"git {args[0]} took longer than {self._timeout:.0f} s in {self.path.name}")
        return done

    def run(
        self, *args: str, stdin: str | bytes | None = None, check: bool = True, env: Mapping[str, str] | None = None
    ) -> str:
        """Run git and return its standard output. Raises `Permanent` when it fails and ``check`` is set."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = self.call(*args, stdin=data, env=env)
        if check and done.returncode != 0:
            raise Permanent(f"git {args[0]} failed in {self.path.name}: {done.problem}")
        if done.truncated:
            raise Permanent(f"git {args[0]} printed more than this agent reads: narrow the question")
        return done.text

    def resolve(self, ref: str) -> str:
        """The commit that ``ref`` names. Raises `NotFound`."""
        if ref.startswith("-"):
            raise NotFound(f"no commit is called {ref!r}")
        done = self.call("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        sha = done.text.strip()
        if done.returncode != 0 or len(sha) != SHA_LENGTH:
            raise NotFound(f"{self.path.name} has no commit {ref[:80]!r}: fetch it, or correct the name")
        return sha

    def exists(self, ref: str) -> bool:
        """Whether ``ref`` names a commit here."""
        try:
            self.resolve(ref)
        except NotFound:
            return False
        return True

    def apply(self, diff: str, *args: str, env: Mapping[str, str] | None = None) -> None:
        """``git apply`` a diff. Raises `Conflict` when it does not fit."""
        done = self.call("apply", "--whitespace=nowarn", *args, "-", stdin=diff.encode(), env=env)
        if done.returncode != 0:
            raise Conflict(f"the patch does not apply: {done.problem}")
