"""No table grows for ever but the trail."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.model.alert import Alert, Episode
from agent.model.diagnosis import Diagnosis
from agent.model.evidence import Change
from agent.model.incident import Incident, Outcome, Phase
from agent.store import store as module
from agent.store.audit import Chain
from agent.store.store import Store
from fakes import records
from fakes.clock import NOON, FakeClock


@pytest.fixture
def store(tmp_path):
    """A store with small bounds."""
    opened = Store(f"sqlite:///{tmp_path}/agent.db", FakeClock(), Chain(b"key"))
    yield opened
    opened.close()


def incident(number, phase=Phase.CLOSED):
    """One of many."""
    return Incident(
        id=f"inc-{number}",
        target=f"shop-{number}",
        component="api",
        signal="error_ratio",
        title="t",
        phase=phase,
        outcome=Outcome.FIXED,
        opened_at=NOON + timedelta(seconds=number),
    )


def test_old_closed_incidents_go_with_all_that_belongs_to_them(store, monkeypatch):
    """Active ones stay however old they are; the trail keeps every entry."""
    monkeypatch.setattr(module, "MOST_CLOSED", 3)
    with store.begin() as tx:
        tx.save(incident(0, Phase.DELIVER))
        for number in range(1, 6):
            tx.save(incident(number, Phase.CONCLUDE))
            tx.put(incident(number), "diagnosis", records.diagnosis("a" * 40, records.capsule("a" * 40)))
            tx.append("note", "kept", incident_id=f"inc-{number}")
            tx.save(incident(number))
    assert [each.id for each in store.incidents()] == ["inc-5", "inc-4", "inc-3", "inc-0"]
    kept = [n for n in range(1, 6) if store.document(f"inc-{n}", "diagnosis", Diagnosis)]
    assert kept == [3, 4, 5]
    assert len(store.entries()) == 5


def test_reported_changes_are_bounded_and_masked(store, monkeypatch):
    """The newest ones stay, without secrets and with a diff of a bearable length."""
    monkeypatch.setattr(module, "MOST_CHANGES", 2)
    with store.begin() as tx:
        for number in range(4):
            moment = NOON + timedelta(seconds=number)
            said = {
                "kind": "flag",
                "timestamp": moment,
                "component": "api",
                "author": "ci",
                "title": "password=hunter22",
            }
            tx.put_change(Change(id=f"c{number}", diff="x" * 500_000, **said))
    assert [change.id for change in store.changes()] == ["c3", "c2"]
    assert all("hunter22" not in change.title and len(change.diff) < 100_000 for change in store.changes())


def test_a_storm_of_resolved_alerts_is_bounded(store, monkeypatch):
    """What was over before anybody saw it fire is no incident, and is not kept for ever."""
    monkeypatch.setattr(module, "MOST_STRAYS", 2)
    for number in range(5):
        moment = NOON + timedelta(seconds=number)
        given = {"status": "resolved", "labels": {}, "annotations": {}, "starts_at": moment, "ends_at": moment}
        alert = Alert(**given, generator_url="", fingerprint="f" * 16)
        with store.begin() as tx:
            tx.save_episodes(
                [
                    Episode(
                        fingerprint=alert.fingerprint,
                        starts_at=moment,
                        target="shop",
                        component="api",
                        signal="down",
                        alert=alert,
                        resolved=True,
                        ends_at=moment,
                    )
                ]
            )
            tx.put_delivery("{}", "test")
    assert len(store.all_episodes()) <= 3
