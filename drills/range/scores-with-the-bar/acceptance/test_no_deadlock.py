"""Requests and the scheduler go on side by side over many market hours, and scores come in all the same."""

import json
import os
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from market_predictor.cache import CachedFeed
from market_predictor.predictor import Predictor
from market_predictor.feed import SyntheticFeed
from market_predictor.settings import Settings

START = datetime(2025, 3, 4, 17, 5, tzinfo=UTC)
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")


def ask(path):
    with urllib.request.urlopen(os.environ["TARGET_URL"] + path, timeout=2) as answer:
        return json.load(answer)


def scored():
    with urllib.request.urlopen(os.environ["TARGET_URL"] + "/metrics", timeout=2) as answer:
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("prediction_scored_total"))


def test_every_symbol_is_answered_over_some_hours():
    """With whole hours passing between the requests."""
    for _ in range(3):
        for symbol in SYMBOLS:
            answer = ask(f"/predict?symbol={symbol}&horizon=2")
            assert answer["method"] == "model"
            assert answer["value"] == pytest.approx(answer["naive"], rel=0.1)
        time.sleep(1.0)


def test_scores_come_in():
    before = scored()
    for symbol in SYMBOLS:
        ask(f"/predict?symbol={symbol}&horizon=1")
    time.sleep(3.5)
    assert scored() >= before + len(SYMBOLS)


class SlowVendor:
    """An exchange in this process that takes a moment."""

    def __init__(self):
        self._market, self.url = SyntheticFeed(7, "America/New_York"), ""
        self.symbols, self.name, self.target_hour = self._market.symbols, self._market.name, self._market.target_hour

    def bars(self, symbol, until, count, least=None):
        time.sleep(0.01)
        return self._market.bars(symbol, until, count, least)

    def close(self):
        """Nothing is open."""


def test_requests_and_the_scheduler_do_not_wait_for_each_other(tmp_path, monkeypatch):
    from market_predictor import providers

    monkeypatch.setattr(providers, "exchange", lambda settings: CachedFeed(SlowVendor(), 6))
    predictor = Predictor(Settings(hours_per_second=0.0, market_start=START, state_dir=tmp_path))
    moments = [START + timedelta(hours=hour) for hour in range(40)]
    failed = []

    def request(symbol):
        try:
            for moment in moments:
                predictor.clock._start = moment
                predictor.predict(symbol, 1)
                time.sleep(0.005)
        except Exception as error:
            failed.append(error)

    def settle():
        for _ in range(60):
            predictor.scorer.settle(predictor.clock.now())
            time.sleep(0.005)

    threads = [threading.Thread(target=request, args=(symbol,), daemon=True) for symbol in SYMBOLS]
    threads.append(threading.Thread(target=settle, daemon=True))
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 8
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    assert not failed
    assert not [thread for thread in threads if thread.is_alive()]
    predictor.scorer.settle(moments[-1] + timedelta(hours=3))
    assert predictor.scorer.total > 100
