"""Predictions are made from the exchange's bars again, and they are fresh."""

import json
import os
import time
import urllib.error
import urllib.request

import pytest

URL = os.environ["TARGET_URL"].rstrip("/")
PRICES = {"AAPL": 210, "MSFT": 420, "NVDA": 120, "BRK.B": 450, "SNDL": 1.9, "BTC-USD": 64000}


def get(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)


@pytest.mark.parametrize("symbol", PRICES)
def test_every_symbol_is_predicted_by_the_model(symbol):
    for horizon in (1, 5, 24):
        answer = get(f"/predict?symbol={symbol}&horizon={horizon}")
        assert answer["method"] == "model"
        assert answer["naive"] == pytest.approx(PRICES[symbol], rel=0.25)
        assert answer["value"] == pytest.approx(answer["naive"], rel=0.2)


def test_batches_too():
    batch = get("/predict/batch", {"requests": [{"symbol": symbol.lower(), "horizon": 7} for symbol in PRICES]})
    assert [item["symbol"] for item in batch["predictions"]] == list(PRICES)


def test_the_bars_are_new():
    first = get("/predict?symbol=BTC-USD")["naive"]
    assert get("/status")["data_age_seconds"] < 4 * 3600
    time.sleep(2.5)
    assert get("/predict?symbol=BTC-USD")["naive"] != first


def test_a_symbol_that_nobody_knows_is_still_refused():
    with pytest.raises(urllib.error.HTTPError) as refused:
        get("/predict?symbol=XXXX")
    assert refused.value.code == 404
