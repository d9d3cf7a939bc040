"""Nothing is merged until it is proven: the same trials for every patch, and the first that fails ends the case."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.experiment import Expectation, SignalBound
from agent.model.repair import RegressionTest
from agent.repair.judge import CERTAINTY, MOST_RERUNS, RERUNS, reruns
from fakes import records
from fakes.laboratory import WELL, Behaviour

ILL = Behaviour(fails={"/half?n=4": records.FAULT})
CURE = "+    return n / 2"
ALL = ["diff policy", "red before", "green after", "reruns", "suite", "regression test"]


def names(proof):
    return [trial.name for trial in proof.trials]


def failed(proof):
    return [trial.name for trial in proof.trials if not trial.passed]


def test_red_before_and_green_after_is_accepted(bench):
    """Every trial passed, and the proof names the patch, the capsule and the oracle it rests on."""
    proof = bench.proof()
    assert proof.accepted, proof.reasons
    assert names(proof) == ALL
    assert (proof.patch_hash, proof.capsule_id, proof.oracle) == (bench.revert().hash, "cap-1", records.WEAK)
    assert proof.reasons == ()


def test_every_trial_stands_in_the_trail(bench):
    """People can watch it live."""
    bench.proof()
    said = [entry.data["trial"] for entry in bench.trail.entries() if entry.kind == "trial.finished"]
    assert said == ALL
    assert bench.trail.entries()[-1].kind == "proof.accepted"


@pytest.mark.parametrize("oracle", [records.WEAK, records.STRONG], ids=["weak", "strong"])
def test_the_strength_of_the_oracle_is_named(bench, oracle):
    """A person reads what decided, in the trial and on the proof."""
    proof = bench.proof(capsule=bench.capsule(oracle=oracle))
    green = next(trial for trial in proof.trials if trial.name == "green after")
    assert f"{oracle.strength} oracle: {oracle.name}" in green.detail
    assert proof.oracle.strength == oracle.strength


def test_a_fault_that_is_not_there_before_proves_nothing(bench):
    """Green on main already: whatever the patch does, it is not shown."""
    bench.laboratory.releases[bench.culprit] = WELL
    proof = bench.proof()
    assert failed(proof) == ["red before"]
    assert "not red on main" in proof.reasons[0]


def test_a_patch_that_changes_nothing_about_it_is_refused(bench):
    """Still red afterwards; the suite is not even started."""
    bench.laboratory.patched = {}
    proof = bench.proof()
    assert "green after" in failed(proof)
    assert "suite" not in names(proof)
    assert bench.laboratory.suites == []


def test_trading_one_failure_for_another_is_refused(bench):
    """Another exception on the same requests is no green."""
    bench.laboratory.patched = {CURE: Behaviour(fails={"/half?n=4": records.OTHER_FAULT})}
    proof = bench.proof()
    assert "green after" in failed(proof)
    assert "KeyError" in "; ".join(proof.reasons)


def test_a_cure_that_kills_the_healthy_is_refused(bench):
    """Requests of the same minute that were well must stay well."""
    bench.laboratory.patched = {CURE: Behaviour(fails={"/half?n=3": records.OTHER_FAULT})}
    assert not bench.proof().accepted


@pytest.mark.parametrize("other", range(RERUNS))
def test_a_rerun_that_differs_is_refused(bench, other):
    """Whichever run of the patched tree is the red one."""
    lined_up = [WELL] * RERUNS
    lined_up[other] = ILL
    bench.laboratory.flaky[bench.culprit, bench.revert().diff] = lined_up
    proof = bench.proof()
    assert not proof.accepted
    assert {"green after", "reruns"} <= set(failed(proof))


@pytest.mark.parametrize(("failed_of_two", "runs"), [(1, 4), (2, RERUNS)])
def test_a_fault_that_comes_and_goes_is_run_more_often(bench, failed_of_two, runs):
    """Red every second time before: seven green answers are asked for, which are four runs of two. Red every time: three."""

    class Sometimes(type(bench.laboratory)):
        def replay(self, target, capsule, commit, patch=None):
            seen = super().replay(target, capsule, commit, patch)
            return seen if patch else seen.model_copy(update={"failures": (failed_of_two, 0, 0)})

    bench.laboratory = Sometimes(bench.laboratory.releases, bench.laboratory.patched)
    proof = bench.proof(capsule=bench.capsule(healthy=(records.HEALTHY,) * 2, repeat=2))
    assert proof.accepted, proof.reasons
    assert len([tree for tree in bench.laboratory.replayed if tree[1] is not None]) == runs
    said = next(trial.detail for trial in proof.trials if trial.name == "reruns")
    assert said == (
        f"{runs} of {runs} green"
        if failed_of_two == 2
        else "4 of 4 green; it failed 50% of the time before, and would stay unseen in 0.4% of such proofs"
    )


@given(st.sampled_from([0.0, 1.0]) | st.floats(1e-12, 1), st.integers(1, 12))
def test_reruns_are_enough_and_bounded(rate, chances):
    """Never under three; the chance to miss the fault is under one in a hundred, within twelve runs."""
    count = reruns(rate, chances)
    assert RERUNS <= count <= MOST_RERUNS
    if 0 < rate < 1 and count < MOST_RERUNS:
        assert math.pow(1 - rate, count * chances) <= CERTAINTY + 1e-9


def test_answers_that_differ_from_the_good_release_are_refused(bench):
    """No exception any more, and yet another answer than the last good release gave."""
    wrong = Behaviour(answers={"/half?n=4": {"half": 1.0}, "/half?n=3": {"half": 1.5}})
    right = Behaviour(answers={"/half?n=4": {"half": 2.0}, "/half?n=3": {"half": 1.5}})
    expected = tuple(Expectation(status=200, body={"half": half}) for half in (2.0, 1.5))
    capsule = bench.capsule(expected=expected, oracle=records.STRONG)
    bench.laboratory.patched = {CURE: wrong}
    proof = bench.proof(capsule=capsule)
    assert failed(proof) == ["answers"]
    assert "half is '1.0', on the good release '2.0'" in proof.reasons[0]
    bench.laboratory.patched = {CURE: right}
    assert bench.proof(capsule=capsule).accepted


def test_a_signal_is_proven_by_its_bound(bench):
    """Above the limit before, below it after; there are no answers to compare."""
    slow, fast = (Behaviour(measured={"latency_p95": seconds}, wrong=seconds > 1) for seconds in (2.0, 0.1))
    bench.laboratory.releases[bench.culprit] = slow
    bench.laboratory.patched = {CURE: fast}
    bound = SignalBound(signal="latency_p95", limit=0.5, unit="s")
    proof = bench.proof(capsule=bench.capsule(signature=None, bound=bound, signal="latency_p95"))
    assert proof.accepted, proof.reasons
    assert "answers" not in names(proof)


# -- the target's own suite ------------------------------------------------------------------------------------------


def test_a_suite_that_gets_worse_is_refused(bench):
    """The failing test is named."""
    bench.laboratory.patched = {CURE: Behaviour(tests=("t::a", "t::b"), broken=("t::b",))}
    bench.laboratory.releases[bench.culprit] = Behaviour(fails=ILL.fails, tests=("t::a", "t::b"))
    proof = bench.proof()
    assert failed(proof) == ["suite"]
    assert "t::b" in proof.reasons[0]


def test_a_test_that_vanishes_is_worse(bench):
    """What passed before and does not run any more was not kept."""
    bench.laboratory.patched = {CURE: Behaviour(tests=("t::a",))}
    bench.laboratory.releases[bench.culprit] = Behaviour(fails=ILL.fails, tests=("t::a", "t::b"))
    assert failed(bench.proof()) == ["suite"]


def test_a_suite_that_was_red_before_may_stay_as_red(bench):
    """Nobody is made to repair the rest of the world."""
    bench.laboratory.patched = {CURE: Behaviour(tests=("t::a", "t::b"), broken=("t::b",))}
    bench.laboratory.releases[bench.culprit] = Behaviour(fails=ILL.fails, tests=("t::a", "t::b"), broken=("t::b",))
    assert bench.proof().accepted


def test_a_suite_that_does_not_finish_is_refused(bench):
    """No answer is not a yes."""
    bench.laboratory.patched = {CURE: Behaviour(hangs=True)}
    proof = bench.proof()
    assert "suite" in failed(proof)
    assert "did not finish" in "; ".join(proof.reasons)


def test_the_regression_test_must_fail_without_the_patch(bench):
    """A test that passes either way shows nothing: here the fault is too fine for it."""

    class Blind(type(bench.laboratory)):
        def suite(self, target, commit, patch=None, only=(), *, python=""):
            seen = super().suite(target, commit, patch, only, python=python)
            return seen.model_copy(update={"passed": (*seen.passed, *seen.failed), "failed": ()})

    bench.laboratory = Blind(bench.laboratory.releases, bench.laboratory.patched)
    proof = bench.proof()
    assert failed(proof) == ["regression test"]
    assert "does not fail without the patch, passes with it" in proof.reasons[0]


def test_the_regression_test_must_pass_with_the_patch(bench):
    """A test that stays red is not merged."""
    bench.laboratory.patched = {CURE: Behaviour(wrong=True)}
    proof = bench.proof()
    assert failed(proof) == ["regression test"]
    assert "fails without the patch, does not pass with it" in proof.reasons[0]


def test_the_regression_test_is_tried_on_both_trees(bench):
    """Alone on the base, and on top of the patch."""
    from repair.conftest import TEST

    bench.proof()
    assert sorted(bench.laboratory.suites) == sorted(
        [(bench.culprit, TEST.diff), (bench.culprit, bench.revert().diff + TEST.diff)]
    )


def test_without_a_regression_test_the_suite_alone_decides(bench):
    """Its trial is left out, not passed silently."""
    proof = bench.proof(test=None)
    assert proof.accepted
    assert names(proof) == ALL[:-1]


# -- the diff policy ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"tests/test_shop.py": "def test_it(): pass\n"}, "a test or what runs the tests"),
        ({"conftest.py": "collect_ignore = ['tests']\n"}, "a test or what runs the tests"),
        ({".github/workflows/ci.yml": "on: push\n"}, "CI or repository configuration"),
        ({"requirements.txt": "evil==1.0\n"}, "a lock file"),
        ({"agent.toml": "[policy]\n"}, "the agent's own settings"),
        ({"secret/key.py": "KEY = 1\n"}, "protected by the target's settings"),
    ],
    ids=["a-test", "conftest", "ci", "lock", "settings", "protected"],
)
def test_a_patch_that_touches_what_it_may_not_is_refused_before_anything_runs(bench, files, why):
    """However well it cures: no run is spent on it."""
    bench.target = bench.target.model_copy(update={"protected": ("secret",)})
    wanted = bench.repository.commit({**files, "shop.py": "def answer(n):\n    return n / 2\n"})
    bench.repository.git.run("reset", "--hard", "-q", bench.culprit)
    proof = bench.proof(bench.patch(bench.repository.diff(bench.culprit, wanted)))
    assert failed(proof) == ["diff policy"]
    assert names(proof) == ["diff policy"]
    assert why in proof.reasons[0]
    assert (bench.laboratory.replayed, bench.laboratory.suites) == ([], [])


def test_a_patch_may_not_delete_the_test_that_judges_it(bench):
    """Removing is touching."""
    base = bench.commit({"tests/test_shop.py": "def test_it(): assert 0\n"})
    gone = bench.repository.commit({"tests/test_shop.py": None})
    bench.repository.git.run("reset", "--hard", "-q", base)
    proof = bench.proof(bench.patch(bench.repository.diff(base, gone), base))
    assert names(proof) == ["diff policy"]
    assert "tests/test_shop.py is a test" in proof.reasons[0]


def test_tests_may_be_touched_where_they_are_allowed_by_name(bench):
    """And only those; the note tells a person."""
    added = RegressionTest(path="tests/test_a.py", source="def test_a():\n    pass\n")
    diff = bench.repository.diff(bench.culprit, bench.good) + added.diff
    allowed = bench.proof(bench.patch(diff), allowed_tests=("tests/test_a.py",), notes=("taken from the parent",))
    assert allowed.accepted, allowed.reasons
    assert allowed.notes == ("taken from the parent",)
    assert not bench.proof(bench.patch(diff), allowed_tests=("tests/test_b.py",)).accepted


@pytest.mark.parametrize(
    "diff", ["", "nonsense", records.DIFF.replace("n % 2", "n % 3")], ids=["empty", "text", "stale"]
)
def test_what_is_no_diff_against_its_base_is_refused(bench, diff):
    """Nothing, prose, or lines that are not there."""
    proof = bench.proof(bench.patch(diff))
    assert failed(proof) == ["diff policy"]
    assert bench.laboratory.replayed == []
