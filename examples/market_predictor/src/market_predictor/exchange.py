"""The exchange's market data service, for development: ``python -m market_predictor.exchange --port N [--seed 7]``.

``GET /bars?symbol=AAPL&until=2025-03-03T10:00:00Z&count=72``, ``/symbols`` and ``/health``; the bars are those of
the synthetic market. What is wrong with a request is told as ``{"detail": ...}``.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .feed import EPOCH, Bars, SyntheticFeed, time_of
from .symbols import UnknownSymbol

MOST_BARS = 2_000
COLUMNS = ("open", "high", "low", "close", "volume")


class Refused(Exception):
    """A request that cannot be answered; ``status`` is the HTTP one."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def stamp(moment: datetime) -> str:
    """A moment as the exchange writes it, UTC."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def as_json(bars: Bars) -> list[dict[str, Any]]:
    """Bars as the exchange sends them, oldest first; ``hour`` is when a bar begins."""
    rows = zip(*(getattr(bars, column).tolist() for column in COLUMNS), strict=True)
    return [
        {"hour": stamp(time_of(hour)), **dict(zip(COLUMNS, row, strict=True))}
        for hour, row in zip(bars.hours.tolist(), rows, strict=True)
    ]


def answer(feed: SyntheticFeed, target: str) -> dict[str, Any]:
    """The answer to one GET. Raises Refused."""
    url = urlsplit(target)
    if url.path == "/health":
        return {"status": "ok"}
    if url.path == "/symbols":
        return {"symbols": feed.symbols()}
    if url.path != "/bars":
        raise Refused(404, f"no such route: {url.path[:40]}")
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}
    symbol, until, count = _wanted(feed, query)
    return {"symbol": symbol, "bars": as_json(feed.bars(symbol, until, count))}


def _wanted(feed: SyntheticFeed, query: dict[str, str]) -> tuple[str, datetime, int]:
    for name in ("symbol", "until", "count"):
        if name not in query:
            raise Refused(400, f"{name} is missing")
    try:
        symbol = feed.name(query["symbol"])
    except UnknownSymbol as error:
        raise Refused(404, f"unknown symbol {query['symbol'][:40]!r}") from error
    try:
        until, count = datetime.fromisoformat(query["until"].replace("Z", "+00:00")), int(query["count"])
    except ValueError as error:
        raise Refused(400, f"until must be an ISO 8601 time and count a whole number: {error}") from error
    if until.tzinfo is None or not EPOCH <= until or until.year > 2100:
        raise Refused(400, f"until must name its time zone and lie between {stamp(EPOCH)} and 2100")
    if not 1 <= count <= MOST_BARS:
        raise Refused(400, f"count must be 1..{MOST_BARS}, not {count}")
    return symbol, until, count


class Server(ThreadingHTTPServer):
    """One thread per connection; connections are kept alive."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, seed: int, timezone: str = "America/New_York") -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.feed = SyntheticFeed(seed, timezone)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, but not that a client did not wait for its answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        try:
            status, body = 200, answer(self.server.feed, self.path)
        except Refused as error:
            status, body = error.status, {"detail": str(error)}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Quiet: the caller logs what goes wrong."""


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with Server(options.port, options.seed) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
