"""What happens between a yes and its effect: crashes, cancelling, time, and other people's pushes."""

from __future__ import annotations

import pytest

from agent.errors import Unreachable
from agent.model.delivery import Deployment
from agent.model.incident import Outcome, Phase
from agent.model.repair import Proposal
from fakes.shop import BAD
from fakes.steps import Killed

PUSHED = "c" * 40
DAYS = 3 * 24 * 3600


def killed(asked, moments, name):
    """Answer yes, and run until the process dies at that moment."""
    asked.answer(yes=True)
    moments.add(f"{name}-{asked.incident().id}-1")
    with pytest.raises(Killed):
        asked.run()


def test_drafts_of_former_attempts_are_closed(asked):
    """An attempt that was overtaken leaves no draft behind."""
    asked.answer(yes=True)
    asked.forge.history.append(PUSHED)
    asked.run()
    asked.answer(yes=True)
    asked.run()
    assert asked.incident().outcome is Outcome.FIXED
    assert asked.pull_request(1).state == "closed"


def test_cancelling_after_the_merge_does_not_abandon_the_delivery(asked):
    """What has left the agent is watched to its end."""
    killed(asked, asked.memory.kill_after, "made deploy")
    with asked.store.begin() as tx:  # what App.cancel does while the phase is under way
        tx.save(asked.incident().model_copy(update={"cancel_requested": True}))
    asked.run()
    assert asked.incident().outcome is Outcome.FIXED


def test_cancelling_before_the_merge_delivers_nothing(asked):
    """A yes that has not been carried out yet can be taken back."""
    killed(asked, asked.memory.kill_before, "merge")
    with asked.store.begin() as tx:
        tx.save(asked.incident().model_copy(update={"cancel_requested": True}))
    asked.run()
    assert asked.incident().outcome is Outcome.CANCELLED
    assert asked.forge.merges == 0


def test_a_yes_beyond_its_time_merges_nothing(asked):
    """An emergency stop that lasts longer than a yes is good for ends it."""
    asked.answer(yes=True)
    asked.stopped = True
    asked.run()
    asked.clock.move(DAYS)
    asked.resume()
    asked.run()
    assert asked.forge.merges == 0
    assert asked.incident().outcome is Outcome.REJECTED


def test_a_spent_yes_is_checked_again_after_a_crash(asked):
    """Somebody pushed between the crash and the restart: that was not approved."""
    killed(asked, asked.memory.kill_before, "merge")
    asked.forge.history.append(PUSHED)
    asked.run()
    assert asked.forge.merges == 0


def test_the_former_release_is_known_on_a_second_turn(asked):
    """The release to go back to is the one before the deploy, not what runs when the phase is run again."""
    killed(asked, asked.memory.kill_after, "made deploy")
    with asked.store.begin() as tx:  # what the runner does after a transient failure: another turn
        incident = tx.incident(asked.incident().id)
        tx.save(incident.model_copy(update={"turn": incident.turn + 1}))
    asked.run(until=Phase.VERIFY)
    assert asked.store.document(asked.incident().id, "deployment", Deployment).previous == BAD


def test_a_push_between_the_last_look_and_the_merge_is_not_shipped(asked):
    """What nobody approved is not merged with it: the next attempt is proven on the new main and asked for anew."""
    merge = asked.forge.merge

    def overtaken(name, head, main):
        asked.forge.merge = merge
        asked.forge.history.append(PUSHED)
        return merge(name, head, main)

    asked.forge.merge = overtaken
    asked.answer(yes=True)
    now = asked.run()
    assert (asked.forge.merges, now.attempt, now.waiting) == (0, 2, "approval")


def test_a_main_that_never_rests_is_handed_to_people(asked):
    """The agent does not ask for ever."""
    for n in range(5):
        asked.forge.history.append(f"{n}" * 40)
        asked.answer(yes=True)
        asked.run()
    assert asked.incident().outcome is Outcome.ESCALATED
    assert "in 5 attempts" in asked.incident().reason
    assert asked.forge.merges == 0


def test_cancelling_just_before_the_yes_is_spent_delivers_nothing(asked):
    """The last look and the spending of the yes are one transaction."""
    decide = asked.policy.decide

    def cancelled(action, incident, subject, proposal):
        with asked.store.begin() as tx:
            tx.save(tx.incident(incident.id).model_copy(update={"cancel_requested": True}))
        return decide(action, incident, subject, proposal)

    asked.answer(yes=True)
    asked.policy.decide = cancelled
    asked.run()
    assert asked.incident().outcome is Outcome.CANCELLED
    assert asked.forge.merges == 0


def test_a_stop_between_merge_and_deploy_holds_the_deploy(asked):
    """Lifted, the same delivery goes on."""
    merge = asked.forge.merge

    def stopped(name, head, main):
        asked.stopped = True
        return merge(name, head, main)

    asked.forge.merge = stopped
    asked.answer(yes=True)
    held = asked.run()
    assert (held.waiting, asked.forge.merges, asked.deployer.finished) == ("operator", 1, [])
    asked.resume()
    asked.run()
    assert asked.incident().outcome is Outcome.FIXED
    assert asked.forge.merges == 1


def test_a_stop_that_is_lifted_while_it_is_written_down_holds_nothing(asked):
    """Nobody would come back to lift it once more."""
    asked.answer(yes=True)
    decide, asked.stopped = asked.policy.decide, True

    def lifted(*args):
        decision = decide(*args)
        asked.stopped = False
        return decision

    asked.policy.decide = lifted
    asked.run()
    assert asked.incident().outcome is Outcome.FIXED


def test_what_policy_allowed_is_asked_when_safety_mode_came_on_meanwhile(shop):
    """A person answers for what nobody granted any more."""
    shop.allow_everything()
    shop.alert()
    shop.run(until=Phase.DELIVER)
    shop.safety = True
    assert shop.run().waiting == "approval"
    assert shop.forge.merges == 0
    shop.answer(yes=True)
    shop.run()
    assert shop.incident().outcome is Outcome.FIXED


def test_a_patch_that_was_refused_is_asked_for_with_what_was_said(asked):
    """The next incident proposes the same: nobody is asked as if it were new."""
    asked.answer(yes=False, comment="we want these prices")
    asked.run()
    asked.clock.move(60)
    asked.alert()
    asked.run()
    asked_for = [e.message for e in asked.store.entries(limit=1000) if e.kind == "policy.decided"][-1]
    assert "ines refused this same patch on 2026-11-02" in asked_for
    assert "we want these prices" in asked_for


def test_a_delivery_that_waited_does_not_put_an_old_release_over_a_newer_one(asked):
    """Merged, the supervisor away; meanwhile somebody deployed what holds the merge and more."""
    deploy = asked.deployer.deploy
    asked.deployer.deploy = lambda *_, **__: (_ for _ in ()).throw(Unreachable("the supervisor is away"))
    asked.answer(yes=True)
    assert asked.run().waiting == "operator"
    asked.deployer.deploy = deploy
    asked.forge.history.append(PUSHED)
    asked.deployer.current = PUSHED
    asked.resume()
    asked.run()
    assert asked.incident().outcome is Outcome.ESCALATED
    assert "holds it already" in asked.incident().reason
    assert (asked.deployer.current, asked.deployer.finished) == (PUSHED, [])


def test_what_is_asked_for_is_what_its_pull_request_holds(shop):
    """Stopped between pull request and question, with a push meanwhile: the open draft is not asked for under a new patch."""
    set_check = shop.forge.set_check

    def stopped(name, check):
        shop.stopped = True
        return set_check(name, check)

    shop.forge.set_check = stopped
    shop.alert()
    assert shop.run().waiting == "operator"
    before = shop.store.document(shop.incident().id, "proposal", Proposal)
    shop.forge.set_check = set_check
    shop.forge.history.append(PUSHED)
    shop.resume()
    assert shop.run().waiting == "approval"
    assert shop.store.document(shop.incident().id, "proposal", Proposal) == before


def test_a_roll_back_that_is_held_is_not_forgotten(asked):
    """The signal may be quiet by the time the stop is lifted, because nobody asks the service any more."""
    asked.answer(yes=True)
    asked.run(until=Phase.VERIFY)
    asked.production.ill.add(asked.deployer.current)
    asked.stopped = True
    assert asked.run().waiting == "operator"
    asked.production.ill.clear()
    asked.clock.move(DAYS)
    asked.resume()
    asked.run()
    assert [done.kind for done in asked.deployer.finished] == ["deploy", "rollback"]
    assert asked.incident().outcome is Outcome.ESCALATED
