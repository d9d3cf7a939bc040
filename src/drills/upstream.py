"""A proxy between the target and its exchange in which faults are made, by the orders of a file.

Run as ``python -m drills.upstream --listen PORT --exchange URL --orders FILE``. The file is read again when it has
changed: ``{"orders": [{"kind": "dependency", "action": "slow", "seconds_delay": 2.0, "share": 1.0, "until": null}]}``.
``until`` is wall time (epoch); ``symbol`` keeps an order to one symbol; `market_data` has the actions of kind "data".
An order's moment is the newest hour that was asked for when it was first read.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2

from .market_data import ACTIONS, ANCHORED, HOUR, Asked, Bar, changed, newest_given, stamp, time_of

DEPENDENCY: Final = ("down", "slow", "errors", "lying", "flapping", "wrong")
MAINTENANCE: Final = b"<!doctype html><title>Maintenance</title><h1>We will be back shortly</h1>"
_TIMEOUT: Final = 10.0
_NO_LINGER: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Answer:
    """What the target gets."""

    status: int
    body: bytes
    media: str = "application/json"


class Reset(Exception):
    """The connection is to be reset instead of answered."""


class Wrong(ValueError):
    """An order that nobody can carry out."""


@dataclass
class Order:
    """One order: ``began`` is wall time (epoch), ``moment`` market time; ``anchors`` are closes by symbol."""

    kind: str
    action: str
    options: Mapping[str, Any]
    began: float
    moment: datetime | None = None
    anchors: dict[str, float] = field(default_factory=dict)

    def concerns(self, symbol: str | None) -> bool:
        """Whether it holds now, for this symbol."""
        until, only = self.options.get("until"), self.options.get("symbol")
        return (until is None or time.time() < until) and (only is None or only == symbol)

    def strikes(self) -> bool:
        """Whether this request is one of the ``share`` that it hits."""
        return random.random() < float(self.options.get("share", 1.0))


def order_of(entry: Any) -> Order:
    """An order as the file tells it. Raises `Wrong`."""
    if not isinstance(entry, dict):
        raise Wrong(f"an order is a table, not {entry!r}")
    kind, action = str(entry.get("kind")), str(entry.get("action"))
    known: Mapping[str, Sequence[str]] = {"dependency": DEPENDENCY, "data": tuple(ACTIONS)}
    if kind not in known or action not in known[kind]:
        raise Wrong(f"no such order: kind {kind!r}, action {action!r}")
    return Order(kind, action, entry, time.time())


def write(path: Path, orders: Sequence[Mapping[str, Any]]) -> None:
    """Give these orders instead of all earlier ones. Raises `Wrong` for one that is none."""
    for order in orders:
        order_of(dict(order))
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"orders": list(orders)}), encoding="utf-8")
    temporary.replace(path)


class Orders:
    """The orders of a file; one that stays in it over a change keeps its moment."""

    def __init__(self, path: Path) -> None:
        self._path, self._text = path, ""
        self._known: dict[str, Order] = {}
        self._lock = threading.Lock()
        self.newest: datetime | None = None

    def now(self, until: datetime | None) -> list[Order]:
        """All orders, in turn; ``until`` is the market time that was asked for."""
        with self._lock:
            if until is not None:
                self.newest = until if self.newest is None else max(self.newest, until)
            self._read()
            for order in self._known.values():
                order.moment = order.moment or self.newest
            return list(self._known.values())

    def _read(self) -> None:
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else '{"orders": []}'
        if text == self._text:
            return
        self._text = text
        try:
            entries = json.loads(text)["orders"]
            given = {json.dumps(entry, sort_keys=True): order_of(entry) for entry in entries}
        except (ValueError, KeyError, TypeError) as error:
            sys.stderr.write(f"{self._path.name} is not followed: {error}\n")
            return
        self._known = {key: self._known.get(key, order) for key, order in given.items()}


class Proxy:
    """Answers as the exchange would, but for the orders."""

    def __init__(self, exchange: str, orders: Path) -> None:
        self._exchange = exchange.rstrip("/")
        self._client = httpx2.Client(timeout=_TIMEOUT, trust_env=False)
        self._orders = Orders(orders)
        self._nth = 0

    def answer(self, target: str) -> Answer:
        """The answer to one GET. Raises `Reset`."""
        url = urlsplit(target)
        query = dict(parse_qsl(url.query))
        symbol, until = query.get("symbol", "").upper() or None, _until(query)
        orders = [order for order in self._orders.now(until) if order.concerns(symbol)]
        spoiled = [_spoil(order) for order in orders if order.kind == "dependency"]
        instead = next((answer for answer in spoiled if answer is not None), None)
        if instead is not None:
            return instead
        try:
            if url.path == "/bars" and symbol is not None and until is not None and orders:
                return self._bars(symbol, until, query, orders)
            return self._passed_on(target)
        except httpx2.HTTPError as error:
            return Answer(502, json.dumps({"detail": f"the exchange: {error}"}).encode())

    def close(self) -> None:
        """Close the connections to the exchange."""
        self._client.close()

    def _passed_on(self, target: str) -> Answer:
        response = self._client.get(f"{self._exchange}{target}")
        return Answer(response.status_code, response.content)

    def _bars(self, symbol: str, until: datetime, query: Mapping[str, str], orders: Sequence[Order]) -> Answer:
        self._nth += 1
        data = [order for order in orders if order.kind == "data"]
        given = until
        for order in data:
            given = min(given, newest_given(order.action, self._asked(order, symbol, until), order.options))
        wrong = any(order.action == "wrong" and order.kind == "dependency" for order in orders)
        sent = {**query, "symbol": self._other(symbol) if wrong else symbol, "until": stamp(given)}
        answer = self._passed_on(f"/bars?{urlencode(sent)}")
        if answer.status != httpx2.codes.OK:
            return answer
        bars: list[Bar] = json.loads(answer.body)["bars"]
        bars = self._spoilt(bars, data, symbol, until)
        return Answer(answer.status, json.dumps({"symbol": symbol, "bars": bars}).encode())

    def _spoilt(self, bars: list[Bar], orders: Sequence[Order], symbol: str, until: datetime) -> list[Bar]:
        for index, order in enumerate(orders):
            if order.action in ANCHORED and symbol not in order.anchors:
                order.anchors[symbol] = self._close_before(order, orders[:index], symbol)
            bars = changed(order.action, bars, self._asked(order, symbol, until), order.options)
        return bars

    def _close_before(self, order: Order, earlier: Sequence[Order], symbol: str) -> float:
        """The close before an order's moment, as the earlier orders leave it."""
        moment = order.moment
        if moment is None:
            raise ValueError("an order has no moment before bars are asked for")
        query = urlencode({"symbol": symbol, "until": stamp(moment), "count": 1})
        response = self._client.get(f"{self._exchange}/bars?{query}").raise_for_status()
        (bar,) = response.json()["bars"]
        whole = [one for one in earlier if one.action not in ("missing", "corrupt")]
        return float(self._spoilt([bar], whole, symbol, moment)[-1]["close"])

    def _asked(self, order: Order, symbol: str, until: datetime) -> Asked:
        return Asked(symbol, until, order.moment or until, self._nth, order.anchors.get(symbol))

    def _other(self, symbol: str) -> str:
        """The symbol that stands behind this one on the exchange's list."""
        symbols: list[str] = self._client.get(f"{self._exchange}/symbols").raise_for_status().json()["symbols"]
        return symbols[(symbols.index(symbol) + 1) % len(symbols)] if symbol in symbols else symbol


def _until(query: Mapping[str, str]) -> datetime | None:
    """Market time of a request in whole hours; None when it names none that can be read: the exchange refuses it."""
    try:
        moment = time_of(query["until"])
    except (KeyError, ValueError):
        return None
    return moment - (moment - moment.replace(minute=0, second=0, microsecond=0)) % HOUR


def _spoil(order: Order) -> Answer | None:
    """What stands in for the answer, if anything. Raises `Reset`."""
    if not order.strikes():
        return None
    if order.action == "slow":
        time.sleep(float(order.options.get("seconds_delay", 2.0)))
    period = float(order.options.get("period", 10.0))
    in_turn = order.action == "flapping" and int((time.time() - order.began) / period) % 2 == 0
    if order.action == "down" or in_turn:
        raise Reset
    if order.action == "errors":
        return Answer(503, b'{"detail": "try again later"}')
    return Answer(200, MAINTENANCE, "text/html") if order.action == "lying" else None


class Server(ThreadingHTTPServer):
    """Port 0 takes any free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, exchange: str, orders: Path) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.proxy = Proxy(exchange, orders)

    def shutdown_request(self, request: Any) -> None:
        """Close at once: the usual polite end would come before a reset."""
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, but not that a client did not wait for its answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """Close the proxy's connections, too."""
        super().server_close()
        self.proxy.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    server: Server

    def do_GET(self) -> None:
        try:
            answer = self.server.proxy.answer(self.path)
        except Reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - so named by http.server
        """Quiet: the target says what it meets."""


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--exchange", required=True)
    parser.add_argument("--orders", type=Path, required=True)
    options = parser.parse_args()
    with Server(options.listen, options.exchange, options.orders) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
