"""What the circuit breaker sees of the past: every delivery that was begun, and whether it helped."""

from __future__ import annotations

import pytest

from agent.model.incident import Outcome, Phase
from agent.model.plan import Abilities
from agent.policy.breaker import CircuitBreaker, past_actions
from fakes import records
from fakes.shop import BAD, Shop
from fakes.steps import Killed


class Everything:
    """Holds whatever is asked for."""

    def __contains__(self, item):
        return True


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path)
    yield shop
    shop.store.close()


def helped(shop):
    return [action.helped for action in past_actions(shop.store, "shop")]


def attempt(shop):
    """One attempt with a person's yes, to its end."""
    assert shop.run().waiting == "approval"
    shop.answer(yes=True)
    return shop.run().outcome


def fail_again_and_again(shop, times):
    """One incident, so many attempts; nobody's fix helps."""
    shop.alert()
    for number in range(times):
        if number:
            shop.deployer.current = BAD
            shop.retry()
        assert attempt(shop) is Outcome.ESCALATED


@pytest.mark.parametrize("what", ["rolled-back", "deploy-failed"])
def test_every_attempt_of_one_incident_counts(shop, what):
    """Whether the fix did not help and was rolled back, or its release did not even come up."""
    if what == "rolled-back":
        shop.production.ill = Everything()
    else:
        shop.deployer.broken = Everything()
    fail_again_and_again(shop, 3)
    assert helped(shop) == [False, False, False]
    assert (
        "3 actions on this target did not help"
        in CircuitBreaker().reasons(past_actions(shop.store, "shop"), shop.clock.now())[0]
    )


def test_what_helped_is_told_from_what_did_not(shop):
    """The last attempt's outcome is the incident's; one that was followed by another did not help."""
    shop.production.ill = Everything()
    fail_again_and_again(shop, 1)
    shop.production.ill = {BAD}
    shop.deployer.current = BAD
    shop.retry()
    assert attempt(shop) is Outcome.FIXED
    assert helped(shop) == [False, True]


def test_what_was_not_carried_out_does_not_count(shop):
    """Asked, refused, or still under way: nothing was done yet."""
    shop.alert()
    assert shop.run().waiting == "approval"
    assert helped(shop) == []
    shop.answer(yes=False)
    assert shop.run().outcome is Outcome.REJECTED
    assert helped(shop) == []


def test_a_delivery_under_way_does_not_hold_itself_up(shop):
    """Killed after the merge, its approval is spent: taken up again it is no past action, but one once it is watched."""
    shop.alert()
    shop.run()
    shop.answer(yes=True)
    shop.memory.kill_after.add(f"made merge-{shop.incident().id}-1")
    with pytest.raises(Killed):
        shop.run()
    assert shop.approvals()[-1].state == "used"
    assert helped(shop) == []
    assert shop.run(until=Phase.VERIFY).phase is Phase.VERIFY
    assert helped(shop) == [None]


def test_a_quarantine_is_no_attempt_to_end_the_incident(shop):
    """It is not counted, whatever became of the incident."""
    made = records.capsule(BAD, signature=None, expected=({"status": 200, "body": {}},))
    shop.investigator.diagnosis = records.diagnosis(BAD, made)
    shop.remedies.can = Abilities(actions=frozenset({"quarantine"}))
    shop.alert()
    shop.run()
    shop.answer(yes=True)
    shop.run()
    shop.answer(yes=False)
    assert shop.run().outcome is Outcome.REJECTED
    assert helped(shop) == []


def test_a_restart_under_way_does_not_hold_itself_up(shop):
    """Killed in the midst of it: taken up again it is no past action, but one once it is watched."""
    guess = records.diagnosis(None, None).hypotheses[0].model_copy(update={"cause": "infrastructure"})
    shop.investigator.diagnosis = records.diagnosis(None, None, hypotheses=(guess,))
    shop.remedies.can = Abilities(restarts=True)
    shop.alert()
    shop.run()
    shop.answer(yes=True)
    shop.memory.kill_after.add(f"made mitigate-restart-{shop.incident().id}-1")
    with pytest.raises(Killed):
        shop.run()
    assert helped(shop) == []
    assert shop.run(until=Phase.VERIFY).phase is Phase.VERIFY
    assert helped(shop) == [None]
