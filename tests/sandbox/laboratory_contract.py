"""What every laboratory promises.

A subclass gives the fixtures ``laboratory``, ``target``, ``good`` and ``bad`` (two commits: on the bad one every even
number fails, and so does a test of its own suite), ``unable`` (a commit whose service cannot start), ``cure`` (a diff
that makes the bad one good), ``unfit`` (a diff that applies nowhere) and ``capsule`` (makes capsules of requests).
"""

import pytest

from agent.errors import Conflict, NotFound
from agent.model.evidence import RecordedRequest

EVEN = RecordedRequest(method="GET", path="/half", query="n=4")
ODD = RecordedRequest(method="GET", path="/half", query="n=3")


class LaboratoryContract:
    def test_a_lock_is_prepared_once_and_named_by_its_hash(self, laboratory, target, good):
        """The same lock has the same name however often it is asked for."""
        name = laboratory.prepare(target, good)
        assert len(name) == 64
        assert laboratory.prepare(target, good) == name

    def test_a_failing_request_fails_again_with_its_signature(self, laboratory, target, bad, capsule):
        """Answers and failures in the order failing, healthy; failures are counted over all repetitions."""
        replay = laboratory.replay(target, capsule(EVEN, healthy=(ODD,), repeat=2), bad)
        assert replay.started
        assert [answer.status for answer in replay.answers] == [500, 200]
        assert replay.failures == (2, 0)
        assert replay.repetitions == 2
        assert replay.answers[0].signature.exception == "ZeroDivisionError"
        assert replay.answers[0].signature.frames[-1].endswith("sums.py:answer")
        assert replay.answers[1].signature is None
        assert replay.measured["error_ratio"] == 1.0

    def test_a_good_release_answers(self, laboratory, target, good, capsule):
        """The body is parsed JSON."""
        replay = laboratory.replay(target, capsule(EVEN), good)
        assert [(answer.status, answer.body) for answer in replay.answers] == [(200, {"n": 4, "half": 2.0})]
        assert replay.measured["error_ratio"] == 0.0

    def test_several_trees_are_answered_in_the_order_asked(self, laboratory, target, good, bad, cure, capsule):
        """Commits and patched commits side by side."""
        replays = laboratory.replay_all(target, capsule(EVEN), ((bad, None), (good, None), (bad, cure), (bad, None)))
        assert [replay.answers[0].status for replay in replays] == [500, 200, 200, 500]

    def test_a_service_that_cannot_start_is_no_error_of_the_laboratory(self, laboratory, target, unable, capsule):
        """It says so, with the signature of the start and no answers."""
        replay = laboratory.replay(target, capsule(EVEN), unable)
        assert not replay.started
        assert replay.problem
        assert replay.answers == ()
        assert replay.startup_signature.exception == "RuntimeError"

    def test_the_suite_of_a_tree_names_what_failed(self, laboratory, target, good, bad, cure):
        """Worse on the bad commit than on the good one, well again with the cure."""
        assert laboratory.suite(target, good).failed == ()
        red = laboratory.suite(target, bad)
        assert (len(red.failed), red.finished) == (1, True)
        cured = laboratory.suite(target, bad, cure)
        assert (cured.failed, cured.finished) == ((), True)
        assert red.failed[0] in cured.passed

    def test_unknown_commits_are_not_found(self, laboratory, target, capsule):
        """For every kind of run."""
        with pytest.raises(NotFound):
            laboratory.prepare(target, "f" * 40)
        with pytest.raises(NotFound):
            laboratory.replay(target, capsule(EVEN), "f" * 40)
        with pytest.raises(NotFound):
            laboratory.suite(target, "f" * 40)

    def test_a_patch_that_does_not_apply_is_a_conflict(self, laboratory, target, bad, unfit, capsule):
        """For both kinds of run, and what was there goes on as it was."""
        with pytest.raises(Conflict):
            laboratory.replay(target, capsule(EVEN), bad, unfit)
        with pytest.raises(Conflict):
            laboratory.suite(target, bad, unfit)
        assert laboratory.replay(target, capsule(EVEN), bad).answers[0].status == 500
