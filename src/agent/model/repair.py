"""Patches, the trials every patch goes through, and the proof they leave."""

from __future__ import annotations

import difflib

from pydantic import AwareDatetime

from .experiment import Oracle, Run, digest
from .record import Record, Sha


class Patch(Record):
    """A diff against a named commit, with its author."""

    base: Sha
    diff: str
    author: str
    title: str
    rationale: str = ""

    @property
    def hash(self) -> str:
        """What approvals are bound to: base and diff together."""
        return digest(f"{self.base}\n{self.diff}")


class Trial(Record):
    """One trial of the judge: red before, green after, whole suite not worse, reruns, diff policy."""

    name: str
    passed: bool
    detail: str
    runs: tuple[Run, ...] = ()
    seconds: float = 0.0


class RegressionTest(Record):
    """The test that the agent adds to the target's own suite, as its own commit."""

    path: str
    source: str

    @property
    def diff(self) -> str:
        """A git diff that adds the file."""
        lines = self.source.splitlines(keepends=True)
        diff = "".join(difflib.unified_diff([], lines, "/dev/null", f"b/{self.path}"))
        return f"diff --git a/{self.path} b/{self.path}\nnew file mode 100644\n{diff}"


class Proof(Record):
    """The record of all trials of one patch; ``accepted`` only when every trial passed."""

    id: str
    patch_hash: str
    capsule_id: str
    oracle: Oracle
    trials: tuple[Trial, ...]
    accepted: bool
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    created_at: AwareDatetime
    seconds: float = 0.0


class Proposal(Record):
    """What the repair phase brings: the chosen patch with its proof and test, and what was refused."""

    patch: Patch | None
    proof: Proof | None
    regression_test: RegressionTest | None = None
    refused: tuple[Proof, ...] = ()
    message: str = ""
    own_tests_seconds: float = 0.0
    seconds: float = 0.0

    @property
    def subject(self) -> str | None:
        """The hash of everything a person approves: the patch and the test that comes with it."""
        if self.patch is None:
            return None
        test = "" if self.regression_test is None else self.regression_test.source
        return digest(f"{self.patch.hash}\n{test}")
