"""Symbols with a dot of their own are predicted like all others."""

import pytest

SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")


@pytest.mark.parametrize("horizon", (1, 6, 24))
@pytest.mark.parametrize("symbol", ("BRK.B", "brk.b", "Brk.b", *SYMBOLS, "aapl", "btc-usd"))
def test_every_symbol_in_any_case(ask, symbol, horizon):
    """Under its own name."""
    status, said = ask(f"/predict?symbol={symbol}&horizon={horizon}")
    assert status == 200
    assert (said["symbol"], said["method"]) == (symbol.upper(), "model")


def test_in_a_batch(ask):
    """Beside others."""
    status, said = ask("/predict/batch", {"requests": [{"symbol": symbol} for symbol in ("BRK.B", "MSFT", "brk.b")]})
    assert status == 200
    assert [one["symbol"] for one in said["predictions"]] == ["BRK.B", "MSFT", "BRK.B"]


def test_prices_are_those_of_the_symbol(service, at, close):
    """Not those of a neighbour."""
    for hours in (0, 31):
        now = at(hours)
        for symbol in SYMBOLS:
            said = service.predict(symbol, 3)
            assert said.naive == pytest.approx(close(symbol, now))
            assert abs(said.value / said.naive - 1) < 0.2


@pytest.mark.parametrize("symbol", ("NOSUCH", "BRK", "BRK.C", "NOSUCH.B", "."))
def test_what_nobody_follows_is_unknown(ask, symbol):
    """Half a name is no name."""
    assert ask(f"/predict?symbol={symbol}")[0] == 404


def test_what_was_refused_is_refused(ask):
    """Unknown symbols, horizons out of range and batches that are too long."""
    assert ask("/predict?symbol=NOSUCH")[0] == 404
    assert ask("/predict?symbol=AAPL&horizon=25")[0] == 422
    assert ask("/predict?symbol=AAPL&horizon=0")[0] == 422
    assert ask("/predict/batch", {"requests": [{"symbol": "AAPL"}] * 51})[0] == 422
