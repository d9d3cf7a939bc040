"""Predictions start from the bar that has just ended."""

import json
import os
import time
import urllib.request
from datetime import datetime

import pytest

URL = os.environ["TARGET_URL"].rstrip("/")
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")


def get(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)


def hour(moment):
    return (datetime.fromisoformat(moment) - datetime.fromisoformat("2024-01-01T00:00:00+00:00")).total_seconds() // 3600


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_the_target_counts_from_now(symbol):
    for horizon in (1, 6):
        made = get(f"/predict?symbol={symbol}&horizon={horizon}")
        assert made["method"] == "model"
        row = next(row for row in reversed(get(f"/history?symbol={symbol}&limit=200")["predictions"]) if row["id"] == made["id"])
        assert 0 <= hour(made["as_of"]) - (row["target_hour"] - horizon) <= 3


def test_the_age_of_the_data_is_small():
    for _ in range(6):
        assert get("/status")["data_age_seconds"] <= 3 * 3600
        time.sleep(0.4)


def test_the_last_price_moves():
    seen = set()
    for _ in range(4):
        seen.add(get("/predict?symbol=NVDA&horizon=2")["naive"])
        time.sleep(1.1)
    assert len(seen) >= 3
