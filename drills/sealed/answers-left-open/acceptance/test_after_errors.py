"""However often the exchange refused us before, its next good answer is served; long answers are not read."""

import json
import os
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from market_predictor.feed import FeedUnavailable
from market_predictor.vendor import VendorFeed

URL = os.environ["TARGET_URL"].rstrip("/")
NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


def good():
    rows = [
        {"hour": f"2025-03-04T{hour:02d}:00:00Z", **dict.fromkeys(("open", "high", "low"), 10.0), "close": 10.0 + hour, "volume": 5.0}
        for hour in (8, 9, 10, 11)
    ]
    return 200, json.dumps({"symbol": "AAPL", "bars": rows}).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        status, body = self.server.answers.pop(0) if self.server.answers else good()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def exchange():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.answers = True, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()


@pytest.fixture
def vendor(exchange):
    feed = VendorFeed(f"http://127.0.0.1:{exchange.server_port}", 0.5)
    yield feed
    feed.close()


@pytest.mark.parametrize(("status", "body"), [(503, b"{}"), (500, b"no" * 3_000), (404, b'{"detail": "?"}'), (200, b"<html></html>")])
def test_bars_come_after_many_failures(exchange, vendor, status, body):
    exchange.answers += [(status, body)] * 130
    for left in reversed(range(130)):
        with pytest.raises(FeedUnavailable):
            vendor.bars("AAPL", NOON, 4)
        assert len(exchange.answers) == left, "the exchange was not asked"
    assert vendor.bars("AAPL", NOON, 4).close.tolist() == [18.0, 19.0, 20.0, 21.0]


def test_outcomes_are_told_apart(exchange, vendor):
    seen = []
    vendor.observe = lambda outcome, _: seen.append(outcome)
    exchange.answers += [(503, b""), (200, b"<html>"), good()]
    for _ in range(2):
        with pytest.raises(FeedUnavailable):
            vendor.bars("AAPL", NOON, 4)
    vendor.bars("AAPL", NOON, 4)
    assert seen == ["status", "malformed", "ok"]


def served(symbol, horizon):
    with urllib.request.urlopen(f"{URL}/predict?symbol={symbol}&horizon={horizon}", timeout=5) as response:
        return json.load(response)


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT", "NVDA", "BRK.B", "SNDL", "btc-usd"])
def test_the_service_has_bars(symbol):
    for horizon in (1, 9, 24):
        assert served(symbol, horizon)["method"] == "model"


def test_and_they_are_new():
    first = served("AAPL", 1)["naive"]
    time.sleep(2.2)
    assert served("AAPL", 1)["naive"] != first
