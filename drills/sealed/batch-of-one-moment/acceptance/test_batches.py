"""A batch is for now, as a single prediction is."""

import json
import os
import time
import urllib.request
from datetime import datetime

import pytest

URL = os.environ["TARGET_URL"].rstrip("/")


def get(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)


@pytest.fixture(autouse=True, scope="module")
def running_for_a_while():
    """A process that has just started is no witness."""
    get("/predict/batch", {"requests": [{"symbol": "AAPL"}]})
    time.sleep(7)


def market_time():
    return datetime.fromisoformat(get("/status")["market_time"])


def hours(later, earlier):
    return (later - earlier).total_seconds() / 3600


BATCHES = [
    [{"symbol": "AAPL", "horizon": 1}],
    [{"symbol": "msft"}, {"symbol": "msft"}],
    [{"symbol": symbol, "horizon": 12} for symbol in ("NVDA", "BRK.B", "SNDL", "BTC-USD", "AAPL")],
    [{"symbol": "BTC-USD", "horizon": horizon} for horizon in range(1, 25)],
]


@pytest.mark.parametrize("wanted", BATCHES)
def test_a_batch_is_for_now(wanted):
    for _ in range(2):
        before = market_time()
        answers = get("/predict/batch", {"requests": wanted})["predictions"]
        after = market_time()
        assert [item["symbol"] for item in answers] == [item["symbol"].upper() for item in wanted]
        assert [item["horizon"] for item in answers] == [item.get("horizon", 1) for item in wanted]
        for item in answers:
            assert before <= datetime.fromisoformat(item["as_of"]) <= after


def test_it_says_what_a_single_prediction_says():
    for symbol in ("AAPL", "SNDL"):
        for _ in range(8):
            single = get(f"/predict?symbol={symbol}&horizon=4")
            batch = get("/predict/batch", {"requests": [{"symbol": symbol, "horizon": 4}]})["predictions"][0]
            if single["as_of"][:13] == batch["as_of"][:13]:
                assert (batch["value"], batch["naive"]) == (single["value"], single["naive"])
                break
        else:
            pytest.fail("the two were never of one hour")


def test_the_data_is_fresh_after_a_batch():
    for _ in range(5):
        get("/predict/batch", {"requests": [{"symbol": "AAPL", "horizon": 2}]})
        assert get("/status")["data_age_seconds"] < 3 * 3600


def test_an_empty_batch_is_empty():
    assert get("/predict/batch", {"requests": []}) == {"predictions": []}


def test_single_predictions_are_for_now():
    before = market_time()
    assert before <= datetime.fromisoformat(get("/predict?symbol=NVDA&horizon=3")["as_of"]) <= market_time()
