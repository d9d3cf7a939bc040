"""Who asks for bars that are known never waits for the background job, however moody the exchange is."""

import json
import os
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from market_predictor.cache import CachedFeed
from market_predictor.feed import FeedUnavailable, SyntheticFeed

NOON = datetime(2025, 3, 4, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)
MARKET = SyntheticFeed(7, "America/New_York")
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")


class MoodyVendor:
    """An exchange that refuses while ``failing``."""

    def __init__(self):
        self.url, self.failing, self.asked = "", False, 0
        self.symbols, self.name, self.target_hour = MARKET.symbols, MARKET.name, MARKET.target_hour

    def bars(self, symbol, until, count, least=None):
        self.asked += 1
        if self.failing:
            raise FeedUnavailable("HTTP 503")
        return MARKET.bars(symbol, until, count, least)


@pytest.fixture
def vendor():
    return MoodyVendor()


@pytest.fixture
def feed(vendor):
    made = CachedFeed(vendor, 6)
    made.warm(NOON)
    return made


def warm(feed, moment):
    try:
        feed.warm(moment)
    except FeedUnavailable:
        pass


def test_known_bars_are_served_at_once_while_the_job_tries_again(feed, vendor):
    vendor.failing = True
    job = threading.Thread(target=warm, args=(feed, NOON + HOUR), daemon=True)
    job.start()
    longest = 0.0
    ends = time.monotonic() + 3
    while time.monotonic() < ends:
        for symbol in SYMBOLS:
            began = time.monotonic()
            bars = feed.bars(symbol, NOON + HOUR, 72)
            longest = max(longest, time.monotonic() - began)
            assert bars.last_end == NOON
        time.sleep(0.02)
    assert longest < 0.25


def test_bars_that_are_too_old_are_refused_at_once(feed, vendor):
    vendor.failing = True
    job = threading.Thread(target=warm, args=(feed, NOON + 9 * HOUR), daemon=True)
    job.start()
    time.sleep(0.1)
    began = time.monotonic()
    for symbol in SYMBOLS:
        with pytest.raises(FeedUnavailable):
            feed.bars(symbol, NOON + 9 * HOUR, 72)
    assert time.monotonic() - began < 0.5


def test_the_job_brings_all_windows_when_the_exchange_is_well(feed, vendor):
    vendor.asked = 0
    feed.warm(NOON + 2 * HOUR)
    assert vendor.asked == len(SYMBOLS)
    for symbol in SYMBOLS:
        assert feed.bars(symbol, NOON + 2 * HOUR, 72).last_end == NOON + 2 * HOUR
    assert vendor.asked == len(SYMBOLS)


def test_the_service_answers_quickly():
    took = []
    for _ in range(3):
        for symbol in SYMBOLS:
            began = time.perf_counter()
            url = f"{os.environ['TARGET_URL']}/predict?symbol={symbol}&horizon=3"
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert json.load(answer)["method"] == "model"
            took.append(time.perf_counter() - began)
        time.sleep(0.7)
    assert max(took) < 0.5
