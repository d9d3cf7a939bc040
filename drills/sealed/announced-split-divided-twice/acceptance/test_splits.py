"""Prices do not jump where the market's do not; splits of the past are taken into account all the same."""

import json
import os
import urllib.request
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from market_predictor import splits
from market_predictor.feed import SyntheticFeed
from market_predictor.predictor import Predictor
from market_predictor.settings import Settings

URL = os.environ["TARGET_URL"].rstrip("/")
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")
MIDNIGHT = datetime(2025, 3, 4, tzinfo=UTC)


@pytest.fixture
def at(tmp_path):
    made = []

    def predictor(moment):
        folder = tmp_path / str(len(made))
        made.append(Predictor(Settings(hours_per_second=0.0, market_start=moment, state_dir=folder, log_file=folder / "x")))
        return made[-1]

    yield predictor
    for one in made:
        one.close()


@pytest.mark.parametrize("hours", [1, 5, 12, 30, 48, 66])
def test_predictions_around_the_day_are_near_the_price(at, hours):
    predictor = at(MIDNIGHT + timedelta(hours=hours, minutes=5))
    for symbol in SYMBOLS:
        for horizon in (1, 3, 8, 24):
            prediction = predictor.predict(symbol, horizon)
            assert prediction.method == "model"
            assert prediction.value == pytest.approx(prediction.naive, rel=0.1)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_feed_tells_what_the_market_tells(at, symbol):
    until = MIDNIGHT + timedelta(hours=20)
    ours, theirs = at(until).feed.bars(symbol, until, 72), SyntheticFeed(7, "America/New_York").bars(symbol, until, 72)
    assert np.array_equal(ours.close, theirs.close)
    assert np.array_equal(ours.volume, theirs.volume)


def test_splits_of_the_past_stay():
    known = splits.load()
    assert [split.ratio for split in known["AAPL"]] == [4.0]
    assert [split.ratio for split in known["NVDA"]] == [4.0]
    bars = SyntheticFeed(7, "America/New_York").bars("MSFT", MIDNIGHT, 10)
    adjusted = splits.adjust(bars, [splits.Split(int(bars.hours[4]), 2.0)])
    assert np.array_equal(adjusted.close[:4], bars.close[:4] / 2)
    assert np.array_equal(adjusted.close[4:], bars.close[4:])


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_service_answers_with_the_model(symbol):
    with urllib.request.urlopen(f"{URL}/predict?symbol={symbol}&horizon=3", timeout=10) as answer:
        body = json.loads(answer.read())
    assert body["method"] == "model"
    assert body["value"] == pytest.approx(body["naive"], rel=0.15)
