"""The service is up with its old journal, and /history tells its newest predictions."""

from __future__ import annotations

import json
import math
import os
import time
import urllib.error
import urllib.request

import pytest
from market_predictor.journal import Journal

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


def test_the_service_stays_up():
    for _ in range(20):
        status, text, _ = ask("/health")
        assert (status, json.loads(text)["status"]) == (200, "ok")
        time.sleep(0.2)


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


def test_history_has_the_newest_predictions():
    made = [predicted("NVDA", horizon)["id"] for horizon in (1, 2, 3)]
    status, text, _ = ask("/history?symbol=nvda&limit=500")
    assert status == 200, text
    known = [row["id"] for row in json.loads(text)["predictions"]]
    assert [one for one in known if one in made] == made
    assert ask("/history?symbol=NOSUCH")[0] == 404


def test_a_fresh_journal_works_as_well(tmp_path):
    journal = Journal(tmp_path)
    assert journal.newest(5) == journal.of("AAPL", 5) == []
    journal.close()


def test_refusals_stay_what_they_were():
    assert ask("/predict?symbol=NOSUCH&horizon=1")[0] == 404
    assert ask("/predict?symbol=AAPL&horizon=25")[0] == 422
