"""With a long journal a prediction costs what it costs with a short one, and says the same."""

import json
import os
import time
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from market_predictor.app import create
from market_predictor.settings import Settings

NOON = datetime(2025, 3, 4, 17, 5, tzinfo=UTC)


@pytest.fixture
def client(tmp_path):
    settings = Settings(hours_per_second=0.0, market_start=NOON, state_dir=tmp_path, log_file=tmp_path / "log")
    with TestClient(create(settings)) as opened:
        yield opened


def ask(client, symbol, horizon):
    answer = client.get("/predict", params={"symbol": symbol, "horizon": horizon})
    assert answer.status_code == 200
    return answer.json()


def quickest(client, symbol):
    took = []
    for number in range(12):
        began = time.perf_counter()
        ask(client, symbol, 1 + number)
        took.append(time.perf_counter() - began)
    return min(took)


@pytest.mark.parametrize("symbol", ["AAPL", "BTC-USD"])
def test_the_length_of_the_journal_costs_nothing(client, symbol):
    predictor = client.app.state.predictor
    short = quickest(client, symbol)
    one = predictor.predict(symbol, 1)
    for number in range(8_000):
        predictor.journal.add(replace(one, id=str(number), target_hour=number % 6_000))
    assert quickest(client, symbol) < short + 0.012


@pytest.mark.parametrize("symbol", ["MSFT", "SNDL", "nvda"])
def test_the_first_word_stays(client, symbol):
    """Where it is told."""
    first = ask(client, symbol, 6)
    other = ask(client, symbol, 5)
    predictor = client.app.state.predictor
    kept = predictor.journal.newest(1)[0]
    predictor.journal.add(replace(kept, id="later", value=1.0))
    again = ask(client, symbol, 5)
    assert again["value"] == pytest.approx(other["value"])
    if "first_predicted" in again:
        assert again["first_predicted"] == pytest.approx(other["value"])
        assert first["first_predicted"] == pytest.approx(first["value"])


def test_the_history_is_whole(client):
    made = [ask(client, "BRK.B", horizon)["id"] for horizon in (3, 3, 9)]
    told = client.get("/history", params={"symbol": "BRK.B", "limit": 10}).json()["predictions"]
    assert [row["id"] for row in told] == made


def test_the_sweep_is_answered_in_time():
    body = json.dumps({"requests": [{"symbol": "AAPL", "horizon": horizon} for horizon in range(1, 25)]}).encode()
    took = []
    for _ in range(8):
        url, began = f"{os.environ['TARGET_URL']}/predict/batch", time.perf_counter()
        with urllib.request.urlopen(urllib.request.Request(url, body, {"content-type": "application/json"}), timeout=3) as got:
            assert [one["horizon"] for one in json.load(got)["predictions"]] == list(range(1, 25))
        took.append(time.perf_counter() - began)
    assert sorted(took)[len(took) // 2] < 0.5
