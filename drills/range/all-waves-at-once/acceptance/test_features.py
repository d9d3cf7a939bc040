"""Features mean what their names say, and the shipped model's predictions are those it was trained for."""

import json
import math
import os
import urllib.request
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from market_predictor import calendar, features
from market_predictor.feed import SyntheticFeed
from market_predictor.registry import SHIPPED
from market_predictor.model import load

NEW_YORK = "America/New_York"
MOMENTS = [datetime(2025, 3, 4, hour, tzinfo=UTC) for hour in (0, 5, 11, 14, 19, 23)]


def ask(path):
    with urllib.request.urlopen(os.environ["TARGET_URL"] + path, timeout=5) as answer:
        return json.load(answer)


def wave(name, moment):
    """The wave of a name such as season_sin2 at a moment."""
    angle = 2 * math.pi * int(name[-1]) * calendar.local_hour(moment, NEW_YORK) / 24
    return math.sin(angle) if "sin" in name else math.cos(angle)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("horizon", [1, 5, 7, 11, 24])
@pytest.mark.parametrize("symbol", ["AAPL", "SNDL", "BTC-USD"])
def test_the_season_is_in_the_order_that_the_shipped_model_knows(symbol, horizon, moment):
    bars = SyntheticFeed(7, NEW_YORK).bars(symbol, moment, features.BARS_NEEDED)
    vector = dict(zip(load(SHIPPED).features, features.build(bars, moment, horizon, NEW_YORK), strict=True))
    for name in (name for name in vector if name.startswith("season_")):
        wanted = wave(name, moment + timedelta(hours=horizon)) - wave(name, moment)
        assert vector[name] == pytest.approx(wanted, abs=1e-9), name


def test_the_names_still_are_those_of_the_shipped_model():
    assert features.names() == load(SHIPPED).features


@pytest.mark.parametrize("symbol", ["MSFT", "NVDA", "BRK.B"])
def test_the_other_features_are_as_they_were(symbol):
    bars = SyntheticFeed(7, NEW_YORK).bars(symbol, MOMENTS[2], features.BARS_NEEDED)
    level = np.log(bars.close)
    scale = np.diff(level)[-48:].std()
    vector = dict(zip(features.names(), features.build(bars, MOMENTS[2], 3, NEW_YORK), strict=True))
    assert vector["return_1"] == pytest.approx((level[-1] - level[-2]) / scale)
    assert vector["deviation_24"] == pytest.approx((level[-1] - level[-24:].mean()) / scale)
    assert vector["detrended"] == pytest.approx((level[-1] - level[[-1, -25, -49]].mean()) / scale)


@pytest.mark.parametrize(("symbol", "horizon"), [("AAPL", 6), ("nvda", 12), ("BTC-USD", 8), ("SNDL", 4)])
def test_the_model_is_served_and_beats_the_last_price(symbol, horizon):
    """The service itself still answers with its model."""
    answer = ask(f"/predict?symbol={symbol}&horizon={horizon}")
    assert answer["method"] == "model"
    assert answer["value"] != answer["naive"]


def test_predictions_of_two_days_beat_the_naive_forecast():
    feed, model = SyntheticFeed(7, NEW_YORK), load(SHIPPED)
    ours, naive = [], []
    for symbol in ("AAPL", "NVDA", "BTC-USD"):
        for hours in range(48):
            moment = MOMENTS[0] + timedelta(hours=hours)
            bars = feed.bars(symbol, moment, features.BARS_NEEDED)
            vector = features.build(bars, moment, 6, NEW_YORK)
            change = model.predict(symbol, 6, vector, features.volatility(np.diff(np.log(bars.close))))
            moved = math.log(feed.bars(symbol, moment + timedelta(hours=6), 1).close[-1] / bars.close[-1])
            ours.append(abs(moved - change))
            naive.append(abs(moved))
    assert sum(ours) < 0.8 * sum(naive)
