"""Predictions are numbers, also where nobody trades."""

import math

import pytest

SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")
NAMES = ("SNDL", "sndl", "AAPL", "BTC-USD")


@pytest.mark.parametrize("horizon", (1, 2, 6, 24))
@pytest.mark.parametrize("symbol", NAMES)
def test_every_symbol(ask, symbol, horizon):
    """The one that rests overnight, too."""
    status, said = ask(f"/predict?symbol={symbol}&horizon={horizon}")
    assert status == 200
    assert (said["symbol"], said["method"]) == (symbol.upper(), "model")
    assert math.isfinite(said["value"])
    assert abs(said["value"] / said["naive"] - 1) < 0.3


def test_in_a_batch(ask):
    """Beside others."""
    status, said = ask("/predict/batch", {"requests": [{"symbol": symbol, "horizon": 4} for symbol in SYMBOLS]})
    assert status == 200
    assert [one["symbol"] for one in said["predictions"]] == list(SYMBOLS)


def test_all_hours_of_two_days_and_nights(service, at, close):
    """A number from the right price, in every session."""
    for hours in range(48):
        now = at(hours)
        for symbol in SYMBOLS:
            said = service.predict(symbol, 3)
            assert math.isfinite(said.value)
            assert (said.method, said.naive) == ("model", pytest.approx(close(symbol, now)))


def test_predictions_are_good(service, at, close):
    """Better than the last price, for every symbol."""
    for symbol in SYMBOLS:
        model = naive = 0.0
        for hours in range(0, 144, 5):
            now = at(hours)
            truth, said = close(symbol, now, 3), service.predict(symbol, 3)
            model += abs(said.value / truth - 1)
            naive += abs(said.naive / truth - 1)
        assert model < 0.9 * naive


def test_what_was_refused_is_refused(ask):
    """Unknown symbols, horizons out of range and batches that are too long."""
    assert ask("/predict?symbol=NOSUCH")[0] == 404
    assert ask("/predict?symbol=AAPL&horizon=25")[0] == 422
    assert ask("/predict?symbol=AAPL&horizon=0")[0] == 422
    assert ask("/predict/batch", {"requests": [{"symbol": "AAPL"}] * 51})[0] == 422
