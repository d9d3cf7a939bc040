"""Hours without a trade are bars like others; answers that are none are refused."""

import json
import os
import urllib.request
from datetime import UTC, datetime

import httpx2
import numpy as np
import pytest
from market_predictor.feed import FeedUnavailable
from market_predictor.vendor import VendorFeed

URL = os.environ["TARGET_URL"].rstrip("/")
NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


def get(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)


@pytest.mark.parametrize("horizon", [1, 2, 7, 12, 24])
def test_the_thin_symbol_is_predicted(horizon):
    for symbol in ("SNDL", "sndl"):
        answer = get(f"/predict?symbol={symbol}&horizon={horizon}")
        assert (answer["symbol"], answer["method"]) == ("SNDL", "model")
        assert answer["naive"] == pytest.approx(1.9, rel=0.25)


def test_and_in_a_batch():
    wanted = [{"symbol": symbol, "horizon": 3} for symbol in ("AAPL", "SNDL", "BTC-USD")]
    assert [item["symbol"] for item in get("/predict/batch", {"requests": wanted})["predictions"]] == ["AAPL", "SNDL", "BTC-USD"]


def test_no_symbol_is_failing():
    assert get("/status")["feed"]["failing"] == []


def bar(hour, **changes):
    return {"hour": f"2025-03-04T{hour:02d}:00:00Z", **dict.fromkeys(("open", "high", "low", "close"), 10.0), "volume": 5.0, **changes}


def asked(content, symbol="AAPL", count=4):
    vendor = VendorFeed("http://exchange.invalid", 1.0)
    vendor.close()
    vendor._client = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, content=content)))
    try:
        return vendor.bars(symbol, NOON, count)
    finally:
        vendor.close()


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT", "BTC-USD"])
@pytest.mark.parametrize("quiet", [[9], [8, 9, 10, 11], [11]])
def test_quiet_hours_of_any_symbol_come_as_they_are(symbol, quiet):
    rows = [bar(hour, volume=0.0 if hour in quiet else 7.0, close=10.0 + hour) for hour in range(8, 12)]
    bars = asked(json.dumps({"symbol": symbol, "bars": rows}).encode(), symbol)
    assert bars.volume.tolist() == [0.0 if hour in quiet else 7.0 for hour in range(8, 12)]
    assert bars.close.tolist() == [18.0, 19.0, 20.0, 21.0]
    assert np.diff(bars.hours).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "content",
    [
        b"<html>maintenance</html>",
        json.dumps({"symbol": "MSFT", "bars": [bar(9)]}).encode(),
        json.dumps({"symbol": "AAPL", "bars": [bar(9), bar(8)]}).encode(),
        json.dumps({"symbol": "AAPL", "bars": [bar(9, close=None)]}).encode(),
    ],
)
def test_answers_of_another_form_are_still_refused(content):
    with pytest.raises(FeedUnavailable):
        asked(content)
