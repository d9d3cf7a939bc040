"""The engine asks its authors in order and takes the first patch that the judge accepts."""

from __future__ import annotations

import pytest

from agent.forge.description import commits_of
from agent.model.experiment import Verdict
from agent.model.repair import Patch
from agent.repair.engine import CapsuleReproducer
from fakes import records
from fakes.laboratory import WELL, Behaviour
from repair.conftest import BAD, CURE, GOOD, ILL

INCIDENT = records.incident()


class Scripted:
    """An author that proposes what it was given."""

    def __init__(self, name, *patches):
        self.name, self._patches, self.asked = name, patches, 0
        self.tries = []

    def patches(self, _target, _diagnosis, try_patch):
        self.asked += 1
        self.tries = [try_patch(patch.diff) for patch in self._patches]
        return self._patches


def useless(bench):
    """Applies, and changes nothing that matters."""
    diff = "diff --git a/README.md b/README.md\n--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-shop\n+the shop\n"
    return Patch(base=bench.culprit, diff=diff, author="scripted", title="Words")


def test_the_culprit_is_reverted_and_proven(bench):
    """Patch, proof for exactly this patch, and the test that comes with it."""
    proposal = bench.engine().repair(INCIDENT, bench.target, bench.diagnosis())
    assert proposal.message == "revert was proven"
    assert proposal.proof.accepted
    assert proposal.proof.patch_hash == proposal.patch.hash
    assert proposal.regression_test.path == "tests/test_regression_inc_1.py"
    assert proposal.refused == ()


def test_the_first_author_that_is_proven_wins(bench):
    """The second is not even asked."""
    second = Scripted("second", bench.revert())
    proposal = bench.engine(Scripted("first", bench.revert()), second).repair(INCIDENT, bench.target, bench.diagnosis())
    assert proposal.message == "first was proven"
    assert second.asked == 0


def test_when_the_first_fails_the_next_is_asked(bench):
    """What was refused is kept with its reasons."""
    authors = (Scripted("first", useless(bench)), Scripted("second"), Scripted("third", bench.revert()))
    proposal = bench.engine(*authors).repair(INCIDENT, bench.target, bench.diagnosis())
    assert proposal.message == "third was proven"
    assert [proof.accepted for proof in proposal.refused] == [False]
    assert proposal.refused[0].reasons[0].startswith("green after")


def test_an_authors_second_candidate_may_be_the_one(bench):
    """Candidates are judged in the author's own order."""
    author = Scripted("only", useless(bench), bench.revert())
    proposal = bench.engine(author).repair(INCIDENT, bench.target, bench.diagnosis())
    assert proposal.patch == bench.revert()
    assert len(proposal.refused) == 1


def test_authors_may_try_but_not_decide(bench):
    """Trying replays the capsule on the head of main: green for the cure, not for words."""
    author = Scripted("only", useless(bench), bench.revert())
    bench.engine(author).repair(INCIDENT, bench.target, bench.diagnosis())
    assert author.tries == [False, True]


def test_nothing_that_is_proven_is_no_patch(bench):
    """The reasons of every refusal are in the message, and no half-proven patch is handed on."""
    proposal = bench.engine(Scripted("first", useless(bench))).repair(INCIDENT, bench.target, bench.diagnosis())
    assert (proposal.patch, proposal.proof, proposal.subject) == (None, None, None)
    assert "ZeroDivisionError again" in proposal.message


def test_no_author_with_an_idea_is_said(bench):
    """An empty answer has its own words."""
    proposal = bench.engine(Scripted("first")).repair(INCIDENT, bench.target, bench.diagnosis())
    assert (proposal.patch, proposal.message) == (None, "no author had a patch")


def test_without_a_reproduction_nothing_is_tried(bench):
    """Nothing could be proven."""
    diagnosis = records.diagnosis(bench.culprit, None)
    author = Scripted("first", bench.revert())
    proposal = bench.engine(author).repair(INCIDENT, bench.target, diagnosis)
    assert (proposal.patch, author.asked) == (None, 0)
    assert "no reproduction" in proposal.message


def test_candidates_stand_in_the_trail(bench):
    """With author and hash, before they are judged."""
    bench.engine().repair(INCIDENT, bench.target, bench.diagnosis())
    kinds = [entry.kind for entry in bench.trail.entries(incident_id="inc-1")]
    assert kinds[0] == "candidate.proposed"
    assert kinds[-1] == "proof.accepted"


def test_a_revert_that_conflicts_gives_way_to_a_part_of_it(bench):
    """The real authors, one after the other: the whole revert conflicts, a part of it cures."""
    space = "".join(f"# line {n}\n" for n in range(12))
    bench.commit({"shop.py": f"{GOOD}{space}limit = 1\n"}, behaves=WELL)
    culprit = bench.commit({"shop.py": f"{BAD}{space}limit = 2\n"})
    bench.commit({"shop.py": f"{BAD}{space}limit = 3\n"})
    proposal = bench.engine().repair(INCIDENT, bench.target, bench.diagnosis(culprit))
    assert proposal.message == "partial-revert was proven"
    assert CURE in proposal.patch.diff
    assert "limit" not in "".join(line for line in proposal.patch.diff.splitlines() if line[:1] in "+-")


def test_the_regression_test_is_a_commit_of_its_own(bench):
    """First the fix without any test, then the test alone; the proof says that it fails without the fix."""
    proposal = bench.engine().repair(INCIDENT, bench.target, bench.diagnosis())
    fix, test = commits_of(INCIDENT, proposal)
    assert fix.diff == proposal.patch.diff
    assert "tests/" not in fix.diff
    assert test.diff == proposal.regression_test.diff
    assert "Add a regression test for inc-1" in test.message
    trial = next(trial for trial in proposal.proof.trials if trial.name == "regression test")
    assert trial.detail == "fails without the patch, passes with it"


@pytest.fixture
def with_tests(bench):
    """A culprit that brought a test which only passes with it."""
    bench.commit({"shop.py": GOOD}, behaves=WELL)
    culprit = bench.commit(
        {"shop.py": BAD, "tests/test_new.py": "def test_new(): pass\n"},
        behaves=Behaviour(fails=ILL.fails, tests=("tests.test_new::test_new", "tests.test_app::test_it")),
    )
    red = Behaviour(tests=("tests.test_new::test_new", "tests.test_app::test_it"), broken=("tests.test_new::test_new",))
    bench.laboratory.patched = {"+++ /dev/null": Behaviour(), CURE: red}
    return culprit


def test_tests_that_the_culprit_brought_are_named_not_dropped_silently(bench, with_tests):
    """The plain revert breaks the culprit's own test. With the tests of its parent it still loses one: refused."""
    proposal = bench.engine().repair(INCIDENT, bench.target, bench.diagnosis(with_tests))
    notes = [note for proof in proposal.refused for note in proof.notes]
    assert proposal.refused[0].notes == ()
    assert "suite" in [trial.name for trial in proposal.refused[0].trials if not trial.passed]
    assert any("tests/test_new.py" in note for note in notes)


def test_proving_again_runs_every_trial_again(bench):
    """The same patch holds; another one does not; nothing of the first proof is believed."""
    engine = bench.engine()
    proposal = engine.repair(INCIDENT, bench.target, bench.diagnosis())
    again = engine.prove(bench.target, bench.capsule(), proposal.patch, proposal.regression_test)
    assert again.accepted
    assert [trial.name for trial in again.trials] == [trial.name for trial in proposal.proof.trials]
    assert again.id != proposal.proof.id
    bench.laboratory.patched = {}
    assert not engine.prove(bench.target, bench.capsule(), proposal.patch, proposal.regression_test).accepted


def test_the_reproducer_judges_runs_side_by_side(bench):
    """Red on the old release, green on the new, in the order asked; a patch is named by its hash."""
    reproducer = CapsuleReproducer(bench.laboratory)
    old, new = reproducer.run_all(bench.target, bench.capsule(), (bench.culprit, bench.good))
    assert (old.commit, old.verdict) == (bench.culprit, Verdict.RED)
    assert (new.commit, new.verdict) == (bench.good, Verdict.GREEN)
    patched = reproducer.run(bench.target, bench.capsule(), bench.culprit, bench.revert())
    assert (patched.verdict, patched.patch_hash) == (Verdict.GREEN, bench.revert().hash)


def test_a_test_that_shows_nothing_with_stand_ins_is_proven_as_it_was_recorded(bench):
    """And a person is told so before it is committed."""
    request = records.FAILING.model_copy(update={"body": '{"to": "dee@shop.org"}'})
    diagnosis = bench.diagnosis(failing=(request,))
    suite = bench.laboratory.suite

    def only_dee_raises(target, commit, patch=None, only=(), **options):
        result = suite(target, commit, patch, only, **options)
        if "dee@shop" in (patch or "").replace("'\n+    '", ""):
            return result
        return result.model_copy(update={"failed": (), "passed": (*result.passed, *result.failed)})

    bench.laboratory.suite = only_dee_raises
    proposal = bench.engine().repair(INCIDENT, bench.target, diagnosis)
    assert proposal.proof.accepted
    assert "dee@shop.org" in "".join(line.strip().strip("'") for line in proposal.regression_test.source.splitlines())
    assert any("may name people" in note for note in proposal.proof.notes)
