"""Batches of every size are answered, and hold what single requests hold."""

import pytest

SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")


def batch(ask, wanted):
    """One batch of (symbol, horizon)."""
    return ask("/predict/batch", {"requests": [{"symbol": symbol, "horizon": horizon} for symbol, horizon in wanted]})


@pytest.mark.parametrize("horizon", (1, 5, 24))
@pytest.mark.parametrize("symbol", (*SYMBOLS, "aapl"))
def test_a_batch_of_one(ask, symbol, horizon):
    """The one prediction is there."""
    status, said = batch(ask, [(symbol, horizon)])
    assert status == 200
    (one,) = said["predictions"]
    assert (one["symbol"], one["horizon"], one["method"]) == (symbol.upper(), horizon, "model")
    assert 0 < abs(one["value"] / one["naive"] - 1) < 0.2


def test_an_empty_batch(ask):
    """Nothing was asked, nothing is predicted."""
    status, said = batch(ask, [])
    assert (status, said["predictions"]) == (200, [])


def test_longer_batches_keep_their_order(ask):
    """Twins included."""
    for wanted in ([("MSFT", 2)] * 2, [(symbol, 3) for symbol in SYMBOLS], [("AAPL", 1), ("AAPL", 24)] * 25):
        status, said = batch(ask, wanted)
        assert status == 200
        assert [(one["symbol"], one["horizon"]) for one in said["predictions"]] == wanted


def test_an_unknown_symbol_in_a_batch(ask):
    """It is named, wherever it stands."""
    assert batch(ask, [("AAPL", 1), ("NOSUCH", 1)])[0] == 404
    assert batch(ask, [("NOSUCH", 1)])[0] == 404


def test_what_was_refused_is_refused(ask):
    """Unknown symbols, horizons out of range and batches that are too long."""
    assert ask("/predict?symbol=NOSUCH")[0] == 404
    assert ask("/predict?symbol=AAPL&horizon=25")[0] == 422
    assert ask("/predict?symbol=AAPL&horizon=0")[0] == 422
    assert ask("/predict/batch", {"requests": [{"symbol": "AAPL"}] * 51})[0] == 422
