"""The composition root: what health says when a part does not work, and what the monitor knows after a restart."""

from __future__ import annotations

import hashlib
import sys
import threading
from contextlib import contextmanager

import pytest

from agent import __version__
from agent.app import MOST_SHOWN, App
from agent.errors import Misconfigured
from agent.model.alert import Alert
from agent.model.incident import Outcome, Phase
from agent.settings import Settings
from fakes.answering import Answering
from fakes.clock import NOON
from fakes.target_server import TargetServer


@pytest.fixture
def server():
    with TargetServer() as server:
        yield server


@pytest.fixture
def opened(tmp_path, server):
    """Opens the agent on one state folder, as often as it is restarted."""
    config = tmp_path / "agent.toml"
    config.write_text(f'[[target]]\nname = "shop"\nurl = "{server.url}"\nrepository = "{tmp_path}"\n')

    @contextmanager
    def open_agent(**given):
        app = App(Settings(_env_file=None, mpa_state=tmp_path / "state", mpa_config=config, **given))
        try:
            yield app
        finally:
            app.stop()

    return open_agent


def wait_until(true):
    """At most twenty seconds."""
    pause = threading.Event()
    for _ in range(400):
        if true():
            return
        pause.wait(0.05)
    raise AssertionError("it did not come to that")


def test_health_says_why_the_agent_could_not_start(opened, tmp_path):
    """Whatever kept it from starting: degraded, with the reason, and not starting for ever."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "durable.sqlite").mkdir()  # no database can be opened there
    with opened() as app:
        app.start()
        wait_until(lambda: app.health().parts["worker"].state != "starting")
        health = app.health()
        assert (health.status, health.parts["worker"].state) == ("degraded", "degraded")
        assert "unable to open database file" in health.parts["worker"].detail
        assert health.parts["store"].state == "ok"


def test_a_second_agent_on_one_state_folder_does_not_start(opened, tmp_path):
    """It says so at once, and neither works nor writes."""
    with opened() as first:
        first.start()
        wait_until(lambda: first.health().status == "ok")
        (tmp_path / "state" / "work" / "process-dead").mkdir()
        before = first.entries(incident_id=None, after=0, limit=100)
        with opened() as second, pytest.raises(Misconfigured, match=f"another service runs on {tmp_path / 'state'}"):
            second.start()
        assert (tmp_path / "state" / "work" / "process-dead").exists()
        assert first.entries(incident_id=None, after=0, limit=100) == before
    with opened() as again:
        again.start()
        wait_until(lambda: again.health().status == "ok")


def test_the_trail_tells_when_the_agent_started_and_stopped(opened, tmp_path):
    """On which version, switches and configuration it worked between the two."""
    with opened() as app:
        app.start()
        wait_until(lambda: app.health().status == "ok")
    with opened() as app:
        started, stopped = app.entries(incident_id=None, after=0, limit=100)
    assert (started.kind, stopped.kind) == ("agent.started", "agent.stopped")
    assert started.data == {
        "version": __version__,
        "safety_mode": True,
        "autonomy": "approve",
        "targets": ["shop"],
        "configuration": hashlib.sha256((tmp_path / "agent.toml").read_bytes()).hexdigest(),
    }


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_health_says_that_the_monitor_has_died(opened, server):
    """Stopped by a person it is well; started and dead it is degraded."""
    with opened() as app:
        assert app.health().parts["monitor"].detail == "stopped"
        app.monitoring._released = lambda *_: sys.exit()
        server.build = "c" * 40
        app.start_monitoring(by="ines")
        wait_until(lambda: app.monitoring.broken)
        assert app.health().parts["monitor"].state == app.health().status == "degraded"
        app.stop_monitoring(by="ines")
        assert app.health().parts["monitor"].state == "ok"


def stale_data(fingerprint, **labels):
    """Somebody else's alert, with the name of a rule of the monitor."""
    return Alert(
        status="firing",
        labels={"alertname": "StaleData", "target": "shop", "signal": "data_age", **labels},
        annotations={},
        starts_at=NOON,
        ends_at=None,
        generator_url="",
        fingerprint=fingerprint,
    )


def test_the_monitor_takes_over_only_what_it_raised(opened):
    """An alert of Alertmanager's is Alertmanager's to resolve, also after a restart of the agent."""
    with opened() as app:
        (incident,) = app.intake.accept((stale_data("a" * 16),), source="alertmanager")
    with opened() as app:
        for _ in range(3):
            app.monitoring.cycle()
        (episode,) = app.store.episodes(incident)
        assert (app.monitoring.firing("shop"), episode.resolved) == ((), False)


def test_a_fault_that_people_live_with_opens_nothing_after_a_restart(opened, server):
    """Rejected and still firing it stays the same episode; over and back again it is a new one."""
    server.gauges["data_age_seconds"] = 30_000
    with opened() as app:
        app.monitoring.cycle()
        (incident,) = app.store.incidents()
        with app.store.begin() as tx:
            tx.save(incident.model_copy(update={"phase": Phase.CLOSED, "outcome": Outcome.REJECTED}))
    with opened() as app:
        app.monitoring.cycle()
        assert app.monitoring.firing("shop") == ("data_age",)
        assert [each.id for each in app.store.incidents()] == [incident.id]
        server.gauges["data_age_seconds"] = 60
        for _ in range(2):
            app.monitoring.cycle()
        assert [each.resolved for each in app.store.episodes(incident.id)] == [True]
    with opened() as app:
        server.gauges["data_age_seconds"] = 30_000
        app.monitoring.cycle()
        assert len(app.store.incidents()) == 2
        assert len(app.store.incidents(active=True)) == 1


def test_prometheus_and_loki_are_asked_where_they_are_set(opened):
    """What they do not tell is a gap of theirs; where they are not set nobody speaks of them."""
    with Answering(lambda _path: (404, "not here")) as other:
        for given, expected in (
            ({}, set()),
            ({"prometheus_url": other.url, "loki_url": other.url}, {"prometheus", "loki"}),
        ):
            with opened(**given) as app:
                app.intake.accept((stale_data("b" * 16),), source="alertmanager")
                (incident,) = app.store.incidents()
                collector = app.workflow._parts.collector
                found = collector.collect(incident, app.targets["shop"], app.store.episodes(incident.id))
                assert {gap.source for gap in found.gaps} & {"prometheus", "loki"} == expected


def test_an_incident_is_shown_with_some_of_its_alerts_and_all_of_their_number(opened):
    """However many they are."""
    with opened() as app:
        many = tuple(stale_data(f"{number:016x}", n=str(number)) for number in range(MOST_SHOWN + 20))
        (incident,) = app.intake.accept(many, source="alertmanager")
        app.intake.accept((many[3].model_copy(update={"status": "resolved"}),), source="alertmanager")
        detail = app.incident(incident)
        assert len(detail.episodes) == MOST_SHOWN
        assert (detail.episodes_total, detail.episodes_unresolved) == (MOST_SHOWN + 20, MOST_SHOWN + 19)
