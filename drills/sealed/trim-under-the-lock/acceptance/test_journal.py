"""The journal takes any number of predictions, from any number of threads, and keeps the newest."""

import json
import os
import threading
import urllib.request

from market_predictor import journal
from market_predictor.journal import Journal, Prediction

URL = os.environ["TARGET_URL"].rstrip("/")


def get(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=3) as response:
        return json.load(response)


def row(number, symbol="AAPL"):
    return Prediction(str(number), "", symbol, 1, "r", "v1", "f", "d", 1.0, 1.0, 1, "model")


def finishes(work, seconds=3):
    done = threading.Event()

    def run():
        work()
        done.set()

    threading.Thread(target=run, daemon=True).start()
    return done.wait(seconds)


def test_many_predictions_are_recorded(tmp_path):
    kept = Journal(tmp_path)
    assert finishes(lambda: [kept.add(row(number)) for number in range(3 * journal.TRIM_EVERY + 1)])
    assert kept.newest(1)[0].id == str(3 * journal.TRIM_EVERY)


def test_and_from_several_threads_beside_readers(tmp_path):
    kept = Journal(tmp_path)

    def work(first):
        for number in range(first, first + 600):
            kept.add(row(number))
            if number % 50 == 0:
                kept.trim()
                kept.of("AAPL", 5)

    threads = [threading.Thread(target=work, args=(first,), daemon=True) for first in (0, 600, 1_200, 1_800)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(1)
    assert not any(thread.is_alive() for thread in threads)
    assert len(kept.newest(5_000)) == 2_400


def test_old_rows_are_still_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "MOST_ROWS", 100)
    monkeypatch.setattr(journal, "TRIM_EVERY", 50)
    kept = Journal(tmp_path)
    assert finishes(lambda: [kept.add(row(number)) for number in range(450)])
    rows = kept.newest(1_000)
    assert len(rows) <= 151
    assert rows[-1].id == "449"


def test_the_service_goes_on_through_a_trim():
    for _ in range(24):
        batch = get("/predict/batch", {"requests": [{"symbol": "MSFT", "horizon": 2}] * 50})
        assert len(batch["predictions"]) == 50
    made = get("/predict?symbol=AAPL")
    assert made["id"] in [item["id"] for item in get("/history?symbol=AAPL&limit=300")["predictions"]]
