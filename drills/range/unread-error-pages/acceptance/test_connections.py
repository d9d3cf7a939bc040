"""However often the exchange refused before, its next good answer is served."""

import json
import os
import threading
import time
import urllib.request
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from market_predictor.exchange import answer as bars_of
from market_predictor.feed import FeedUnavailable, SyntheticFeed
from market_predictor.vendor import VendorFeed

NOON = datetime(2025, 3, 4, 17, tzinfo=UTC)
MARKET = SyntheticFeed(7, "America/New_York")
SYMBOLS = ("AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "BTC-USD")


class Moody(BaseHTTPRequestHandler):
    """An exchange that refuses as long as it is told to."""

    protocol_version = "HTTP/1.1"
    status = 200

    def do_GET(self):
        """Bars, a refusal, or bars cut short."""
        body = json.dumps(bars_of(MARKET, self.path)).encode() if self.status == 200 else b"<h1>Maintenance</h1>" * 500
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def exchange():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Moody)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Moody.status = 200
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [404, 500, 503])
def test_refusals_cost_no_connections(exchange, status):
    feed = VendorFeed(exchange, 0.5)
    outcomes = []
    feed.observe = lambda outcome, _seconds: outcomes.append(outcome)
    Moody.status = status
    for _ in range(130):
        with pytest.raises(FeedUnavailable, match=f"HTTP {status}"):
            feed.bars("AAPL", NOON, 72)
    assert set(outcomes) == {"status"}
    Moody.status = 200
    assert np.array_equal(feed.bars("MSFT", NOON, 72).close, MARKET.bars("MSFT", NOON, 72).close)
    feed.close()


def test_connections_are_kept_alive(exchange):
    feed = VendorFeed(exchange, 0.5)
    for _ in range(20):
        feed.bars("NVDA", NOON, 5)
    assert len(feed._client._transport._pool.connections) <= 2
    feed.close()


def test_every_symbol_has_young_bars():
    deadline = time.time() + 12
    while True:
        try:
            for symbol in SYMBOLS:
                with urllib.request.urlopen(f"{os.environ['TARGET_URL']}/predict?symbol={symbol}&horizon=2", timeout=4) as got:
                    assert json.load(got)["method"] == "model"
            break
        except OSError:
            if time.time() > deadline:
                raise
            time.sleep(1)
