"""Attempts to change the trail unseen."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from agent.errors import Conflict
from agent.kit.clock import SystemClock
from agent.kit.ids import incident_id
from agent.model.incident import Incident
from agent.store.audit import Chain
from agent.store.schema import differences
from agent.store.store import Store


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'a.db'}", SystemClock(), Chain.open(tmp_path / "key"))
    for number in range(5):
        store.append("test", f"entry {number}", data={"password": "hunter2", "n": number})
    yield store
    store.close()


def attack(tmp_path, *statements):
    database = sqlite3.connect(tmp_path / "a.db")
    for trigger in ("audit_no_update", "audit_no_delete"):
        database.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def test_an_untouched_trail_is_intact(store, tmp_path):
    """Five entries, secrets masked, key readable by its owner only."""
    assert store.verify_audit().ok
    assert store.entries()[0].data == {"password": "[redacted]", "n": 0}
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("UPDATE audit SET message = 'other' WHERE seq = 3", 3),
        ("UPDATE audit SET at = '2020-01-01T00:00:00Z' WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET seq = 9 WHERE seq = 2", 2),
    ],
)
def test_every_change_is_found(store, tmp_path, statement, bad):
    """Edited, removed, cut off or renumbered entries break the chain where it happened."""
    attack(tmp_path, statement)
    verdict = store.verify_audit()
    assert not verdict.ok
    assert verdict.bad == bad


def test_entries_that_are_written_meanwhile_are_no_tampering(store):
    """The trail of a busy agent is intact, however often it is looked at, and looking holds nobody up."""
    done = threading.Event()

    def write():
        while not done.is_set():
            store.append("test", "one more")

    writer = threading.Thread(target=write)
    writer.start()
    verdicts = [store.verify_audit() for _ in range(30)]
    done.set()
    writer.join()
    assert {verdict.reason for verdict in verdicts} == {""}
    assert verdicts[-1].entries > verdicts[0].entries


def test_an_entry_behind_the_sealed_head_is_found(store, tmp_path):
    """Whoever has not the key cannot add one."""
    attack(
        tmp_path,
        "INSERT INTO audit SELECT 6, at, actor, kind, incident_id, message, data, hash, 'f' FROM audit WHERE seq = 5",
    )
    verdict = store.verify_audit()
    assert (verdict.ok, verdict.bad) == (False, 6)


def test_the_database_itself_refuses_changes(store, tmp_path):
    """The table is append-only while its triggers stand."""
    database = sqlite3.connect(tmp_path / "a.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute("DELETE FROM audit")
    database.close()


def test_migrations_make_what_the_tables_say(store):
    """The newest revision and the metadata agree."""
    assert differences(store._engine) == []


def test_a_target_has_one_active_incident(store):
    """The database refuses a second one."""
    now = store._clock.now()
    first, second = (
        Incident(id=incident_id(now), target="t", component="c", signal="s", title="x", opened_at=now) for _ in range(2)
    )
    with store.begin() as tx:
        tx.save(first)
    with pytest.raises(Conflict, match="active incident"), store.begin() as tx:
        tx.save(second)


def test_what_was_queued_in_a_failed_transaction_is_gone(store):
    """Records and the next phase are committed together or not at all."""
    now = store._clock.now()
    incident = Incident(id="inc-1", target="t", component="c", signal="s", title="x", opened_at=now)
    with pytest.raises(ZeroDivisionError), store.begin() as tx:
        tx.save(incident)
        tx.enqueue(incident)
        1 / 0  # noqa: B018 - the failure of this test
    assert store.due(now) == ()
