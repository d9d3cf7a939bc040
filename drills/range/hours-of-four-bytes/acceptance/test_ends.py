"""A window ends when its last bar does, in any year, and predictions follow from that."""

import json
import os
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from market_predictor import features
from market_predictor.feed import Bars, SyntheticFeed, hour_of
from market_predictor.predictor import Predictor
from market_predictor.settings import Settings

NEW_YORK = "America/New_York"
HOUR = timedelta(hours=1)
MOMENTS = [
    datetime(2024, 1, 2, tzinfo=UTC),
    datetime(2025, 3, 4, 17, tzinfo=UTC),
    datetime(2038, 1, 19, 3, tzinfo=UTC),
    datetime(2038, 1, 19, 4, tzinfo=UTC),
    datetime(2038, 7, 1, 15, tzinfo=UTC),
    datetime(2060, 2, 29, 23, tzinfo=UTC),
    datetime(2099, 12, 31, 12, tzinfo=UTC),
    datetime(2015, 5, 5, 5, tzinfo=UTC),
]


def ask(path):
    with urllib.request.urlopen(os.environ["TARGET_URL"] + path, timeout=5) as answer:
        return json.load(answer)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("symbol", ["AAPL", "BTC-USD"])
def test_a_window_ends_at_its_moment(symbol, moment):
    bars = SyntheticFeed(7, NEW_YORK).bars(symbol, moment + timedelta(minutes=59), 72)
    assert bars.last_end == moment
    assert bars.last_end.tzinfo is not None
    assert len(bars.hours) == 72
    assert int(bars.hours[-1]) == hour_of(moment) - 1


@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_the_kind_of_the_hours_does_not_matter(kind):
    for hour in (-80_000, 0, 10_288, 123_182, 123_183, 200_000, 600_000):
        column = np.ones(2)
        bars = Bars(np.array([hour - 1, hour], dtype=kind), column, column, column, column, column)
        assert bars.last_end == datetime(2024, 1, 1, tzinfo=UTC) + (hour + 1) * HOUR


@pytest.mark.parametrize("moment", MOMENTS[1:6])
def test_predictions_name_the_right_hour(moment, tmp_path):
    predictor = Predictor(Settings(hours_per_second=0.0, market_start=moment, state_dir=tmp_path))
    made = predictor.predict("NVDA", 7)
    assert made.target_hour == hour_of(moment) + 6
    assert predictor.data_age() == timedelta(0)
    bars = SyntheticFeed(7, NEW_YORK).bars("NVDA", moment, features.BARS_NEEDED)
    level = np.log(bars.close)
    season = features.waves(moment + 7 * HOUR, NEW_YORK) - features.waves(moment, NEW_YORK)
    vector = features.build(bars, moment, 7, NEW_YORK)
    assert vector[-6:] == pytest.approx(season)
    assert vector[0] == pytest.approx((level[-1] - level[-2]) / features.volatility(np.diff(level)))
    predictor.journal.close()


def test_the_data_of_the_service_is_young():
    time.sleep(2)
    for symbol in ("AAPL", "SNDL", "brk.b"):
        answer = ask(f"/predict?symbol={symbol}&horizon=2")
        assert answer["value"] == pytest.approx(answer["naive"], rel=0.1)
    assert 0 <= ask("/status")["data_age_seconds"] <= 7200
