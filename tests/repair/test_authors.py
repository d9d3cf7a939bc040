"""Authors on a real repository: what they propose, and when they rather propose nothing."""

from __future__ import annotations

import pytest

from agent.model.patches import split
from agent.repair.authors.partial import PartialRevertAuthor
from agent.repair.authors.revert import RevertAuthor
from repair.conftest import BAD, GOOD

SPACE = "".join(f"# line {n}\n" for n in range(12))
THREE_GOOD = f"def a():\n    return 1\n{SPACE}def b():\n    return 2\n{SPACE}def c():\n    return 3\n"
THREE_BAD = (
    THREE_GOOD.replace("return 1", "return 10").replace("return 2", "return 20").replace("return 3", "return 30")
)


def never(_diff):
    raise AssertionError("this author tries nothing itself")


def after(bench, patch):
    """The tree with the patch on its base, file by file."""
    head = bench.repository.git.resolve("HEAD")
    assert patch.base == head
    bench.repository.git.apply(patch.diff)
    try:
        return {name: (bench.repository.path / name).read_text() for name in bench.history.files(head)}
    finally:
        bench.repository.git.run("checkout", "-q", "--", ".")


@pytest.fixture
def revert(bench):
    return RevertAuthor(bench.histories)


@pytest.fixture
def partial(bench):
    return PartialRevertAuthor(bench.histories)


def test_a_revert_undoes_the_culprit_on_the_head_of_main(bench, revert):
    """What came after it stays."""
    bench.commit({"other.py": "later = 1\n"})
    (patch,) = revert.patches(bench.target, bench.diagnosis(), never)
    tree = after(bench, patch)
    assert tree["shop.py"] == GOOD
    assert tree["other.py"] == "later = 1\n"
    assert (patch.author, patch.base) == ("revert", bench.history.branch_head())


def test_a_revert_finds_its_lines_where_they_moved_to(bench, revert):
    """Later work above the culprit's lines is no conflict."""
    bench.commit({"shop.py": f"import math\n\n\n{BAD}"})
    (patch,) = revert.patches(bench.target, bench.diagnosis(), never)
    assert after(bench, patch)["shop.py"] == f"import math\n\n\n{GOOD}"


def test_a_revert_that_conflicts_with_later_work_is_not_proposed(bench, revert):
    """Somebody changed the same line since."""
    bench.commit({"shop.py": BAD.replace("n % 2", "n % 3")})
    assert revert.patches(bench.target, bench.diagnosis(), never) == ()


def test_a_revert_leaves_the_culprits_tests_alone(bench, revert):
    """An author edits no tests; what becomes of them is the engine's question."""
    culprit = bench.commit({"shop.py": GOOD, "tests/test_shop.py": "def test_it(): pass\n"})
    (patch,) = revert.patches(bench.target, bench.diagnosis(culprit), never)
    assert {piece.path for piece in split(patch.diff)} == {"shop.py"}


def test_a_culprit_that_only_changed_tests_has_no_revert(bench, revert):
    """There is nothing left to propose."""
    culprit = bench.commit({"tests/test_shop.py": "def test_it(): pass\n"})
    assert revert.patches(bench.target, bench.diagnosis(culprit), never) == ()


def test_the_first_commit_cannot_be_undone(bench, revert, partial):
    """There is nothing before it."""
    assert revert.patches(bench.target, bench.diagnosis(bench.good), never) == ()
    assert partial.patches(bench.target, bench.diagnosis(bench.good), never) == ()


def test_without_a_culprit_nobody_writes(bench, revert, partial):
    """An experiment has to name one first."""
    diagnosis = bench.diagnosis().model_copy(update={"culprit": None})
    assert revert.patches(bench.target, diagnosis, never) == ()
    assert partial.patches(bench.target, diagnosis, never) == ()


def test_text_of_the_culprit_is_harmless_in_the_rationale(bench, revert):
    """A commit's title is untrusted: no control characters and no secrets get through."""
    bench.repository.commit({}, "innocent")
    diagnosis = bench.diagnosis()
    hostile = diagnosis.hypotheses[0].model_copy(update={"title": "x\x1b[31m\u202e token=hunter2hunter2 " + "y" * 500})
    (patch,) = revert.patches(bench.target, diagnosis.model_copy(update={"hypotheses": (hostile,)}), never)
    assert "\x1b" not in patch.rationale
    assert "\u202e" not in patch.rationale
    assert "hunter2" not in patch.rationale
    assert len(patch.rationale) < 300


@pytest.mark.parametrize("needed", [{1}, {2}, {3}, {1, 3}, {1, 2, 3}], ids=str)
def test_a_partial_revert_is_the_smallest_set_of_hunks(bench, partial, needed):
    """Of three hunks only those are undone that the reproduction needs."""
    bench.commit({"three.py": THREE_GOOD})
    culprit = bench.commit({"three.py": THREE_BAD})
    tried = []

    def helps(diff):
        tried.append(diff)
        return all(f"-    return {n}0\n" in diff for n in needed)

    (patch,) = partial.patches(bench.target, bench.diagnosis(culprit), helps)
    tree = after(bench, patch)["three.py"]
    assert {n for n in (1, 2, 3) if f"return {n}\n" in tree} == needed
    assert f"{len(needed)} of 3 hunks" in patch.rationale
    assert len(tried) == len(set(tried))


def test_a_partial_revert_leaves_out_what_conflicts(bench, partial):
    """A hunk that later work has changed is skipped; the rest may be enough."""
    bench.commit({"three.py": THREE_GOOD})
    culprit = bench.commit({"three.py": THREE_BAD})
    bench.commit({"three.py": THREE_BAD.replace("return 20", "return 21")})
    (patch,) = partial.patches(bench.target, bench.diagnosis(culprit), lambda diff: "+    return 3\n" in diff)
    tree = after(bench, patch)["three.py"]
    assert "return 21" in tree
    assert "return 3\n" in tree
    assert "return 10" in tree


def test_a_partial_revert_leaves_tests_alone(bench, partial):
    """They are no hunks to choose from."""
    culprit = bench.commit({"shop.py": GOOD, "tests/test_shop.py": "def test_it(): pass\n"})
    (patch,) = partial.patches(bench.target, bench.diagnosis(culprit), lambda _diff: True)
    assert {piece.path for piece in split(patch.diff)} == {"shop.py"}


def test_no_set_of_hunks_that_helps_is_no_patch(bench, partial):
    """All of them together do not cure it: one try, then silence."""
    tried = []
    assert partial.patches(bench.target, bench.diagnosis(), lambda diff: bool(tried.append(diff))) == ()
    assert len(tried) == 1


def test_a_partial_revert_spends_a_bounded_number_of_runs(bench, partial, monkeypatch):
    """A culprit with many hunks, all of them needed, ends the search early with what works; nothing is even applied."""
    monkeypatch.setattr("agent.repair.authors.partial.MOST_RUNS", 6)
    good = "".join(f"value_{n} = 1\n{SPACE}" for n in range(6))
    bench.commit({"many.py": good})
    culprit = bench.commit({"many.py": good.replace("= 1", "= 2")})
    tried, applied, apply = [], [], bench.history.apply

    def helps(diff):
        tried.append(diff)
        return diff.count("\n+value_") == 6

    def counted(base, diff):
        applied.append(diff)
        return apply(base, diff)

    monkeypatch.setattr(bench.history, "apply", counted)
    (patch,) = partial.patches(bench.target, bench.diagnosis(culprit), helps)
    assert len(tried) == 6
    assert len(applied) < 20
    assert patch.diff.count("\n+value_") == 6
