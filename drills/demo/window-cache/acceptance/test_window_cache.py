"""Memory does not grow with the moments that are asked about."""

import tracemalloc

import pytest
from conftest import SYMBOLS


def test_memory_is_bounded(service, at):
    """A thousand moments leave behind little more than their journal."""
    for hours in range(60):
        for symbol in SYMBOLS:
            at(hours / 3)
            service.predict(symbol, 1)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(180):
            for symbol in SYMBOLS:
                at(20 + number / 40)
                service.predict(symbol, 1)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 12 * 2**20


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_predictions_of_every_symbol_beat_the_last_price(ratios, symbol):
    """By a good deal, as they always did."""
    assert ratios[symbol] < 0.85


@pytest.mark.parametrize("horizon", (1, 3, 8))
def test_predictions_of_every_horizon_beat_the_last_price(ratios, horizon):
    """Near ones and far ones."""
    assert ratios[horizon] < 0.85


def test_predictions_are_the_models(service, at):
    """Nothing is silenced by serving the last price."""
    at(30)
    for symbol in SYMBOLS:
        said = service.predict(symbol, 3)
        assert (said.method, said.value == said.naive) == ("model", False)


def test_the_last_price_is_told_as_it_is(service, at, close):
    """Clients compare predictions with it."""
    for hours in (0, 17, 40):
        now = at(hours)
        for symbol in SYMBOLS:
            assert service.predict(symbol, 2).naive == pytest.approx(close(symbol, now))


@pytest.mark.parametrize("horizon", (1, 24))
def test_the_running_service_answers_every_symbol(ask, horizon):
    """With prices that are near to the last one."""
    for symbol in SYMBOLS:
        status, said = ask(f"/predict?symbol={symbol}&horizon={horizon}")
        assert status == 200
        assert said["method"] == "model"
        assert abs(said["value"] / said["naive"] - 1) < 0.2


def test_what_was_refused_is_refused(ask):
    """Unknown symbols, horizons out of range and batches that are too long."""
    assert ask("/predict?symbol=NOSUCH")[0] == 404
    assert ask("/predict?symbol=AAPL&horizon=25")[0] == 422
    assert ask("/predict?symbol=AAPL&horizon=0")[0] == 422
    assert ask("/predict/batch", {"requests": [{"symbol": "AAPL"}] * 51})[0] == 422
