"""Every symbol is predicted, whenever it trades, and the health route answers."""

import pytest

SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")


@pytest.mark.parametrize("horizon", (1, 6, 24))
@pytest.mark.parametrize("symbol", (*SYMBOLS, "btc-usd", "sndl"))
def test_every_symbol(ask, symbol, horizon):
    """Those that never rest, too."""
    status, said = ask(f"/predict?symbol={symbol}&horizon={horizon}")
    assert status == 200
    assert (said["symbol"], said["method"], said["quarantined"]) == (symbol.upper(), "model", False)


def test_in_a_batch(ask):
    """All of them at once."""
    status, said = ask("/predict/batch", {"requests": [{"symbol": symbol, "horizon": 4} for symbol in SYMBOLS]})
    assert status == 200
    assert [one["symbol"] for one in said["predictions"]] == list(SYMBOLS)


def test_day_and_night(service, at, close):
    """The model's prediction from the right price, in every session."""
    for hours in range(0, 48, 3):
        now = at(hours)
        for symbol in SYMBOLS:
            said = service.predict(symbol, 2)
            assert (said.method, said.naive) == ("model", pytest.approx(close(symbol, now)))


def test_a_quarantine_serves_the_last_price(service, at):
    """For the symbol that it names, and for no other."""
    at(12)
    service.quarantine.impose("MSFT", "prices look odd", 60)
    assert service.predict("MSFT", 2).method == "naive"
    assert service.predict("BTC-USD", 2).method == "model"


def test_health(ask):
    """Later work on the route stays."""
    status, said = ask("/health")
    assert (status, said["status"]) == (200, "ok")
    assert said["model"]


def test_what_was_refused_is_refused(ask):
    """Unknown symbols, horizons out of range and batches that are too long."""
    assert ask("/predict?symbol=NOSUCH")[0] == 404
    assert ask("/predict?symbol=AAPL&horizon=25")[0] == 422
    assert ask("/predict?symbol=AAPL&horizon=0")[0] == 422
    assert ask("/predict/batch", {"requests": [{"symbol": "AAPL"}] * 51})[0] == 422
