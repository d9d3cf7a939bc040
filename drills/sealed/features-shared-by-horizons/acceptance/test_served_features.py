"""What is served is what the model was trained for."""

import json
import os
import urllib.request
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from market_predictor import calendar, features
from market_predictor.feed import SyntheticFeed
from market_predictor.predictor import Predictor
from market_predictor.registry import SHIPPED
from market_predictor.settings import Settings

URL = os.environ["TARGET_URL"].rstrip("/")
NEW_YORK = "America/New_York"
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")
FEED = SyntheticFeed(7, NEW_YORK)
MODEL = json.loads(SHIPPED.read_text())


def get(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)


def vector_and_scale(bars, horizon):
    """The features as the shipped model knows them, written out once more."""
    level = np.log(bars.close)
    returns = np.diff(level)
    scale = max(float(returns[-48:].std()), 1e-4)
    now = bars.last_end
    found = {
        "return_1": returns[-1] / scale,
        "return_2": returns[-2] / scale,
        "return_3": returns[-3] / scale,
        "deviation_6": (level[-1] - level[-6:].mean()) / scale,
        "deviation_24": (level[-1] - level[-24:].mean()) / scale,
        "detrended": (level[-1] - level[-1::-24][:3].mean()) / scale,
    }
    mean = bars.volume[-24:].mean()
    found["relative_volume"] = min(bars.volume[-1] / mean, 10.0) if mean > 0 else 0.0
    for k in (1, 2, 3):
        for kind, wave in (("sin", np.sin), ("cos", np.cos)):
            ends = (
                wave(k * 2 * np.pi * calendar.local_hour(moment, NEW_YORK) / 24)
                for moment in (now + timedelta(hours=horizon), now)
            )
            found[f"season_{kind}{k}"] = next(ends) - next(ends)
    return np.array([found[name] for name in MODEL["features"]]), scale


def expected(symbol, horizon, moment):
    bars = FEED.bars(symbol, moment, 72)
    vector, scale = vector_and_scale(bars, horizon)
    weights = np.array(MODEL["coefficients"][symbol][str(horizon)])
    return float(bars.close[-1] * np.exp((weights[0] + vector @ weights[1:]) * scale))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_service_says_what_the_model_says(symbol):
    assert get("/health")["model"] == "v1"
    for horizon in (1, 5, 10, 24):
        answer = get(f"/predict?symbol={symbol}&horizon={horizon}")
        assert answer["value"] == pytest.approx(expected(symbol, horizon, datetime.fromisoformat(answer["as_of"])), rel=1e-9)


def test_and_in_a_batch_of_all_horizons():
    wanted = [{"symbol": "NVDA", "horizon": horizon} for horizon in range(1, 25)]
    for answer in get("/predict/batch", {"requests": wanted})["predictions"]:
        moment = datetime.fromisoformat(answer["as_of"])
        assert answer["value"] == pytest.approx(expected("NVDA", answer["horizon"], moment), rel=1e-9)


@pytest.fixture
def predictor(tmp_path):
    made = Predictor(Settings(hours_per_second=0.0, market_start=datetime(2025, 6, 4, 17, 5, tzinfo=UTC), state_dir=tmp_path))
    yield made
    made.close()


def test_at_other_times_of_the_year_and_the_day(predictor):
    for hours in (0, 1, 5, 11, 100, 3_000):
        predictor.clock._start = moment = datetime(2025, 6, 4, 17, 5, tzinfo=UTC) + timedelta(hours=hours)
        for symbol in SYMBOLS:
            for horizon in (1, 7, 13):
                assert predictor.predict(symbol, horizon).value == pytest.approx(expected(symbol, horizon, moment), rel=1e-9)


def test_training_has_not_changed():
    bars = FEED.bars("MSFT", datetime(2025, 4, 4, 17, tzinfo=UTC), 72)
    assert features.build(bars, bars.last_end, 6, NEW_YORK) == pytest.approx(vector_and_scale(bars, 6)[0])


def test_the_feature_hash_names_the_vector():
    answer = get("/predict?symbol=BRK.B&horizon=4")
    row = next(row for row in get("/history?symbol=BRK.B&limit=200")["predictions"] if row["id"] == answer["id"])
    bars = FEED.bars("BRK.B", datetime.fromisoformat(answer["as_of"]), 72)
    assert row["feature_hash"] == features.digest(features.build(bars, bars.last_end, 4, NEW_YORK))
