"""Real Alertmanager deliveries: the end state depends on the set received, never on its order."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.intake.alertmanager import MalformedPayload, moment, parse
from agent.intake.intake import UNASSIGNED, AlertIntake, signal_of
from agent.kit.clock import SystemClock
from agent.kit.ids import incident_id
from agent.model.target import Target
from agent.store.audit import Chain
from agent.store.store import Store

FIXTURES = Path(__file__).parents[1] / "fixtures" / "alertmanager"
DELIVERIES = [json.loads(path.read_text())["payload"] for path in sorted(FIXTURES.rglob("*.json"))]


def digest(order, tmp_path, name):
    """Everything delivered in one order; what is left: episodes, and targets with an active incident."""
    clock = SystemClock()
    store = Store(f"sqlite:///{tmp_path / name}.db", clock, Chain(b"key"))
    targets = {"checkout": Target(name="checkout", url="http://127.0.0.1:1", repository=tmp_path)}
    intake = AlertIntake(store, targets, clock, incident_id)
    for payload in order:
        intake.accept(parse(payload), source="test")
    episodes = {(e.fingerprint, e.starts_at, e.resolved, e.ends_at, e.target) for e in store.all_episodes()}
    active = {incident.target for incident in store.incidents(active=True)}
    intact = store.verify_audit().ok
    store.close()
    return episodes, active, intact


@pytest.mark.parametrize("seed", range(4))
def test_any_order_twice_with_duplicates_ends_the_same(tmp_path, seed):
    """Shuffled, repeated deliveries end in the same episodes and the same active incidents."""
    reference = digest(DELIVERIES, tmp_path, "reference")
    order = DELIVERIES * 2
    random.Random(seed).shuffle(order)
    assert digest(order, tmp_path, "shuffled") == reference
    assert reference[1] <= {"checkout", UNASSIGNED}
    assert reference[2]


def test_an_alert_that_resolved_first_never_opens_an_incident(tmp_path):
    """A firing delivery that arrives after its resolved one is old news."""
    resolved = next(p for p in DELIVERIES if all(a["status"] == "resolved" for a in p["alerts"]))
    firing = json.loads(json.dumps(resolved).replace('"resolved"', '"firing"'))
    _, active, _ = digest([resolved, firing], tmp_path, "late")
    assert active == set()


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {},
        {"version": "3", "alerts": []},
        {"version": "4"},
        {"version": "4", "alerts": [{}]},
        {"version": "4", "alerts": [{"status": "firing", "labels": {"a": 1}, "startsAt": "2026-01-01T00:00:00Z"}]},
        {"version": "4", "alerts": [{"status": "firing", "labels": {}, "startsAt": "yesterday"}]},
        {"version": "4", "alerts": [{"status": "firing", "labels": {}, "startsAt": "2026-01-01T00:00:00Z"}] * 2_001},
    ],
)
def test_malformed_payloads_are_refused_with_a_sentence(payload):
    """What is no version 4 delivery is told so."""
    with pytest.raises(MalformedPayload, match="not an Alertmanager version 4 payload"):
        parse(payload)


def test_times_may_carry_any_number_of_fraction_digits():
    """Go writes from none to nine digits; its zero time means not ended."""
    assert moment("2026-01-01T00:00:00.123456789Z") == datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    assert moment("2026-01-01T00:00:00.5Z") == datetime(2026, 1, 1, 0, 0, 0, 500000, tzinfo=UTC)
    assert moment("0001-01-01T00:00:00Z") is None


def test_signals_are_guessed_from_names_and_expressions():
    """An alert without a signal label still says what it speaks of."""
    seen = {alert.name: signal_of(alert) for payload in DELIVERIES for alert in parse(payload)}
    assert seen["HighErrorRate"] == "error_ratio"
    assert seen["HighLatencyP95"] == "latency_p95"
    assert seen["PredictionError"] == "mae_ratio"


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("FeatureFlagChanged", "unknown"),
        ("LagosNodeDown", "down"),
        ("CPUThrottling", "unknown"),
        ("high_5xx_ratio", "error_ratio"),
        ("SlowRequestsP99", "latency_p95"),
        ("ReplicaLag", "data_age"),
        ("PodOOM", "memory_growth"),
    ],
)
def test_a_word_within_a_word_says_nothing(name, signal):
    """A flag is no lag."""
    assert signal_of(alert(name)) == signal


def test_an_expression_is_read_when_the_name_says_nothing():
    """What is compared, not what else stands in the address."""
    url = "http://lag.example/graph?g0.expr=up%7Bjob%3D%22svc%22%7D+%3D%3D+0&g0.tab=1"
    assert signal_of(alert("Page", url)) == "down"
    assert signal_of(alert("Page", "http://lag.example/graph?g0.expr=free_bytes+%3C+5")) == "unknown"


def alert(name, url=""):
    """An alert that is only a name and where it came from."""
    one = {"status": "firing", "labels": {"alertname": name}, "startsAt": "2026-11-22T07:45:09Z", "generatorURL": url}
    return parse({"version": "4", "alerts": [one]})[0]
