"""A fault that comes and goes, from the recorded failure to the proof, on a real service in the real sandbox."""

from __future__ import annotations

import pytest
from sums_target import GOOD, request

from agent.diagnosis.investigator import ExperimentalInvestigator
from agent.evidence.history import GitHistory
from agent.model.experiment import Verdict
from agent.repair.authors.revert import RevertAuthor
from agent.repair.judge import RERUNS, Case, Judge
from fakes import records
from fakes.clock import FakeClock
from fakes.trail import FakeTrail

EVERY_THIRD = """from itertools import count

CALLS = count(1)


def answer(n):
    if next(CALLS) % 3 == 0:
        raise ConnectionError("the pool is empty")
    return {"n": n, "half": n / 2}
"""
ASKED, OTHER = request("/half", "n=4"), request("/half", "n=3")


@pytest.fixture
def scene(laboratory, target, repository, capsule):
    """Four commits, of which the third fails every third time; and the evidence of one such failure."""
    clock = FakeClock()
    history = GitHistory(repository.path, "main", "sums")
    repository.commit(README_txt="one")
    culprit = repository.commit(app__sums_py=EVERY_THIRD)
    running = repository.commit(README_txt="two")
    seen = laboratory.replay(target, capsule(ASKED, repeat=3), running)
    failure = records.failure(ASKED, seen.answers[0].signature)
    evidence = records.evidence(
        running=running,
        last_good=repository.first,
        failing=(failure,),
        healthy=(records.answered(OTHER),),
        commits=history.commits(running, 10),
    )
    trail = FakeTrail(clock)
    investigator = ExperimentalInvestigator(laboratory, lambda _target: history, trail, clock, {})
    judge = Judge(laboratory, lambda _target: history, trail, clock)
    return culprit, target, history, judge, investigator.investigate(records.incident(target="sums"), target, evidence)


def test_a_fault_that_comes_and_goes_is_found_and_proven_gone(scene):
    """Seen by repetition, sent often enough to be missed once in a hundred runs, and its revert is proven on that many."""
    culprit, target, history, judge, diagnosis = scene
    assert diagnosis.culprit == culprit
    capsule = diagnosis.capsule
    assert (1 - 0.25) ** capsule.repeat < 0.01
    assert capsule.oracle.strength == "strong"
    (patch,) = RevertAuthor(lambda _target: history).patches(target, diagnosis, lambda _diff: True)
    proof, _ = judge.judge(Case(target, capsule, patch, None, "inc-1"))
    assert proof.accepted, proof.reasons
    trials = {trial.name: trial for trial in proof.trials}
    assert trials["red before"].runs[0].verdict is Verdict.RED
    assert "of the times they were sent" in trials["red before"].detail
    assert len(trials["reruns"].runs) + 1 == RERUNS
    assert f"{RERUNS} of {RERUNS} green; it failed" in trials["reruns"].detail


def test_failures_of_any_repetition_are_told_by_what_the_service_printed(laboratory, target, repository, capsule):
    """Without a log, the tracebacks are matched with all failures in their order: each request keeps its own."""
    text = EVERY_THIRD.replace('ConnectionError("the pool is empty")', "(ConnectionError if n == 4 else KeyError)(n)")
    commit = repository.commit(app__sums_py=text)
    plain = target.model_copy(update={"log_env": None})
    seen = laboratory.replay(plain, capsule(ASKED, healthy=(OTHER,), repeat=5), commit)
    assert seen.failures == (2, 1)
    assert [answer.signature.exception for answer in seen.answers] == ["ConnectionError", "KeyError"]


def test_answers_of_a_fault_that_did_not_show_are_the_last_ones(laboratory, target, repository, capsule):
    """Two runs of a healthy release with repetitions give equal answers."""
    made = capsule(ASKED, healthy=(OTHER,), repeat=4)
    commit = repository.commit(app__sums_py=GOOD.replace("'n': n", "'n': n, 'time': 1"))
    one, two = laboratory.replay_all(target, made, ((commit, None), (commit, None)))
    assert [answer.body for answer in one.answers] == [answer.body for answer in two.answers]
    assert one.failures == (0, 0)
