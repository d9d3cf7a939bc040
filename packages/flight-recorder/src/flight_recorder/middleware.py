"""The ASGI middleware."""

from __future__ import annotations

import base64
import codecs
import random
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from . import redaction
from .lines import LineFile, now
from .traceback_data import describe

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

SERVER_ERROR = 500
MOST_ROUTES = 1000


class FlightRecorder:
    """Records every HTTP request that passes; failures and a sample of the rest so that they can be replayed."""

    def __init__(
        self,
        app: App,
        *,
        path: str | None = None,
        file: LineFile | None = None,
        component: str = "api",
        replay: Callable[[], dict[str, str]] | None = None,
        in_app: tuple[str, ...] = (),
        sample: float = 0.05,
        max_body: int = 65_536,
    ) -> None:
        self._app = app
        self._file = file or LineFile(path or "service.log")
        self._component, self._replay, self._in_app = component, replay, in_app
        self._sample, self._max_body = sample, max_body
        self._minute: tuple[int, set[str]] = (0, set())

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass the request on and write its line when it has ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        flight = _Flight(scope, receive, send, self._max_body, self._state())
        try:
            await self._app(scope, flight.receive, flight.send)
        except BaseException as error:
            if isinstance(error, Exception):
                self._write(flight, error)
            raise
        self._write(flight, None)

    def _state(self) -> dict[str, str]:
        try:
            return dict(self._replay()) if self._replay else {}
        except Exception:  # noqa: BLE001 - a recorder must never break the service that it records
            return {}

    def _write(self, flight: _Flight, error: Exception | None) -> None:
        try:
            self._file.write(self._line(flight, error))
        except Exception as problem:  # noqa: BLE001 - a recorder must never break the service that it records
            self._file.lose(problem)

    def _line(self, flight: _Flight, error: Exception | None) -> dict[str, Any]:
        status = flight.status if flight.status and error is None else SERVER_ERROR
        path = redaction.text(flight.scope["path"])
        route = getattr(flight.scope.get("route"), "path", None) or path
        line: dict[str, Any] = {
            "timestamp": flight.started_at,
            "level": "error" if status >= SERVER_ERROR else "info",
            "component": self._component,
            "message": f"{flight.scope['method']} {path} {status}",
            "request_id": flight.id,
            "method": flight.scope["method"],
            "path": path,
            "route": route,
            "query": redaction.query(flight.scope.get("query_string", b"").decode("latin-1")),
            "status": status,
            "duration_ms": round((time.perf_counter() - flight.began) * 1000, 3),
        }
        if status >= SERVER_ERROR or self._chosen(route):
            line["request"] = flight.request()
            line["replay"] = {"env": flight.state}
        if error is not None:
            line["exception"] = describe(error, self._in_app)
        return line

    def _chosen(self, route: str) -> bool:
        """The first request of a route in every minute, and a random share of the others."""
        minute = int(time.time() // 60)
        if self._minute[0] != minute:
            self._minute = (minute, set())
        seen = self._minute[1]
        if route not in seen and len(seen) < MOST_ROUTES:
            seen.add(route)
            return True
        return random.random() < self._sample  # noqa: S311 - sampling, not secrecy


class _Flight:
    """One request under way."""

    def __init__(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, max_body: int, state: dict[str, str]
    ) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self._max_body, self.state = max_body, state
        self.id = uuid.uuid4().hex[:16]
        self.started_at, self.began = now(), time.perf_counter()
        self.status = 0
        self._body = bytearray()
        self._truncated = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            chunk = message.get("body", b"")
            room = self._max_body - len(self._body)
            self._body += chunk[:room]
            self._truncated = self._truncated or len(chunk) > room
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)

    def request(self) -> dict[str, Any]:
        """The request itself, redacted."""
        body, encoding = self._text()
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in self.scope["headers"]}
        return {
            "method": self.scope["method"],
            "path": redaction.text(self.scope["path"]),
            "query": redaction.query(self.scope.get("query_string", b"").decode("latin-1")),
            "headers": {key: headers[key] for key in redaction.KEPT_HEADERS if key in headers},
            "body": body,
            "body_encoding": encoding,
            "body_truncated": self._truncated,
        }

    def _text(self) -> tuple[str, str]:
        """The redacted body and its encoding; a cut may go through a character, which does not make the text binary."""
        raw = bytes(self._body)
        try:
            return redaction.body(codecs.getincrementaldecoder("utf-8")().decode(raw, not self._truncated)), "utf-8"
        except UnicodeDecodeError:
            # Latin-1 maps every byte to a character and back, so secrets in text of another encoding are found too.
            masked = redaction.body(raw.decode("latin-1")).encode("latin-1", "replace")
            return base64.b64encode(masked).decode(), "base64"
