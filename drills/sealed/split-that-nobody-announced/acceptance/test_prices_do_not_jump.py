"""Forecasts are near the price, for every symbol and horizon."""

import json
import os
import urllib.request

import pytest

URL = os.environ["TARGET_URL"].rstrip("/")
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")


def predictions():
    wanted = [{"symbol": symbol, "horizon": horizon} for symbol in SYMBOLS for horizon in (1, 2, 3, 6, 12, 18, 24)]
    data = json.dumps({"requests": wanted}).encode()
    request = urllib.request.Request(URL + "/predict/batch", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())["predictions"]


def test_the_model_answers():
    assert {one["method"] for one in predictions()} == {"model"}


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_forecasts_are_near_the_price(symbol):
    for one in predictions():
        if one["symbol"] == symbol:
            assert one["value"] == pytest.approx(one["naive"], rel=0.1)
