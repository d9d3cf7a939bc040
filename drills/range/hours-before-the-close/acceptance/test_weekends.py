"""Predictions into weekends and holidays are answered, and those into trading days as before."""

import json
import os
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from market_predictor import calendar
from market_predictor.app import create
from market_predictor.feed import SyntheticFeed
from market_predictor.settings import Settings

NEW_YORK = "America/New_York"
SYMBOLS = ("AAPL", "msft", "NVDA", "BRK.B", "SNDL", "BTC-USD")
RESTING = [
    datetime(2025, 3, 7, 16, 30, tzinfo=UTC),  # Friday; a day later it is Saturday
    datetime(2025, 3, 8, 12, tzinfo=UTC),
    datetime(2025, 3, 9, 7, tzinfo=UTC),
    datetime(2025, 4, 17, 21, tzinfo=UTC),  # the day before Good Friday
    datetime(2025, 12, 24, 20, tzinfo=UTC),
]
TRADING = [
    datetime(2025, 3, 4, 17, 5, tzinfo=UTC),
    datetime(2025, 7, 2, 22, tzinfo=UTC),  # before a half day
    datetime(2025, 3, 9, 18, tzinfo=UTC),  # a day later it is Monday
]


def served(moment, folder, horizon=24, symbol="AAPL"):
    settings = Settings(hours_per_second=0.0, market_start=moment, state_dir=folder, log_file=folder / "log")
    with TestClient(create(settings), raise_server_exceptions=False) as client:
        return client.get("/predict", params={"symbol": symbol, "horizon": horizon})


@pytest.mark.parametrize("moment", RESTING + TRADING)
def test_any_day_is_answered(moment, tmp_path):
    for symbol in ("NVDA", "BTC-USD"):
        answer = served(moment, tmp_path, symbol=symbol)
        assert answer.status_code == 200
        naive = SyntheticFeed(7, NEW_YORK).bars(symbol, moment, 1).close[-1]
        assert answer.json()["naive"] == pytest.approx(naive)
        assert answer.json()["value"] == pytest.approx(naive, rel=0.1)
        assert answer.json()["method"] == "model"


@pytest.mark.parametrize("moment", TRADING)
def test_where_the_close_is_told_it_is_right(moment, tmp_path):
    """Whoever took the field away is not asked for it."""
    told = served(moment, tmp_path).json()
    ends = moment.replace(minute=0) + timedelta(hours=24)
    wanted = (calendar.closes_at(ends.astimezone(calendar.zone(NEW_YORK)).date(), NEW_YORK) - ends).total_seconds() / 60
    if told.get("minutes_before_close") is not None:
        assert told["minutes_before_close"] == round(wanted)
    if told.get("before_close") is not None:
        assert told["before_close"] == pytest.approx(wanted / 60, abs=0.02)


@pytest.mark.parametrize("moment", RESTING[1:3])
def test_a_day_without_trading_has_no_close(moment, tmp_path):
    told = served(moment, tmp_path, horizon=1).json()
    assert not isinstance(told.get("minutes_before_close"), int)
    assert not isinstance(told.get("before_close"), float)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_service_answers_single_ones_and_batches(symbol):
    for horizon in (1, 12, 20, 24):
        url = f"{os.environ['TARGET_URL']}/predict?symbol={symbol}&horizon={horizon}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            assert json.load(answer)["horizon"] == horizon
    wanted = json.dumps({"requests": [{"symbol": symbol, "horizon": 24}, {"symbol": "AAPL", "horizon": 2}]}).encode()
    request = urllib.request.Request(f"{os.environ['TARGET_URL']}/predict/batch", wanted, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert [one["horizon"] for one in json.load(answer)["predictions"]] == [24, 2]
