"""A repository with a culprit in it, a laboratory that knows how its commits behave, and a judge."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from agent.evidence.history import GitHistory
from agent.model.experiment import Capsule
from agent.model.repair import Patch, RegressionTest
from agent.model.target import Target
from agent.repair.authors.partial import PartialRevertAuthor
from agent.repair.authors.revert import RevertAuthor
from agent.repair.engine import RepairEngine
from agent.repair.judge import Case, Judge
from fakes import records
from fakes.clock import FakeClock
from fakes.laboratory import WELL, Behaviour, FakeLaboratory
from fakes.repository import Repository
from fakes.trail import FakeTrail

GOOD = "def answer(n):\n    return n / 2\n"
BAD = "def answer(n):\n    return n / (n % 2)\n"
CURE = "+    return n / 2"  # the line of a diff that makes it well again
ILL = Behaviour(fails={"/half?n=4": records.FAULT})
TEST = RegressionTest(path="tests/test_regression_inc_1.py", source="def test_incident():\n    assert True\n")


@dataclass
class Bench:
    """Everything a repair needs, and what it leaves."""

    repository: Repository
    laboratory: FakeLaboratory
    history: GitHistory
    target: Target
    trail: FakeTrail
    clock: FakeClock
    good: str
    culprit: str

    @property
    def judge(self) -> Judge:
        return Judge(self.laboratory, lambda _target: self.history, self.trail, self.clock)

    def engine(self, *authors) -> RepairEngine:
        chosen = authors or (RevertAuthor(self.histories), PartialRevertAuthor(self.histories))
        return RepairEngine(self.laboratory, self.histories, chosen, self.judge, self.trail, self.clock)

    def histories(self, _target: Target) -> GitHistory:
        return self.history

    def commit(self, files, *, behaves: Behaviour = ILL, title: str = "a change") -> str:
        """One more commit on main, and how it behaves."""
        made = self.repository.commit(files, title)
        self.laboratory.releases[made] = behaves
        return made

    def capsule(self, **fields) -> Capsule:
        return records.capsule(self.culprit, **fields)

    def revert(self) -> Patch:
        """The cure."""
        return self.patch(self.repository.diff(self.culprit, self.good))

    def patch(self, diff: str, base: str | None = None) -> Patch:
        return Patch(base=base or self.history.branch_head(), diff=diff, author="revert", title="Revert")

    def case(self, patch: Patch | None = None, **fields) -> Case:
        given = {"capsule": self.capsule(), "patch": patch or self.revert(), "test": TEST, "incident_id": "inc-1"}
        return Case(target=self.target, **{**given, **fields})

    def proof(self, patch: Patch | None = None, **fields):
        return self.judge.judge(self.case(patch, **fields))[0]

    def diagnosis(self, culprit: str | None = None, **fields):
        return records.diagnosis(culprit or self.culprit, self.capsule(**fields))


@pytest.fixture
def bench(tmp_path):
    """A good commit, then the culprit on the head of main."""
    repository = Repository(tmp_path / "origin")
    good = repository.commit({"shop.py": GOOD, "README.md": "shop\n", "requirements.txt": "# nothing\n"}, "first")
    culprit = repository.commit({"shop.py": BAD}, "halve otherwise")
    clock = FakeClock()
    return Bench(
        repository=repository,
        laboratory=FakeLaboratory({good: WELL, culprit: ILL}, {CURE: WELL}),
        history=GitHistory(repository.path, "main", "shop"),
        target=Target(name="shop", url="http://127.0.0.1:1", repository=repository.path),
        trail=FakeTrail(clock),
        clock=clock,
        good=good,
        culprit=culprit,
    )
