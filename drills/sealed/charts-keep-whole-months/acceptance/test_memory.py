"""Predictions take little memory, and the charts, where there are any, are right."""

import json
import os
import re
import time
import tracemalloc
import urllib.error
import urllib.request
from datetime import UTC, datetime

import pytest
from market_predictor.predictor import Predictor
from market_predictor.settings import Settings

URL = os.environ["TARGET_URL"].rstrip("/")
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")
NOON = datetime(2025, 3, 4, 17, 5, tzinfo=UTC)


def get(path):
    with urllib.request.urlopen(URL + path, timeout=10) as answer:
        return answer.read().decode()


def resident():
    return float(re.search(r"^process_resident_memory_bytes (\S+)", get("/metrics"), re.M)[1])


def batch(size):
    wanted = [{"symbol": SYMBOLS[number % 6], "horizon": 1 + number % 24} for number in range(size)]
    request = urllib.request.Request(
        URL + "/predict/batch", json.dumps({"requests": wanted}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())["predictions"]


def test_the_service_does_not_grow_with_predictions():
    batch(12)
    before = resident()
    for _ in range(60):
        assert len(batch(20)) == 20
        time.sleep(0.02)
    assert resident() - before < 30e6


def test_what_is_kept_of_a_prediction_is_small(tmp_path):
    predictor = Predictor(Settings(hours_per_second=0.0, market_start=NOON, state_dir=tmp_path, log_file=tmp_path / "x"))
    for symbol in SYMBOLS:
        predictor.predict(symbol, 3)
    tracemalloc.start()
    for number in range(240):
        predictor.predict(SYMBOLS[number % 6], 1 + number % 24)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    predictor.close()
    assert kept < 3e6


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_predictions_and_charts_are_right(symbol):
    answer = json.loads(get(f"/predict?symbol={symbol}&horizon=2"))
    assert answer["value"] == pytest.approx(answer["naive"], rel=0.1)
    rows = json.loads(get(f"/history?symbol={symbol}&limit=200"))["predictions"]
    assert answer["id"] in {row["id"] for row in rows}
    try:
        charts = json.loads(get(f"/charts?symbol={symbol}&limit=500"))["charts"]
    except urllib.error.HTTPError as error:
        assert error.code == 404  # the release before had none
        return
    chart = next(chart for chart in charts if chart["id"] == answer["id"])
    assert (len(chart["day"]), chart["day"][-1]) == (24, answer["naive"])
    assert 0 <= chart["standing"] <= 1
    assert len({chart["id"] for chart in charts}) == len(charts) > 1
