"""Thousands of alerts at once: few statements, few entries, bounded work, and nothing lost unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from agent.errors import Busy
from agent.intake import intake as module
from agent.intake.intake import UNASSIGNED, AlertIntake
from agent.kit.ids import incident_id
from agent.model.alert import Alert
from agent.model.incident import Outcome, Phase
from agent.model.target import Target
from agent.store.audit import Chain
from agent.store.store import Store
from fakes.clock import FakeClock

START = datetime(2026, 11, 2, 11, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    opened = Store(f"sqlite:///{tmp_path}/agent.db", FakeClock(), Chain(b"key"))
    yield opened
    opened.close()


@pytest.fixture
def intake(store, tmp_path):
    targets = {"shop": Target(name="shop", url="http://127.0.0.1:1", repository=tmp_path)}
    return AlertIntake(store, targets, store._clock, incident_id)


@pytest.fixture
def statements(store):
    """Every statement that the database is sent, as it is sent."""
    seen = []
    event.listen(store._engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    return seen


def alerts(numbers, *, status="firing", target="shop", name="HighErrorRatio"):
    """One alert a number, each an episode of its own."""
    return tuple(
        Alert(
            status=status,
            labels={"alertname": name, "target": target, "n": str(number)},
            annotations={},
            starts_at=START + timedelta(seconds=number),
            ends_at=None if status == "firing" else START + timedelta(hours=1),
            generator_url="",
            fingerprint=f"{number:016x}",
        )
        for number in numbers
    )


def test_a_storm_costs_few_statements(store, intake, statements):
    """Two thousand alerts fire, are repeated, and resolve: fewer than one statement for ten alerts, each time."""
    for status in ("firing", "firing", "resolved"):
        statements.clear()
        intake.accept(alerts(range(2_000), status=status), source="test", raw="{}")
        assert len(statements) < 100
    assert len(store.all_episodes()) == 2_000
    assert all(episode.resolved for episode in store.all_episodes())
    assert store.incidents()[0].outcome is Outcome.RECOVERED
    assert store.verify_audit().ok


def test_a_storm_is_told_of_in_a_handful_of_entries(store, intake):
    """The first alerts one by one, the others in one entry that says how many they were and how they are called."""
    slow = alerts(range(300, 400), name="HighLatencyP95")
    (incident,) = intake.accept(alerts(range(300)) + slow, source="test")
    intake.accept(alerts(range(400), status="resolved"), source="test")
    said = store.entries()
    assert len([entry for entry in said if entry.kind == "alert.received"]) <= 12
    firing, resolved = [entry for entry in said if entry.kind == "alerts.received"]
    assert (firing.incident_id, resolved.incident_id) == (incident, incident)
    assert (firing.data["firing"], firing.data["resolved"]) == (394, 0)
    assert firing.data["names"] == {"HighErrorRatio": 294, "HighLatencyP95": 100}
    assert (resolved.data["firing"], resolved.data["resolved"]) == (0, 395)
    assert [entry.kind for entry in said].count("incident.opened") == 1


def test_alerts_of_many_targets_open_one_incident_each(store, intake):
    """Those of nobody's target are an incident too."""
    ids = intake.accept(alerts(range(3)) + alerts(range(3, 6), target="nobody"), source="test")
    assert {store.incident(each).target for each in ids} == {"shop", UNASSIGNED}
    assert [store.episode_counts(each) for each in ids] == [(3, 3), (3, 3)]


def test_of_one_episode_in_one_delivery_resolved_wins(store, intake):
    """In either order, and no incident is opened for what is over."""
    fired, over = alerts([1]), alerts([1], status="resolved")
    assert intake.accept(fired + over, source="test") == ()
    assert intake.accept(alerts([2], status="resolved") + alerts([2]), source="test") == ()
    assert [episode.resolved for episode in store.all_episodes()] == [True, True]
    assert store.incidents() == ()


def test_unresolved_work_is_bounded(store, intake, monkeypatch):
    """A full incident takes no more, which is told once and refused as busy; what resolves makes room for the rest."""
    monkeypatch.setattr(module, "MOST_UNRESOLVED", 10)
    (incident,) = intake.accept(alerts(range(8)), source="test")
    for _ in range(3):
        with pytest.raises(Busy, match="no room for 3 alerts"):
            intake.accept(alerts(range(13)), source="test")
    assert store.episode_counts(incident) == (10, 10)
    (told,) = [entry for entry in store.entries() if entry.kind == "alerts.held"]
    assert (told.incident_id, told.data["refused"]) == (incident, 3)
    assert intake.accept(alerts(range(10)), source="test") == (incident,)  # what it has may be repeated
    assert intake.accept(alerts([1], target="nobody"), source="test") == (incident,)  # an episode that it has
    assert len(intake.accept(alerts([99], target="nobody"), source="test")) == 1  # others have room
    with pytest.raises(Busy, match="no room for 1 "):
        intake.accept(alerts(range(4), status="resolved") + alerts(range(8, 15)), source="test")
    assert store.episode_counts(incident) == (14, 10)


def test_an_incident_is_not_over_before_all_its_alerts_are(store, intake, monkeypatch):
    """Those that found room later count too."""
    monkeypatch.setattr(module, "MOST_UNRESOLVED", 2)
    with pytest.raises(Busy):
        intake.accept(alerts(range(3)), source="test")
    (opened,) = store.incidents()
    with store.begin() as tx:
        tx.save(opened.model_copy(update={"begun": True}))
    intake.accept(alerts([0], status="resolved") + alerts([2]), source="test")
    intake.accept(alerts([1], status="resolved"), source="test")
    assert not store.incident(opened.id).all_resolved
    intake.accept(alerts([2], status="resolved"), source="test")
    assert store.incident(opened.id).all_resolved


def test_old_resolved_alerts_of_an_incident_are_counted_and_go(store, intake, monkeypatch):
    """An alert that comes and goes for days does not fill the store; what still fires is never forgotten."""
    monkeypatch.setattr(module, "MOST_RESOLVED", 5)
    (incident,) = intake.accept(alerts([0]), source="test")
    for number in range(1, 21):
        intake.accept(alerts([number]), source="test")
        intake.accept(alerts([number], status="resolved"), source="test")
    assert store.incident(incident).phase is Phase.INVESTIGATE
    assert store.incident(incident).episodes_forgotten == 15
    kept = store.episodes(incident)
    assert [(episode.fingerprint, episode.resolved) for episode in kept] == [
        (f"{number:016x}", number > 0) for number in (0, *range(16, 21))
    ]


def test_of_many_episodes_the_unresolved_are_read_first(store, intake):
    """Whatever the limit, what still fires is not hidden behind what is over."""
    (incident,) = intake.accept(alerts(range(10)), source="test")
    intake.accept(alerts(range(3, 10), status="resolved"), source="test")
    some = store.episodes(incident, limit=5)
    assert [int(episode.fingerprint, 16) for episode in some] == [0, 1, 2, 8, 9]
    assert store.episode_counts(incident) == (10, 3)
