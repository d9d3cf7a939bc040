"""A prediction needs few answers of the exchange, and is quick and right over some market hours."""

import json
import os
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from market_predictor import providers
from market_predictor.app import create
from market_predictor.cache import CachedFeed
from market_predictor.feed import SyntheticFeed
from market_predictor.settings import Settings
from fastapi.testclient import TestClient

NOON = datetime(2025, 3, 4, 17, 5, tzinfo=UTC)
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")
MARKET = SyntheticFeed(7, "America/New_York")


class CountingVendor:
    """An exchange in this process that counts."""

    def __init__(self):
        self.url, self.asked, self.observe = "", [], None
        self.symbols, self.name, self.target_hour = MARKET.symbols, MARKET.name, MARKET.target_hour

    def bars(self, symbol, until, count, least=None):
        self.asked.append((symbol, until, count))
        return MARKET.bars(symbol, until, count, least)

    def close(self):
        """Nothing is open."""


@pytest.fixture
def vendor(monkeypatch):
    made = CountingVendor()
    monkeypatch.setattr(providers, "exchange", lambda settings: CachedFeed(made, 6))
    return made


@pytest.fixture
def client(vendor, tmp_path):
    settings = Settings(hours_per_second=0.0, market_start=NOON, state_dir=tmp_path, log_file=tmp_path / "log")
    with TestClient(create(settings)) as opened:
        yield opened


def test_a_new_hour_costs_few_requests(client, vendor):
    for hour in range(3):
        client.app.state.predictor.clock._start = NOON + timedelta(hours=hour)
        vendor.asked.clear()
        for symbol in SYMBOLS:
            for horizon in (1, 6, 24):
                assert client.get("/predict", params={"symbol": symbol, "horizon": horizon}).status_code == 200
        assert len(vendor.asked) <= 4 * len(SYMBOLS)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_answers_are_right(client, symbol):
    answer = client.get("/predict", params={"symbol": symbol, "horizon": 3}).json()
    assert answer["naive"] == pytest.approx(MARKET.bars(symbol, NOON, 1).close[-1])
    assert answer["method"] == "model"
    if "usual" in answer:
        closes = [MARKET.bars(symbol, NOON - timedelta(days=day), 1).close[-1] for day in range(1, 31)]
        assert answer["usual"] == pytest.approx(sum(closes) / 30)


def test_the_service_is_quick():
    took = []
    for _ in range(4):
        for symbol in SYMBOLS:
            began = time.perf_counter()
            url = f"{os.environ['TARGET_URL']}/predict?symbol={symbol}&horizon=4"
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert json.load(answer)["symbol"] == symbol
            took.append(time.perf_counter() - began)
        time.sleep(0.5)
    assert sorted(took)[len(took) // 2] < 0.25
