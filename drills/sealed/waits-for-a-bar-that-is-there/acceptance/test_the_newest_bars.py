"""The feed gives what the exchange has, without waiting, whenever in the hour it is asked."""

import json
import time
from datetime import UTC, datetime, timedelta

import httpx2
import numpy as np
import pytest
from market_predictor import exchange
from market_predictor.feed import SyntheticFeed
from market_predictor.vendor import VendorFeed

NOON = datetime(2025, 3, 4, 17, tzinfo=UTC)
MARKET = SyntheticFeed(7, "America/New_York")


def answer(request):
    target = request.url.raw_path.decode()
    return httpx2.Response(200, content=json.dumps(exchange.answer(MARKET, target)).encode())


@pytest.mark.parametrize(("symbol", "minutes"), [("AAPL", 0), ("SNDL", 1), ("AAPL", 35), ("SNDL", 59)])
def test_at_any_minute(symbol, minutes):
    feed = VendorFeed("http://exchange.invalid", 1.0)
    feed.close()
    feed._client = httpx2.Client(transport=httpx2.MockTransport(answer))
    until = NOON + timedelta(minutes=minutes)
    began = time.perf_counter()
    bars = feed.bars(symbol, until, 72)
    assert time.perf_counter() - began < 0.3
    assert bars.last_end == NOON
    assert np.array_equal(bars.close, MARKET.bars(symbol, until, 72).close)
