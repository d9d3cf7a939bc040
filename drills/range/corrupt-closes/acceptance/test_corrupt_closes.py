"""Predictions start from the market's prices and fit it."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from datetime import datetime

import pytest
from market_predictor.feed import HOUR, SyntheticFeed

URL = os.environ["TARGET_URL"]
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")
MARKET = SyntheticFeed(7, "America/New_York")
HORIZONS = (1, 2, 3, 5, 9, 14, 20, 24)


def ask(path, body=None):
    """The status, the answer and how many seconds it took."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"content-type": "application/json"})
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    return status, text.decode(), time.perf_counter() - began


def predicted(symbol, horizon=1):
    status, text, _ = ask(f"/predict?symbol={symbol}&horizon={horizon}")
    assert status == 200, f"{symbol} {horizon}: {status} {text}"
    return json.loads(text)


def realised(answer):
    """What the market will have done at the prediction's horizon, and its closes before the prediction."""
    made = datetime.fromisoformat(answer["as_of"]).replace(minute=0, second=0, microsecond=0)
    bar = MARKET.bars(answer["symbol"], made + answer["horizon"] * HOUR, 1)
    return float(bar.close[-1]), MARKET.bars(answer["symbol"], made, 3).close


def test_the_model_is_better_than_the_last_price():
    ours = naive = 0.0
    for number in range(144):
        answer = predicted(SYMBOLS[number % 6], HORIZONS[number // 6 % 8])
        assert answer["method"] == "model"
        assert not answer["quarantined"]
        close, _ = realised(answer)
        assert abs(answer["value"] / close - 1) < 0.25, answer
        ours, naive = ours + abs(answer["value"] / close - 1), naive + abs(answer["naive"] / close - 1)
        time.sleep(0.06)
    assert ours < 0.85 * naive


def test_predictions_start_from_the_markets_price():
    for symbol in SYMBOLS:
        answer = predicted(symbol, 4)
        assert any(answer["naive"] == pytest.approx(close) for close in realised(answer)[1])


def test_refusals_stay_what_they_were():
    assert ask("/predict?symbol=NOSUCH&horizon=1")[0] == 404
    assert ask("/predict?symbol=AAPL&horizon=25")[0] == 422
