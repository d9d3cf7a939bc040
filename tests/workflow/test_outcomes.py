"""The life of an incident, to each of its ends."""

from __future__ import annotations

import pytest

from agent.errors import Misconfigured, Unreachable, Unsafe
from agent.model.delivery import Verification
from agent.model.experiment import Verdict
from agent.model.incident import Outcome, Phase
from agent.model.policy import Autonomy
from agent.model.repair import Proposal
from fakes import records
from fakes.shop import BAD


def ended(shop):
    """How it ended, and the one message that people got."""
    incident = shop.incident()
    assert incident.phase is Phase.CLOSED
    assert incident.closed_at == shop.clock.now()
    assert [subject for subject, _ in shop.notifier.told] == [f"{incident.title}: {incident.outcome}"]
    assert shop.store.verify_audit().ok
    return incident.outcome


def test_a_fix_that_production_confirms_is_fixed(asked):
    """Approved, merged once, deployed once, quiet for the window, red on the old release and green on the new."""
    asked.answer(yes=True)
    asked.run()
    assert ended(asked) is Outcome.FIXED
    assert asked.forge.merges == 1
    assert asked.deployer.current == asked.pull_request().merge_commit
    assert [done.kind for done in asked.deployer.finished] == ["deploy"]
    kept = asked.store.document(asked.incident().id, "verification", Verification)
    assert (kept.old_release.verdict, kept.new_release.verdict) == (Verdict.RED, Verdict.GREEN)
    assert [approval.state for approval in asked.approvals()] == ["used"]


def test_the_trail_tells_the_story_in_order(asked):
    """Every decision and effect stands in the trail, each after what it rests on."""
    asked.answer(yes=True)
    asked.run()
    story = ["alert.received", "incident.opened", "evidence.collected", "diagnosis.made", "proof.stored"]
    story += ["pull_request.opened", "approval.requested", "delivered", "verification.finished"]
    kinds = asked.kinds()
    assert list(dict.fromkeys(kind for kind in kinds if kind in story)) == story
    assert kinds[-1] == "incident.closed"


def test_nothing_is_merged_before_a_person_says_yes(asked):
    """A draft with the proof as its check, and what runs goes on."""
    draft = asked.pull_request()
    assert (draft.state, [check.name for check in draft.checks]) == ("draft", ["proof"])
    assert asked.forge.merges == 0
    assert asked.deployer.current == BAD
    assert asked.run().waiting == "approval"


def test_what_is_granted_needs_nobody(shop):
    """Without safety mode, granted and strongly proven, it goes through by itself; the trail says who allowed it."""
    shop.allow_everything()
    shop.alert()
    shop.run()
    assert ended(shop) is Outcome.FIXED
    assert [(approval.by, approval.state) for approval in shop.approvals()] == [("policy", "used")]


def test_a_fault_that_went_away_by_itself_is_recovered(asked):
    """The capsule is green on the old release too, so it was not the fix."""
    asked.reproducer.verdicts[BAD] = Verdict.GREEN
    asked.answer(yes=True)
    asked.run()
    assert ended(asked) is Outcome.RECOVERED


def test_a_deploy_that_does_not_help_is_rolled_back(asked):
    """The signal stays in breach: the former release runs again, and people are told why."""
    asked.answer(yes=True)
    asked.run(until=Phase.VERIFY)
    asked.production.ill.add(asked.deployer.current)
    asked.run()
    assert ended(asked) is Outcome.ESCALATED
    assert asked.deployer.current == BAD
    assert [done.kind for done in asked.deployer.finished] == ["deploy", "rollback"]
    assert "rolled back to bbbbbbbbbb" in asked.incident().reason


def test_a_capsule_that_is_red_on_the_new_release_is_rolled_back(asked):
    """Production seems quiet, but the recorded fault is still there."""
    asked.answer(yes=True)
    asked.run(until=Phase.VERIFY)
    asked.reproducer.verdicts[asked.deployer.current] = Verdict.RED
    asked.run()
    assert ended(asked) is Outcome.ESCALATED
    assert asked.deployer.current == BAD


def test_a_capsule_that_cannot_be_run_leaves_the_question_open(asked):
    """Untestable is neither red nor green: what was deployed stays, nobody claims a fix."""
    asked.reproducer.verdicts[BAD] = Verdict.UNTESTABLE
    asked.answer(yes=True)
    asked.run()
    assert ended(asked) is Outcome.INCONCLUSIVE
    assert asked.deployer.current == asked.pull_request().merge_commit


def test_silence_is_inconclusive(asked):
    """No traffic, no verdict: not fixed, and not rolled back either."""
    asked.production.rate = 0.0
    asked.answer(yes=True)
    asked.run()
    assert ended(asked) is Outcome.INCONCLUSIVE
    assert "of at least" in asked.incident().reason
    assert [done.kind for done in asked.deployer.finished] == ["deploy"]


def test_a_no_is_rejected(asked):
    """The pull request is closed with the reason, nothing was merged."""
    asked.answer(yes=False, comment="not before the release")
    asked.run()
    assert ended(asked) is Outcome.REJECTED
    assert asked.incident().reason == "ines said no: not before the release"
    assert (asked.pull_request().state, asked.forge.merges, asked.deployer.finished) == ("closed", 0, [])


def test_no_answer_in_time_means_no(asked):
    """A day later it counts as a no, the approval is marked, and cannot be used any more."""
    wake = asked.incident().wake_at
    assert (wake - asked.clock.now()).total_seconds() == 24 * 3600
    asked.clock.move(24 * 3600)
    assert [due.id for due in asked.store.due(asked.clock.now())] == [asked.incident().id]
    asked.phase(asked.incident())
    asked.run()
    assert ended(asked) is Outcome.REJECTED
    assert [approval.state for approval in asked.approvals()] == ["expired"]
    assert (asked.pull_request().state, asked.forge.merges) == ("closed", 0)


def test_waking_early_goes_on_waiting(asked):
    """A wake-up before the time is up changes nothing but the turn."""
    before = asked.incident()
    asked.phase(before)
    after = asked.incident()
    assert (after.waiting, after.wake_at, after.turn) == ("approval", before.wake_at, before.turn + 1)


def test_a_stop_before_the_question_holds_the_incident(shop):
    """Nothing is written while it is on; lifted, the incident goes on where it stood."""
    shop.stopped = True
    shop.alert()
    assert shop.run().waiting == "operator"
    assert shop.pull_request() is None
    shop.resume()
    assert shop.run().waiting == "approval"


@pytest.mark.parametrize(("level", "drafted"), [(Autonomy.DIAGNOSE, False), (Autonomy.PROPOSE, True)])
def test_the_ladder_ends_where_policy_says(shop, level, drafted):
    """Diagnose writes no patch; propose leaves a proven draft to people, and nobody is asked to deploy it."""
    shop.autonomy = level
    shop.set_policy()
    shop.alert()
    shop.run()
    assert ended(shop) is Outcome.ESCALATED
    assert f"autonomy is set to {level.name.lower()}" in shop.incident().reason
    assert shop.approvals() == ()
    assert (shop.pull_request() is not None and shop.pull_request().state != "closed") is drafted


def test_a_target_without_a_deployer_gets_a_proposal(shop):
    """The proven patch is there for people, who deploy by themselves."""
    shop.deployer.running = lambda _target: (_ for _ in ()).throw(Misconfigured("no supervisor is set"))
    shop.alert()
    shop.run()
    assert ended(shop) is Outcome.ESCALATED
    assert "holds a proven patch" in shop.incident().reason
    assert shop.pull_request().state != "closed"


def test_cancelling_while_a_patch_is_made_asks_nobody(shop):
    """What a person takes back during the repair does not wait a day for an answer."""
    shop.alert()
    shop.run(until=Phase.REPAIR)
    shop.repairer.during = shop.cancel
    shop.run()
    assert ended(shop) is Outcome.CANCELLED
    assert shop.approvals() == ()


def test_every_decision_is_on_record(asked):
    """Before the repair, the draft, the question, the merge, and the undoing, with what policy said."""
    asked.answer(yes=True)
    asked.run(until=Phase.VERIFY)
    asked.production.ill.add(asked.deployer.current)
    asked.run()
    entries = [e.data for e in asked.store.entries(limit=1000) if e.kind == "policy.decided"]
    assert [(data["action"], data["verdict"]) for data in entries] == [
        ("repair", "allow"),
        ("draft", "allow"),
        ("merge_and_deploy", "needs_approval"),
        ("merge_and_deploy", "needs_approval"),
        ("undo", "allow"),
    ]


def test_a_stop_after_the_yes_holds_the_delivery(asked):
    """Nothing is merged while it is on; lifted, the same yes goes through."""
    asked.answer(yes=True)
    asked.stopped = True
    assert asked.run().waiting == "operator"
    assert (asked.forge.merges, asked.deployer.finished) == (0, [])
    asked.resume()
    asked.run()
    assert ended(asked) is Outcome.FIXED


def test_a_stop_holds_the_roll_back_too(asked):
    """The emergency stop beats everything; a person is asked to look."""
    asked.answer(yes=True)
    asked.run(until=Phase.VERIFY)
    asked.production.ill.add(asked.deployer.current)
    asked.stopped = True
    parked = asked.run()
    assert (parked.waiting, parked.phase) == ("operator", Phase.VERIFY)
    assert [done.kind for done in asked.deployer.finished] == ["deploy"]


def test_without_a_culprit_people_get_the_dossier(shop):
    """No experiment carries a cause: no patch is tried."""
    shop.investigator.diagnosis = records.diagnosis(None, None)
    shop.alert()
    shop.run()
    assert ended(shop) is Outcome.ESCALATED
    assert "not confirmed by an experiment" in shop.incident().reason
    assert shop.forge.pull_requests == {}


def test_a_culprit_without_a_capsule_is_not_repaired(shop):
    """Nothing could be proven without a reproduction."""
    shop.investigator.diagnosis = records.diagnosis(BAD, None)
    shop.alert()
    shop.run()
    assert ended(shop) is Outcome.ESCALATED


def test_alerts_that_resolved_and_no_culprit_are_recovered(shop):
    """It went away while it was looked into."""
    shop.investigator.diagnosis = records.diagnosis(None, None)
    shop.alert()
    collect = shop.collector.collect

    def collect_and_resolve(*args):
        shop.alert("resolved")
        return collect(*args)

    shop.collector.collect = collect_and_resolve
    shop.run()
    assert ended(shop) is Outcome.RECOVERED


def test_alerts_that_resolve_do_not_stop_a_proven_culprit(shop):
    """A fault that comes and goes is repaired all the same: a person decides."""
    shop.alert()
    collect = shop.collector.collect

    def collect_and_resolve(*args):
        shop.alert("resolved")
        return collect(*args)

    shop.collector.collect = collect_and_resolve
    assert shop.run().waiting == "approval"


def test_alerts_that_resolve_before_the_investigation_close_the_incident(shop):
    """Nothing has begun, so nothing is left to end."""
    shop.alert()
    shop.alert("resolved")
    assert (shop.incident().phase, shop.incident().outcome) == (Phase.CLOSED, Outcome.RECOVERED)
    assert shop.investigator.asked == 0


@pytest.mark.parametrize("wanting", ["patch", "proof"])
def test_a_patch_that_cannot_be_proven_is_never_proposed(shop, wanting):
    """Without patch or proof there is no pull request; the reason goes to people."""
    ready = records.proposal(BAD)
    empty = {"patch": Proposal(patch=None, proof=None, message="the suite is worse")}
    empty["proof"] = ready.model_copy(update={"proof": None, "message": "the suite is worse"})
    shop.repairer.proposal = empty[wanting]
    shop.alert()
    shop.run()
    assert ended(shop) is Outcome.ESCALATED
    assert shop.incident().reason == "no patch could be proven: the suite is worse"
    assert shop.forge.pull_requests == {}


@pytest.mark.parametrize("phase", [Phase.INVESTIGATE, Phase.REPAIR])
def test_cancelled_before_delivery_is_cancelled(shop, phase):
    """The next phase does not begin."""
    shop.alert()
    shop.run(until=phase)
    shop.cancel()
    shop.run()
    assert ended(shop) is Outcome.CANCELLED
    assert shop.forge.pull_requests == {}


def test_cancelled_while_a_person_is_asked_closes_the_draft(asked):
    """No answer is needed any more."""
    asked.cancel()
    asked.run()
    assert ended(asked) is Outcome.CANCELLED
    assert (asked.pull_request().state, asked.forge.merges) == ("closed", 0)


def test_a_delivery_under_way_is_brought_to_its_end(asked):
    """Cancelling in the middle of the watch does not abandon what runs in production."""
    asked.answer(yes=True)
    asked.run(until=Phase.VERIFY)
    with asked.store.begin() as tx:
        tx.save(asked.incident().model_copy(update={"cancel_requested": True}))
    asked.run()
    assert ended(asked) is Outcome.FIXED


def test_an_unknown_target_waits_for_the_operator(shop):
    """Nobody's matchers fit: no evidence is gathered, a person is told what to do."""
    shop.alert(target="elsewhere")
    parked = shop.run()
    assert (parked.target, parked.waiting, parked.wake_at) == ("unassigned", "operator", None)
    assert shop.investigator.asked == 0
    assert "matcher" in shop.store.entries(incident_id=parked.id)[-1].message


def test_a_release_that_nobody_can_name_is_not_delivered_to(shop):
    """Without the running commit nothing can be said about riders."""
    shop.deployer.current = None
    shop.alert()
    shop.run()
    assert ended(shop) is Outcome.ESCALATED
    assert "does not say which commit it runs" in shop.incident().reason


def test_a_phase_that_fails_for_good_is_handed_over(shop):
    """With the reason, and where a person may look."""
    shop.alert()
    shop.workflow.fail(shop.incident(), Unsafe("no bubblewrap"))
    shop.run()
    assert ended(shop) is Outcome.ESCALATED
    assert shop.incident().reason == "investigate failed: no bubblewrap (run `mpa doctor`)"
    shop.workflow.fail(shop.incident(), Unsafe("again"))
    assert ended(shop) is Outcome.ESCALATED


def test_an_incident_whose_closing_fails_is_closed(asked):
    """It is not handed over for ever: the forge is down, the row is closed and says so."""
    asked.answer(yes=False)
    asked.run(until=Phase.CONCLUDE)
    asked.workflow.fail(asked.incident(), Unsafe("the forge is gone"))
    assert (asked.incident().phase, asked.incident().outcome) == (Phase.CLOSED, Outcome.REJECTED)
    assert "the forge is gone" in asked.store.entries(limit=1000)[-1].message


def test_the_next_incident_of_a_target_is_another_one(asked):
    """A closed incident takes no new alerts."""
    first = asked.incident().id
    asked.answer(yes=False)
    asked.run()
    asked.clock.move(60)
    assert asked.alert() != first
    assert asked.deployer.current == BAD


def test_a_fix_that_did_not_help_is_named_where_it_still_lies(asked):
    """Production is back, main is not: the next deploy would ship it, and people are told."""
    asked.answer(yes=True)
    asked.run(until=Phase.VERIFY)
    failed = asked.deployer.current
    asked.production.ill.add(failed)
    asked.run()
    assert f"main still holds it as {failed[:10]}" in asked.incident().reason


def test_a_patch_that_makes_the_capsule_red_is_undone_whatever_the_old_release_says(asked):
    """Green on the old and red on the new release is harm, not recovery."""
    asked.answer(yes=True)
    asked.run(until=Phase.VERIFY)
    asked.reproducer.verdicts = {BAD: Verdict.GREEN, asked.deployer.current: Verdict.RED}
    asked.run()
    assert ended(asked) is Outcome.ESCALATED
    assert [done.kind for done in asked.deployer.finished] == ["deploy", "rollback"]


def test_an_alert_that_comes_while_the_capsule_runs_is_watched_too(asked):
    """It is not closed as fixed with an alert firing; when that resolves, it is."""
    asked.answer(yes=True)
    asked.run(until=Phase.VERIFY)
    run_all, asked.resolves = asked.reproducer.run_all, True

    def meanwhile(*args):
        asked.reproducer.run_all = run_all
        asked.resolves = False
        asked.alert(alertname="HighLatencyP95", signal="latency_p95")
        return run_all(*args)

    asked.reproducer.run_all = meanwhile
    for _ in range(30):
        asked.run_once()
    assert asked.incident().phase is Phase.VERIFY
    asked.resolves = True
    asked.run()
    assert ended(asked) is Outcome.FIXED


def test_an_alert_that_comes_while_an_incident_ends_opens_the_next_one(asked):
    """It is neither lost nor closed unseen."""
    asked.answer(yes=False)
    first = asked.run(until=Phase.CONCLUDE).id
    asked.clock.move(1)
    assert asked.alert(alertname="HighLatencyP95", signal="latency_p95") == ""
    asked.phase(asked.incident())
    closed, following = asked.store.incident(first), asked.store.incidents(active=True)[0]
    assert (closed.outcome, closed.phase) == (Outcome.REJECTED, Phase.CLOSED)
    assert following.id != first
    assert [episode.signal for episode in asked.store.episodes(following.id)] == ["latency_p95"]


def test_a_delivery_that_fails_half_way_waits_for_the_operator(asked):
    """It is merged and not deployed: nobody may take that for the end. It goes on where it stopped."""
    deploy = asked.deployer.deploy
    asked.deployer.deploy = lambda *_, **__: (_ for _ in ()).throw(Unreachable("the supervisor is away"))
    asked.answer(yes=True)
    parked = asked.run()
    assert (parked.phase, parked.waiting, parked.outcome) == (Phase.DELIVER, "operator", None)
    assert "a person is needed" in asked.notifier.told[-1][0]
    asked.deployer.deploy = deploy
    asked.resume()
    asked.run()
    assert asked.incident().outcome is Outcome.FIXED
    assert asked.forge.merges == 1


def test_a_late_failure_does_not_touch_an_incident_that_moved_on(shop):
    """Only the phase that is current may hand it over."""
    shop.alert()
    before = shop.incident()
    shop.run(until=Phase.REPAIR)
    shop.workflow.fail(before, Unsafe("too late"))
    assert shop.incident().outcome is None
