"""Predictions come in time, and are those of the market."""

import json
import os
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

URL = os.environ["TARGET_URL"].rstrip("/")
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")


def timed(symbol, horizon=3):
    began = time.perf_counter()
    with urllib.request.urlopen(f"{URL}/predict?symbol={symbol}&horizon={horizon}", timeout=10) as answer:
        body = json.loads(answer.read())
    return time.perf_counter() - began, body


def test_predictions_come_in_time():
    """Over several market hours: whoever asks first after the hour does not wait either."""
    seconds = []
    until = time.monotonic() + 5
    with ThreadPoolExecutor(6) as pool:
        while time.monotonic() < until:
            found = list(pool.map(timed, SYMBOLS))
            seconds += [took for took, _ in found]
            assert all(body["method"] == "model" for _, body in found)
            time.sleep(0.13)
    slow = sum(took > 0.25 for took in seconds)
    assert slow <= 0.12 * len(seconds), f"{slow} of {len(seconds)} took over 0.25 s"


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_predictions_are_near_the_price(symbol):
    _, body = timed(symbol, 6)
    assert body["value"] == pytest.approx(body["naive"], rel=0.12)


def test_a_batch_comes_in_time():
    data = json.dumps({"requests": [{"symbol": symbol, "horizon": 2} for symbol in SYMBOLS]}).encode()
    request = urllib.request.Request(f"{URL}/predict/batch", data, {"Content-Type": "application/json"})
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert [one["symbol"] for one in json.loads(answer.read())["predictions"]] == list(SYMBOLS)
    assert time.perf_counter() - began < 1.0
