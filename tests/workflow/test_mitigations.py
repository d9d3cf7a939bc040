"""Harm is stopped before, or instead of, a change of code."""

from __future__ import annotations

import pytest

from agent.model.experiment import Experiment, Run, Verdict
from agent.model.incident import Outcome, Phase
from agent.model.plan import Abilities, Mitigation, Plan
from agent.model.repair import Proposal
from fakes import records
from fakes.shop import BAD, GOOD

STRONG_CAPSULE = {"signature": None, "expected": ({"status": 200, "body": {"value": 1}},)}


def compared(*verdicts):
    """An experiment on the running release and the one before."""
    runs = tuple(
        Run(commit=commit, verdict=verdict, reason="as planned", seconds=0.1)
        for commit, verdict in zip((BAD, GOOD), verdicts, strict=True)
    )
    return Experiment(id="exp-1", question="does it happen again?", runs=runs, conclusion="", seconds=0.2)


def blamed(cause, confidence=0.8, **fields):
    """A diagnosis that blames no commit."""
    made = records.diagnosis(None, None, **fields)
    guess = made.hypotheses[0].model_copy(update={"cause": cause, "confidence": confidence, "title": f"{cause} it is"})
    return made.model_copy(update={"hypotheses": (guess,)})


def kinds_of(shop):
    """Every question of the incident and what became of it; those of one moment in no order."""
    return {(approval.action, approval.state) for approval in shop.approvals()}


@pytest.fixture
def stopped(shop):
    """The process is blamed, and can be restarted."""
    shop.investigator.diagnosis = blamed("infrastructure")
    shop.remedies.can = Abilities(restarts=True)
    shop.alert()
    shop.run()
    return shop


def test_a_restart_waits_for_a_person_and_ends_mitigated_when_production_is_well(stopped):
    """Nothing happens before the yes; then once, and production is watched."""
    assert (stopped.incident().phase, stopped.deployer.finished) == (Phase.MITIGATE, [])
    stopped.answer(yes=True)
    stopped.run(until=Phase.VERIFY)
    stopped.production.ill.clear()
    stopped.run()
    assert [done.kind for done in stopped.deployer.finished] == ["restart"]
    assert stopped.incident().outcome is Outcome.MITIGATED
    assert kinds_of(stopped) == {("restart", "used")}
    assert "restart done" in stopped.incident().reason


def test_a_restart_that_does_not_help_is_handed_over(stopped):
    """And is not proposed again in the next attempt."""
    stopped.answer(yes=True)
    stopped.run()
    assert stopped.incident().outcome is Outcome.ESCALATED
    assert "did not help" in stopped.incident().reason
    stopped.retry()
    stopped.run()
    plan = stopped.store.document(stopped.incident().id, "plan", Plan)
    refused = next(one for one in plan.options if one.remedy == "restart")
    assert (plan.way.remedy, refused.available) == ("escalate", False)
    assert "it did not help before" in refused.against


def test_a_no_to_the_only_mitigation_is_rejected(stopped):
    stopped.answer(yes=False, comment="we look ourselves")
    stopped.run()
    assert (stopped.incident().outcome, stopped.deployer.finished) == (Outcome.REJECTED, [])
    assert "we look ourselves" in stopped.incident().reason


@pytest.fixture
def bad_release(shop):
    """Red where it runs and green before, and no commit can be named: its roll back is asked for."""
    shop.investigator.diagnosis = blamed("code", 0.4, experiments=(compared(Verdict.RED, Verdict.GREEN),))
    shop.remedies.can = Abilities(restarts=True)
    shop.alert()
    shop.run()
    return shop


def test_a_release_that_is_proven_bad_is_rolled_back_where_no_commit_can_be_named(bad_release):
    """Red where it runs, green before: the release is put back, and only that."""
    assert kinds_of(bad_release) == {("rollback", "pending")}
    bad_release.answer(yes=True)
    bad_release.run()
    assert (bad_release.deployer.current, bad_release.incident().outcome) == (GOOD, Outcome.MITIGATED)


def test_a_roll_back_that_does_not_help_is_taken_back(bad_release):
    """What ran before the agent came runs again."""
    bad_release.production.ill.add(GOOD)
    bad_release.answer(yes=True)
    bad_release.run()
    assert (bad_release.deployer.current, bad_release.incident().outcome) == (BAD, Outcome.ESCALATED)
    assert f"{BAD[:10]} was put back" in bad_release.incident().reason


def test_an_approval_does_not_hold_for_another_release(bad_release):
    """Somebody deployed meanwhile: the plan is made anew."""
    bad_release.answer(yes=True)
    bad_release.deployer.current = "c" * 40
    bad_release.run()
    assert (bad_release.incident().attempt, bad_release.deployer.finished) == (2, [])


@pytest.fixture
def wrong(shop):
    """Values are wrong since a commit that is proven guilty; they can be quarantined."""
    shop.investigator.diagnosis = records.diagnosis(BAD, records.capsule(BAD, **STRONG_CAPSULE))
    shop.remedies.can = Abilities(actions=frozenset({"quarantine"}))
    shop.alert()
    shop.run()
    return shop


def test_wrong_values_are_quarantined_first_and_served_again_with_the_fix(wrong):
    """Two questions, each its own; the quarantine ends before production is watched."""
    assert kinds_of(wrong) == {("quarantine", "pending")}
    wrong.answer(yes=True)
    wrong.run()
    assert wrong.remedies.calls == ["quarantine"]
    assert kinds_of(wrong) == {("quarantine", "used"), ("merge_and_deploy", "pending")}
    wrong.answer(yes=True)
    wrong.run()
    assert wrong.remedies.calls == ["quarantine", "lift"]
    assert wrong.incident().outcome is Outcome.FIXED


def test_a_quarantine_that_cannot_be_lifted_keeps_no_fix_from_being_verified(wrong):
    """It is said, and it expires by itself."""
    wrong.remedies.refuses = True
    for _ in range(2):
        wrong.answer(yes=True)
        wrong.run()
    assert wrong.incident().outcome is Outcome.FIXED
    said = [entry.message for entry in wrong.store.entries(limit=1000) if entry.kind == "quarantine.lifted"]
    assert said == ["the quarantine could not be lifted: it expires by itself"]


def test_nobody_is_waited_for_while_a_repair_can_be_prepared(wrong):
    """After a minute without an answer the repair goes on, and the question counts as answered with no."""
    wrong.clock.move(61)
    wrong.phase(wrong.incident())
    wrong.run()
    assert kinds_of(wrong) == {("quarantine", "expired"), ("merge_and_deploy", "pending")}
    assert wrong.remedies.calls == []


def test_a_no_to_the_quarantine_leaves_the_repair(wrong):
    wrong.answer(yes=False)
    wrong.run()
    assert kinds_of(wrong) == {("quarantine", "rejected"), ("merge_and_deploy", "pending")}


def test_without_a_proven_patch_the_release_is_rolled_back(shop):
    """The plan's fallback, asked for anew."""
    shop.investigator.diagnosis = records.diagnosis(
        BAD, records.capsule(BAD), experiments=(compared(Verdict.RED, Verdict.GREEN),)
    )
    shop.remedies.can = Abilities(restarts=True)
    shop.repairer.proposal = Proposal(patch=None, proof=None, message="nothing applied")
    shop.alert()
    shop.run()
    assert kinds_of(shop) == {("rollback", "pending")}
    shop.answer(yes=True)
    shop.run()
    assert (shop.deployer.current, shop.incident().outcome) == (GOOD, Outcome.MITIGATED)


def test_a_candidate_is_trained_and_its_promotion_is_asked_for_by_itself(shop):
    """Two approvals; the second names the candidate."""
    shop.investigator.diagnosis = blamed("model")
    shop.remedies.can = Abilities(actions=frozenset({"retrain", "promote"}))
    shop.alert(alertname="ModelWorseThanNaive", signal="mae_ratio")
    shop.run()
    assert kinds_of(shop) == {("retrain", "pending")}
    shop.answer(yes=True)
    shop.run()
    assert shop.remedies.calls == ["retrain"]
    assert kinds_of(shop) == {("retrain", "used"), ("promote", "pending")}
    shop.answer(yes=True)
    shop.run(until=Phase.VERIFY)
    assert shop.remedies.calls == ["retrain", "promote c2"]
    deeds = shop.store.document(shop.incident().id, "mitigation", Mitigation).deeds
    assert [deed.remedy for deed in deeds] == ["retrain", "promote"]


def test_nothing_is_trained_on_suspect_data(shop):
    """Data is blamed a little: the model is left alone."""
    shop.investigator.diagnosis = blamed("data", 0.4)
    shop.remedies.can = Abilities(actions=frozenset({"retrain", "promote"}))
    shop.alert(alertname="ModelWorseThanNaive", signal="mae_ratio")
    shop.run()
    plan = shop.store.document(shop.incident().id, "plan", Plan)
    refused = next(one for one in plan.options if one.remedy == "retrain")
    assert (shop.approvals(), plan.way.remedy) == ((), "escalate")
    assert "suspect" in refused.against[0]


def test_what_passes_is_watched_and_closed_as_recovered(shop):
    """Traffic is blamed: nothing is done, and a breach that goes on is no failure before patience ends."""
    shop.investigator.diagnosis = blamed("traffic")
    shop.alert()
    shop.run(until=Phase.VERIFY)
    for _ in range(20):
        shop.run_once()
    assert shop.incident().phase is Phase.VERIFY
    shop.production.ill.clear()
    shop.run()
    assert (shop.incident().outcome, shop.approvals()) == (Outcome.RECOVERED, ())


def test_what_does_not_pass_is_handed_over(shop):
    shop.investigator.diagnosis = blamed("traffic")
    shop.alert()
    shop.run()
    assert shop.incident().outcome is Outcome.ESCALATED
    assert "did not pass by itself" in shop.incident().reason


def test_where_nothing_is_out_of_the_ordinary_nothing_is_wrong(shop):
    """The engine finds nothing, no signal is in breach, and the alert resolves."""
    shop.investigator.diagnosis = records.diagnosis(None, None, hypotheses=(), onset=None)
    shop.production.ill.clear()
    shop.alert()
    shop.run()
    assert shop.incident().outcome is Outcome.NOTHING_WRONG
