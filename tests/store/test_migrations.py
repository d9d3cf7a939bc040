"""A database of an earlier release is brought up to date with what is in it."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from agent.intake.intake import AlertIntake
from agent.kit.ids import incident_id
from agent.model.alert import Alert
from agent.store.audit import Chain
from agent.store.schema import MIGRATIONS, differences
from agent.store.store import Store
from fakes.clock import NOON, FakeClock

ALERT = Alert(
    status="firing",
    labels={"alertname": "StaleData"},
    annotations={},
    starts_at=NOON,
    ends_at=None,
    generator_url="",
    fingerprint="f" * 16,
)
BODY = (
    '{"fingerprint":"ffffffffffffffff","starts_at":"2026-11-02T12:00:00Z","target":"unassigned","component":"service",'
    f'"signal":"data_age","alert":{ALERT.model_dump_json()},"resolved":false,"ends_at":null,"incident_id":"inc-1"}}'
)


def test_episodes_without_a_source_stay_what_they_are(tmp_path):
    """They are known again when they come again, and belong to no door."""
    url = f"sqlite:///{tmp_path}/agent.db"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    old = create_engine(url)
    with old.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        row = ("f" * 16, "2026-11-02T12:00:00.000000+00:00", "unassigned", "inc-1", False, BODY)
        connection.exec_driver_sql("INSERT INTO episodes VALUES (?, ?, ?, ?, ?, ?)", row)
    old.dispose()
    clock = FakeClock()
    store = Store(url, clock, Chain(b"key"))
    assert differences(store._engine) == []
    assert AlertIntake(store, {}, clock, incident_id).accept((ALERT,), source="monitor") == ("inc-1",)
    assert store.unresolved_from("monitor", 10) == ()
    assert store.unresolved_from("", 10) == store.all_episodes()
    store.close()
