"""What follows from a person's answer, on a real store."""

from __future__ import annotations

import pytest

from agent.model.incident import Outcome, Phase
from agent.policy.desk import Desk
from agent.store.audit import Chain
from agent.store.store import Store
from fakes.clock import FakeClock
from web.stories import closed_incident, waiting_incident


@pytest.fixture
def store(tmp_path):
    made = Store(f"sqlite:///{tmp_path / 'agent.db'}", FakeClock(), Chain(b"key"))
    yield made
    made.close()


@pytest.mark.parametrize("resolved", [True, False])
def test_another_attempt_begins_with_what_holds_now(store, resolved):
    """The reason of the attempt that ended is not the reason of this one; its alerts are counted anew."""
    ended = closed_incident(store)
    with store.begin() as tx:
        tx.save(ended.model_copy(update={"all_resolved": not resolved, "outcome": Outcome.ESCALATED}))
        tx.save_episodes([each.model_copy(update={"resolved": resolved}) for each in store.episodes(ended.id)])
    again = Desk(store, FakeClock()).retry(ended.id, by="ines", comment="")
    assert (again.phase, again.attempt, again.outcome, again.reason) == (Phase.INVESTIGATE, 2, None, "")
    assert again.all_resolved is resolved


def test_a_delivery_that_goes_on_is_no_longer_held_for_its_old_reason(store):
    """Why it stopped is in the trail."""
    asked = waiting_incident(store)
    with store.begin() as tx:
        stopped = {"waiting": "operator", "reason": "deliver failed: the supervisor is down"}
        tx.save(tx.incident(asked.incident_id).model_copy(update=stopped))
    onward = Desk(store, FakeClock()).retry(asked.incident_id, by="ines", comment="")
    assert (onward.phase, onward.waiting, onward.reason) == (Phase.DELIVER, None, "")
