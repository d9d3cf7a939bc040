"""Harm is stopped before, or instead of, a change of code."""

from __future__ import annotations

import pytest

from agent.errors import Misconfigured, Superseded
from agent.model.experiment import Experiment, Run, Verdict
from agent.model.incident import Outcome, Phase
from agent.model.plan import Abilities, Mitigation, Plan
from agent.model.repair import Proposal
from fakes import records
from fakes.shop import BAD, GOOD
from fakes.steps import Killed

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


def resolve(shop):
    """Whoever raised the alerts resolves all of them."""
    done = {"status": "resolved", "ends_at": shop.clock.now()}
    open_ones = [each.alert for each in shop.store.episodes(shop.incident().id) if not each.resolved]
    shop.intake.accept(tuple(alert.model_copy(update=done) for alert in open_ones), source="test")


def told(shop, kind):
    return [entry.message for entry in shop.store.entries(limit=1000) if entry.kind == kind]


def test_a_stop_during_the_deploy_holds_the_lifting_too(wrong):
    """Nothing is called on the target before a person resumes; then it is, decided on record, and watched."""
    wrong.answer(yes=True)
    wrong.run()
    wrong.answer(yes=True)
    deploy = wrong.deployer.deploy

    def stopping(*args, **options):
        wrong.stopped = True
        return deploy(*args, **options)

    wrong.deployer.deploy = stopping
    wrong.run()
    assert (wrong.incident().waiting, wrong.remedies.calls) == ("operator", ["quarantine"])
    wrong.deployer.deploy = deploy
    wrong.resume()
    wrong.run()
    assert (wrong.incident().outcome, wrong.remedies.calls) == (Outcome.FIXED, ["quarantine", "lift"])
    assert any("allow undo" in message for message in told(wrong, "policy.decided"))


def test_a_quarantine_of_a_former_attempt_is_lifted_with_the_fix(wrong):
    """Main moved, and in the next attempt nobody wanted another one."""
    wrong.answer(yes=True)
    wrong.run()
    wrong.answer(yes=True)
    wrong.deployer.current = GOOD  # somebody went back: what was approved is not what would be shipped
    wrong.run()
    assert wrong.incident().attempt == 2
    wrong.answer(yes=False)
    wrong.run()
    wrong.answer(yes=True)
    wrong.run()
    assert wrong.remedies.calls == ["quarantine", "lift"]


def test_what_stays_in_force_is_told_at_the_end(wrong):
    """A person cancels after the quarantine: nobody has to guess that values are still marked."""
    wrong.answer(yes=True)
    wrong.run()
    wrong.cancel()
    wrong.run()
    assert wrong.incident().outcome is Outcome.CANCELLED
    assert "quarantine done" in wrong.incident().reason
    assert "stays in force until" in wrong.incident().reason
    assert "stays in force until" in wrong.notifier.told[-1][1]


def test_a_quarantine_that_fails_keeps_no_repair_from_being_prepared(wrong):
    """The target refuses: said on the trail, and on to the patch."""
    wrong.remedies.broken.add("quarantine")
    wrong.answer(yes=True)
    wrong.run()
    assert ("merge_and_deploy", "pending") in kinds_of(wrong)
    assert "quarantine was refused" in told(wrong, "mitigation.left_out")[0]


def test_a_target_that_nobody_can_deploy_is_quarantined_all_the_same(shop):
    """Which release runs is not known: what is asked is bound to that."""
    shop.investigator.diagnosis = records.diagnosis(BAD, records.capsule(BAD, **STRONG_CAPSULE))
    shop.remedies.can = Abilities(actions=frozenset({"quarantine"}))

    def running(target):
        raise Misconfigured(f"{target.name} is not under a supervisor")

    shop.deployer.running = running
    shop.alert()
    shop.run()
    shop.answer(yes=True)
    shop.run()
    assert (shop.remedies.calls, shop.pull_request().state) == (["quarantine"], "draft")


def test_a_spent_yes_whose_effect_never_came_is_not_good_for_another_release(bad_release):
    """The process died before the roll back; meanwhile somebody deployed."""
    bad_release.answer(yes=True)
    bad_release.memory.kill_before.add(f"mitigate-rollback-{bad_release.incident().id}-1")
    with pytest.raises(Killed):
        bad_release.run()
    assert kinds_of(bad_release) == {("rollback", "used")}
    bad_release.deployer.current = "c" * 40
    bad_release.run()
    assert (bad_release.incident().attempt, bad_release.deployer.finished) == (2, [])


def test_a_roll_back_that_was_cut_short_is_brought_to_its_end(bad_release):
    """It is done, and nobody has written that down: it is looked up, not done again."""
    bad_release.answer(yes=True)
    bad_release.memory.kill_after.add(f"made mitigate-rollback-{bad_release.incident().id}-1")
    with pytest.raises(Killed):
        bad_release.run()
    bad_release.run()
    assert (bad_release.incident().outcome, bad_release.deployer.restarts) == (Outcome.MITIGATED, 1)


def test_training_that_may_have_happened_is_not_asked_for_again(shop):
    """A person is told; the next attempt asks anew."""
    shop.investigator.diagnosis = blamed("model")
    shop.remedies.can = Abilities(actions=frozenset({"retrain", "promote"}))
    shop.alert(alertname="ModelWorseThanNaive", signal="mae_ratio")
    shop.run()
    shop.answer(yes=True)
    shop.memory.kill_after.add(f"made mitigate-retrain-{shop.incident().id}-1")
    with pytest.raises(Killed):
        shop.run()
    shop.run()
    assert (shop.incident().outcome, shop.remedies.calls) == (Outcome.ESCALATED, ["retrain"])
    assert "may or may not" in shop.incident().reason


def test_a_yes_that_comes_in_the_last_moment_is_not_overwritten(wrong):
    """It was read as open, and answered before the late answer was written down."""
    wrong.clock.move(61)
    unanswered = wrong.workflow._unanswered

    def late(*args):
        wrong.answer(yes=True)
        unanswered(*args)

    wrong.workflow._unanswered = late
    with pytest.raises(Superseded):
        wrong.phase(wrong.incident())
    assert kinds_of(wrong) == {("quarantine", "approved")}


def test_a_no_to_a_quarantine_is_no_word_about_the_patch(wrong):
    """The same patch is asked for again without saying that somebody refused it."""
    wrong.answer(yes=False)
    wrong.run()
    wrong.clock.move(24 * 3600)  # nobody answers about the patch
    wrong.phase(wrong.incident())
    wrong.run()
    wrong.retry()
    wrong.run()
    wrong.answer(yes=False)
    wrong.run()
    assert [a.action for a in wrong.approvals() if (a.attempt, a.state) == (2, "pending")] == ["merge_and_deploy"]
    assert not any("refused this same patch" in message for message in told(wrong, "policy.decided"))


def test_what_recovers_while_a_person_is_asked_is_closed_and_left_alone(stopped):
    """The question counts as answered with no, and the phase is woken for it."""
    resolve(stopped)
    assert stopped.incident().waiting is None
    stopped.run()
    assert (stopped.incident().outcome, stopped.deployer.finished) == (Outcome.RECOVERED, [])
    assert kinds_of(stopped) == {("restart", "expired")}


def test_a_cancel_is_heard_while_the_next_step_is_asked_for(shop):
    """The candidate is trained; its promotion is not wanted any more."""
    shop.investigator.diagnosis = blamed("model")
    shop.remedies.can = Abilities(actions=frozenset({"retrain", "promote"}))
    shop.alert(alertname="ModelWorseThanNaive", signal="mae_ratio")
    shop.run()
    shop.answer(yes=True)
    shop.run()
    shop.cancel()
    shop.run()
    assert (shop.incident().outcome, shop.remedies.calls) == (Outcome.CANCELLED, ["retrain"])
    assert "retrain done" in shop.incident().reason


@pytest.mark.parametrize("first", [True, False])
def test_wrong_values_are_quarantined_before_a_roll_back_too(shop, first):
    """Each is asked for by itself; after the roll back they are served as good again."""
    shop.investigator.diagnosis = blamed("code", 0.4, experiments=(compared(Verdict.RED, Verdict.GREEN),))
    shop.remedies.can = Abilities(restarts=True, actions=frozenset({"quarantine"}))
    shop.alert(alertname="ModelWorseThanNaive", signal="mae_ratio")
    shop.run()
    assert kinds_of(shop) == {("quarantine", "pending")}
    shop.answer(yes=first)
    shop.run()
    assert ("rollback", "pending") in kinds_of(shop)
    shop.answer(yes=True)
    shop.run(until=Phase.VERIFY)
    assert shop.deployer.current == GOOD
    assert shop.remedies.calls == (["quarantine", "lift"] if first else [])


def test_a_no_after_the_quarantine_leaves_it_watched(shop):
    """Something was done already: whether that is enough production says."""
    shop.investigator.diagnosis = blamed("code", 0.4, experiments=(compared(Verdict.RED, Verdict.GREEN),))
    shop.remedies.can = Abilities(restarts=True, actions=frozenset({"quarantine"}))
    shop.alert(alertname="ModelWorseThanNaive", signal="mae_ratio")
    shop.run()
    shop.answer(yes=True)
    shop.run()
    shop.answer(yes=False)
    shop.run(until=Phase.VERIFY)
    assert (shop.incident().phase, shop.deployer.finished) == (Phase.VERIFY, [])


def test_silence_after_a_roll_back_takes_nothing_back(bad_release):
    """Without traffic nobody knows whether it helped."""
    bad_release.production.rate = 0.0
    bad_release.answer(yes=True)
    bad_release.run()
    assert (bad_release.deployer.current, bad_release.incident().outcome) == (GOOD, Outcome.INCONCLUSIVE)


def test_taking_a_roll_back_back_is_decided_on_record(bad_release):
    bad_release.production.ill.add(GOOD)
    bad_release.answer(yes=True)
    bad_release.run()
    assert any("allow undo" in message for message in told(bad_release, "policy.decided"))
