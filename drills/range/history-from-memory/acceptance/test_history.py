"""The history tells every prediction once, at once and in order, and the process does not grow with it."""

import json
import os
import time
import urllib.request

import pytest

SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")


def ask(path):
    with urllib.request.urlopen(os.environ["TARGET_URL"] + path, timeout=5) as answer:
        return json.load(answer)


def memory():
    with urllib.request.urlopen(os.environ["TARGET_URL"] + "/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("process_resident_memory_bytes"))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_prediction_is_there_once(symbol):
    time.sleep(0.5)
    rows = ask(f"/history?symbol={symbol}&limit=500")["predictions"]
    ids = [row["id"] for row in rows]
    assert ids
    assert len(ids) == len(set(ids))
    assert [row["as_of"] for row in rows] == sorted(row["as_of"] for row in rows)
    assert {row["symbol"] for row in rows} == {symbol}


@pytest.mark.parametrize("symbol", ["aapl", "BTC-USD"])
def test_a_prediction_is_there_at_once(symbol):
    made = [ask(f"/predict?symbol={symbol}&horizon={horizon}")["id"] for horizon in (1, 7, 24)]
    told = [row["id"] for row in ask(f"/history?symbol={symbol}&limit=30")["predictions"]]
    assert [one for one in told if one in made] == made


def test_memory_stays():
    """A second's predictions are some 40 KB."""
    before = memory()
    time.sleep(8)
    assert memory() - before < 6 * 2**20
