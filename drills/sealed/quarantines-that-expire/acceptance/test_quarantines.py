"""Quarantines begin, last and end, and no request fails over it."""

import json
import os
import time
import urllib.request

import pytest
from market_predictor import quarantine
from market_predictor.quarantine import Quarantine

URL = os.environ["TARGET_URL"].rstrip("/")


def ask(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)


def impose(scope, seconds):
    return ask("/quarantine", {"scope": scope, "reason": "bad ticks", "expires_in_seconds": seconds})


@pytest.fixture
def wall(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(quarantine.time, "time", lambda: now[0])
    return now


@pytest.mark.parametrize("look", ["covers", "orders", "impose"])
@pytest.mark.parametrize("scopes", [["A"], ["A", "B", "C"], ["*"], ["*", "A"]])
def test_whoever_looks_first_after_the_end_sees_none(wall, look, scopes):
    held = Quarantine()
    for scope in scopes:
        held.impose(scope, "why", 5)
    held.impose("LONG", "why", 500)
    wall[0] += 6
    if look == "covers":
        assert not held.covers("A")
        assert held.covers("LONG")
    elif look == "impose":
        held.impose("NEW", "why", 5)
        assert held.covers("NEW")
    assert {order.scope for order in held.orders()} == {"LONG"} | ({"NEW"} if look == "impose" else set())
    wall[0] += 1000
    assert held.orders() == []
    assert not held.covers("LONG")


def test_those_in_force_last_until_their_end(wall):
    held = Quarantine()
    held.impose("A", "why", 5)
    wall[0] += 4.9
    assert held.covers("A")
    assert not held.covers("B")
    held.impose("A", "still", 5)
    wall[0] += 4.9
    assert [order.reason for order in held.orders()] == ["still"]


def test_there_is_still_a_bound(wall):
    held = Quarantine()
    for number in range(quarantine.MOST):
        held.impose(str(number), "why", 5)
    with pytest.raises(ValueError, match="too many"):
        held.impose("one more", "why", 5)
    wall[0] += 6
    held.impose("one more", "why", 5)


@pytest.mark.parametrize("scope", ["BRK.B", "sndl"])
def test_the_service_serves_naive_and_then_the_model(scope):
    impose(scope, 1.0)
    during = ask(f"/predict?symbol={scope}&horizon=3")
    assert during["quarantined"]
    assert during["value"] == during["naive"]
    time.sleep(1.2)
    for horizon in (1, 3, 8):
        assert not ask(f"/predict?symbol={scope}&horizon={horizon}")["quarantined"]


def test_nobody_fails_when_one_ends():
    for _ in range(8):
        impose("MSFT", 0.2)
        time.sleep(0.25)
        assert ask("/predict?symbol=AAPL&horizon=1")["value"] > 0
        assert ask("/status")["service"] == "market-predictor"
        assert ask("/predict/batch", {"requests": [{"symbol": "NVDA"}, {"symbol": "MSFT"}]})["predictions"]
