"""What happens between a yes and its effect: crashes, cancelling, time, and other people's pushes."""

from __future__ import annotations

import pytest

from agent.model.delivery import Deployment
from agent.model.incident import Outcome, Phase
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
