"""Answers come at once, alone and in crowds."""

import threading
import time

import pytest

SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")


def timed(ask, path, body=None):
    """Seconds, status and answer of one request."""
    began = time.perf_counter()
    status, said = ask(path, body)
    return time.perf_counter() - began, status, said


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_one_after_the_other(ask, symbol):
    """The usual request takes a few milliseconds; the median forgives a slow machine."""
    found = [timed(ask, f"/predict?symbol={symbol}&horizon=3") for _ in range(9)]
    assert {status for _, status, _ in found} == {200}
    assert sorted(seconds for seconds, _, _ in found)[4] < 0.08


def test_many_at_once(ask):
    """Nobody queues behind the others."""
    found, threads = [], []
    for number in range(24):
        path = f"/predict?symbol={SYMBOLS[number % 6]}&horizon={number % 24 + 1}"
        threads.append(threading.Thread(target=lambda path=path: found.append(timed(ask, path))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for _, status, _ in found] == [200] * 24
    assert sorted(seconds for seconds, _, _ in found)[20] < 1.0


def test_with_the_default_horizon(ask):
    """It is as quick."""
    found = [timed(ask, "/predict?symbol=AAPL") for _ in range(9)]
    assert sorted(seconds for seconds, _, _ in found)[4] < 0.08


def test_batches_and_status_answer(ask):
    """With what they always held."""
    status, said = ask("/predict/batch", {"requests": [{"symbol": symbol, "horizon": 4} for symbol in SYMBOLS]})
    assert (status, [one["symbol"] for one in said["predictions"]]) == (200, list(SYMBOLS))
    assert ask("/status")[1]["score"]["n"] >= 0
    assert ask("/health")[1]["status"] == "ok"


def test_predictions_are_the_models(service, at, close):
    """From the right price."""
    now = at(20)
    for symbol in SYMBOLS:
        said = service.predict(symbol, 3)
        assert (said.method, said.naive) == ("model", pytest.approx(close(symbol, now)))


def test_what_was_refused_is_refused(ask):
    """Unknown symbols, horizons out of range and batches that are too long."""
    assert ask("/predict?symbol=NOSUCH")[0] == 404
    assert ask("/predict?symbol=AAPL&horizon=25")[0] == 422
    assert ask("/predict?symbol=AAPL&horizon=0")[0] == 422
    assert ask("/predict/batch", {"requests": [{"symbol": "AAPL"}] * 51})[0] == 422
