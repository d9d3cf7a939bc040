"""What the acceptance tests of these drills share: how they reach the service, and what it would say at any market time."""

import json
import os
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from market_predictor.app import create
from market_predictor.clock import MarketClock
from market_predictor.settings import from_environment

MONDAY = datetime(2025, 3, 3, 9, tzinfo=UTC)


@pytest.fixture(scope="session")
def ask():
    """One request to the running service: its status and its JSON."""

    def send(path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            os.environ["TARGET_URL"] + path, data, {"content-type": "application/json"} if data else {}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return send


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """The released code in this process, with a clock that stands still."""
    folder = tmp_path_factory.mktemp("state")
    env = {"MP_STATE_DIR": str(folder), "MP_LOG_FILE": str(folder / "log"), "MP_HOURS_PER_SECOND": "0"}
    predictor = create(from_environment(env | {"MP_MARKET_START": MONDAY.isoformat()})).state.predictor
    yield predictor
    predictor.close()


@pytest.fixture(scope="session")
def at(service):
    """Set the market time, in hours after a Monday morning."""

    def move(hours):
        service.clock = MarketClock(0, MONDAY + timedelta(hours=hours, minutes=10), 0)
        return service.clock.now()

    return move


@pytest.fixture(scope="session")
def close(service):
    """The price that a symbol really had when so many hours had passed since a market time."""
    return lambda symbol, now, hours=0: float(service.feed.bars(symbol, now + timedelta(hours=hours), 1).close[-1])


SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")
HORIZONS = (1, 3, 8, 24)


@pytest.fixture(scope="session")
def ratios(service, at, close):
    """Over six days and nights: errors of the predictions over those of the last price, by symbol and by horizon."""
    model, naive = {}, {}
    for hours in range(0, 144, 5):
        now = at(hours)
        for symbol in SYMBOLS:
            for horizon in HORIZONS:
                said, truth = service.predict(symbol, horizon), close(symbol, now, horizon)
                for key in (symbol, horizon):
                    model[key] = model.get(key, 0.0) + abs(said.value / truth - 1)
                    naive[key] = naive.get(key, 0.0) + abs(close(symbol, now) / truth - 1)
    return {key: model[key] / naive[key] for key in model}
