"""Predictions come quickly, and are made from young bars."""

from __future__ import annotations

import json
import math
import os
import time
import urllib.error
import urllib.request

import pytest

URL = os.environ["TARGET_URL"]
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")


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


def test_predictions_come_quickly_at_every_moment():
    slow = []
    for number in range(90):
        status, text, took = ask(f"/predict?symbol={SYMBOLS[number % 6]}&horizon={1 + number % 24}")
        assert status == 200, text
        assert json.loads(text)["method"] == "model"
        slow += [took] if took > 0.2 else []
        assert len(slow) < 10, slow
        time.sleep(0.07)


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("horizon", [1, 5, 24])
def test_every_symbol_gets_a_models_prediction(symbol, horizon):
    answer = predicted(symbol, horizon)
    assert (answer["symbol"], answer["horizon"], answer["method"]) == (symbol, horizon, "model")
    assert answer["value"] == pytest.approx(answer["naive"], rel=0.2)
    assert math.isfinite(answer["value"])


def test_a_batch_gets_them_too():
    wanted = [{"symbol": symbol, "horizon": 7} for symbol in SYMBOLS]
    status, text, _ = ask("/predict/batch", {"requests": wanted})
    assert status == 200, text
    assert [item["symbol"] for item in json.loads(text)["predictions"]] == list(SYMBOLS)


def test_the_bars_are_young():
    for _ in range(8):
        predicted("MSFT", 2)
        line = next(row for row in ask("/metrics")[1].splitlines() if row.startswith("data_age_seconds "))
        assert float(line.split()[1]) <= 3 * 3600
        time.sleep(0.5)


def test_refusals_stay_what_they_were():
    assert ask("/predict?symbol=NOSUCH&horizon=1")[0] == 404
    assert ask("/predict?symbol=AAPL&horizon=25")[0] == 422
