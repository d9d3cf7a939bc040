"""Deliveries are kept as they came, and what Alertmanager cut is read from it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from agent.intake.alertmanager import fingerprint
from agent.intake.intake import AlertIntake
from agent.intake.reread import Alertmanager
from agent.intake.webhook import Webhook
from agent.kit.clock import SystemClock
from agent.kit.http import HttpClient
from agent.kit.ids import incident_id
from agent.store.audit import Chain
from agent.store.store import Store

FIXTURES = Path(__file__).parents[1] / "fixtures" / "alertmanager"
CUT = next(
    payload
    for payload in (json.loads(path.read_text())["payload"] for path in sorted(FIXTURES.rglob("*.json")))
    if payload["truncatedAlerts"] and payload["status"] == "firing"
)


@contextmanager
def alertmanager(answer: bytes, status: int = 200):
    """A server that answers API version 2's list of alerts; gives its address and what it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def store(tmp_path):
    """A store of its own."""
    opened = Store(f"sqlite:///{tmp_path}/agent.sqlite", SystemClock(), Chain(b"key"))
    yield opened
    opened.close()


@pytest.fixture
def webhook(store):
    """Makes the door over a store, with an Alertmanager behind it or without."""
    http = HttpClient()
    intake = AlertIntake(store, {}, SystemClock(), incident_id)
    yield lambda url=None: Webhook(intake, store, None if url is None else Alertmanager(http, url))
    http.close()


def listed(name):
    """One alert as API version 2 lists it."""
    return {
        "labels": {"alertname": name, "service": "checkout"},
        "annotations": {},
        "startsAt": "2026-11-22T07:45:09.699Z",
        "endsAt": "2026-11-22T07:49:09.699Z",
        "updatedAt": "2026-11-22T07:45:09.702Z",
        "fingerprint": f"{hash(name) & (2**64 - 1):016x}",
        "receivers": [{"name": "trunc"}],
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        "generatorURL": "",
    }


def test_a_delivery_is_kept_as_it_came_with_its_secrets_masked(store, webhook):
    """What was received can be looked at later, without what should not be."""
    body = json.loads(json.dumps(CUT))
    body["commonAnnotations"]["dsn"] = "postgres://agent:hunter2@db/x"
    webhook().accept(body, source="test")
    (kept,) = store.deliveries()
    assert json.loads(kept)["groupKey"] == CUT["groupKey"]
    assert "hunter2" not in kept


def test_secrets_in_labels_are_masked_and_the_alert_stays_the_same_one(store, webhook):
    """Neither Alertmanager's fingerprint nor our own changes, so that firing and resolved still belong together."""
    labels = {
        "alertname": "Down",
        "instance": "http://bob:hunter2@db:5432",
        "api_token": "ghp_abcdefghijklmnopqrstuvwx",
    }
    alert = {"status": "firing", "labels": labels, "startsAt": "2026-11-22T07:45:09Z"}
    given = {"version": "4", "alerts": [alert, {**alert, "fingerprint": "00deadbeef00"}]}
    webhook().accept(given, source="test")
    assert {episode.fingerprint for episode in store.all_episodes()} == {fingerprint(labels), "00deadbeef00"}
    for episode in store.all_episodes():
        assert episode.alert.labels["instance"] == "http://[redacted]@db:5432"
        assert "ghp_" not in episode.model_dump_json()


def test_what_was_cut_is_read_from_alertmanager(store, webhook):
    """Only this receiver's firing alerts are asked for, and they become episodes like any other."""
    answer = json.dumps([listed("HighErrorRate"), listed("SlowAnswers")]).encode()
    with alertmanager(answer) as (url, asked):
        webhook(url).accept(CUT, source="test")
    question = parse_qs(urlsplit(asked[0]).query)
    assert question["receiver"] == [CUT["receiver"]]
    assert question["active"] == ["true"]
    assert {"HighErrorRate", "SlowAnswers"} <= {episode.alert.name for episode in store.all_episodes()}
    assert all(not episode.resolved for episode in store.all_episodes() if episode.alert.name == "SlowAnswers")


@pytest.mark.parametrize(("answer", "status"), [(b"[{]", 200), (b'{"a": 1}', 200), (b"[1]", 200), (b"busy", 503)])
def test_a_broken_alertmanager_loses_nothing_that_came(store, webhook, answer, status):
    """The alerts of the delivery are stored, and that some are missing is on record with the reason."""
    with alertmanager(answer, status) as (url, _):
        count, ids = webhook(url).accept(CUT, source="test")
    assert count == len(CUT["alerts"]) == len(store.all_episodes())
    assert ids
    assert "could not be read" in next(e.message for e in store.entries() if e.kind == "alerts.truncated")


def test_without_an_address_the_trail_says_what_to_set(store, webhook):
    """An operator learns that alerts are missing and how to get them."""
    webhook().accept(CUT, source="test")
    (entry,) = [each for each in store.entries() if each.kind == "alerts.truncated"]
    assert "ALERTMANAGER_URL" in entry.message
    assert str(CUT["truncatedAlerts"]) in entry.message
