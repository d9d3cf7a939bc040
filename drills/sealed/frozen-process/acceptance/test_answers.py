"""The service answers in time, and well."""

import json
import os
import time
import urllib.error
import urllib.request

import pytest

URL = os.environ["TARGET_URL"].rstrip("/")


def get(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=2) as response:
        return json.load(response)


@pytest.mark.parametrize("symbol", ["AAPL", "nvda", "BTC-USD"])
def test_predictions_come_in_time(symbol):
    for horizon in (1, 24):
        began = time.monotonic()
        answer = get(f"/predict?symbol={symbol}&horizon={horizon}")
        assert time.monotonic() - began < 1
        assert answer["symbol"] == symbol.upper()
        assert abs(answer["value"] / answer["naive"] - 1) < 0.2


def test_health_status_and_batches():
    assert get("/health")["status"] == "ok"
    assert get("/status")["service"] == "market-predictor"
    batch = get("/predict/batch", {"requests": [{"symbol": "MSFT", "horizon": 2}, {"symbol": "SNDL"}]})
    assert [item["symbol"] for item in batch["predictions"]] == ["MSFT", "SNDL"]


def test_the_journal_goes_on():
    made = get("/predict?symbol=BRK.B&horizon=3")["id"]
    assert made in [row["id"] for row in get("/history?symbol=BRK.B&limit=200")["predictions"]]


def test_what_is_unknown_is_still_refused():
    with pytest.raises(urllib.error.HTTPError) as refused:
        get("/predict?symbol=XXXX")
    assert refused.value.code == 404
