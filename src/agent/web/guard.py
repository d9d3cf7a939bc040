"""The one gate every request passes before a route sees it: access, size, form of the body, and a last catch.

The body is read here, counted while it comes (5 MiB at most, 15 s), and parsed strictly; the route gets it replayed.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import problems
from .access import Access, is_form
from .problems import Problem

MOST_BYTES = 5 << 20
BODY_SECONDS = 15.0
LARGE = 64 << 10
DEEPEST = 64
POLICY = b"; ".join(
    (
        b"default-src 'none'",
        b"style-src 'self'",
        b"script-src 'self'",
        b"connect-src 'self'",
        b"img-src 'self' data:",
        b"form-action 'self'",
        b"base-uri 'none'",
        b"frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", POLICY),
)
_log = structlog.get_logger("agent.web")


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it with a problem document."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            headers = _headers(scope)
            scope.setdefault("state", {})["caller"] = self._access.admit(scope, headers)
            if scope["method"] not in ("GET", "HEAD"):
                receive = await _body(scope, headers, receive)
            await self._app(scope, receive, answer)
        except Problem as problem:
            await answer.instead(scope, receive, problem)
        except Exception as error:  # noqa: BLE001 - the last catch: a problem document for the caller, the traceback for the log
            _log.exception("request.failed", method=scope["method"], path=scope["path"])
            await answer.instead(scope, receive, error)


class _Answer:
    """Adds security headers, and knows whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send, self._begun = send, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            present = {name.lower() for name, _ in message["headers"]}
            added = [pair for pair in SECURITY_HEADERS if pair[0] not in present]
            message = {**message, "headers": [*message["headers"], *added]}
        await self._send(message)

    async def instead(self, scope: Scope, receive: Receive, error: Exception) -> None:
        """A problem document, unless the answer has begun: then the connection just ends."""
        if not self._begun:
            await problems.answer(error, scope)(scope, receive, self)


def _headers(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name. A header that decides about access may come only once."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        if name in found and name in {"host", "authorization", "origin", "content-type", "content-length"}:
            raise Problem(400, f"The header {name} was sent twice.")
        value = raw_value.decode("latin-1")
        found[name] = f"{found[name]}; {value}" if name == "cookie" and name in found else value
    return found


async def _body(scope: Scope, headers: Mapping[str, str], receive: Receive) -> Receive:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _read(headers, receive)
    except TimeoutError:
        raise Problem(408, f"The body did not come within {BODY_SECONDS:.0f} s.") from None
    if body and not is_form(headers.get("content-type", "")):
        check = run_in_threadpool(_parse, headers.get("content-type", ""), body) if len(body) > LARGE else None
        parsed = await check if check is not None else _parse(headers.get("content-type", ""), body)
        scope["state"]["json"] = parsed
        body = json.dumps(parsed).encode()  # the route sees exactly what was checked
    elif body:
        scope["state"]["form"] = body
    scope["headers"] = _with_length(scope["headers"], len(body))
    return _replay(body, receive)


async def _read(headers: Mapping[str, str], receive: Receive) -> bytes:
    stated = headers.get("content-length", "0").strip()
    if not stated.isascii() or not stated.isdigit():
        raise Problem(400, "Content-Length is not a number.")
    too_large = Problem(
        413, f"The body is over {MOST_BYTES >> 20} MiB. Send less at once.", headers={"connection": "close"}
    )
    if len(stated) > len(str(MOST_BYTES)) or int(stated) > MOST_BYTES:
        raise too_large
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "The connection ended before the body did.")
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise too_large
        if not message.get("more_body", False):
            return bytes(body)


def _parse(content_type: str, body: bytes) -> Any:
    """Strict JSON in UTF-8. Raises `Problem` 400 or 415."""
    kind, _, parameters = content_type.partition(";")
    if kind.strip().lower() != "application/json":
        raise Problem(415, "Send the body as JSON, with `Content-Type: application/json`.")
    charset = parameters.partition("charset=")[2].partition(";")[0].strip().strip('"').lower()
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise Problem(415, "Send the JSON in UTF-8.")
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
        _shallow(value)
    except UnicodeDecodeError:
        raise Problem(400, "The body is not UTF-8.") from None
    except RecursionError:
        raise Problem(400, "The body is nested too deeply.") from None
    except ValueError as error:
        raise Problem(400, f"The body is not JSON: {error}.") from None
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _shallow(value: Any) -> None:
    """Refuse nesting that later readers would choke on."""
    level = [value]
    for _ in range(DEEPEST):
        level = [item for each in level if isinstance(each, dict | list) for item in _items(each)]
        if not level:
            return
    raise ValueError(f"nested deeper than {DEEPEST} levels")


def _items(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _with_length(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    kept = [pair for pair in headers if pair[0].lower() not in (b"content-length", b"transfer-encoding")]
    return [*kept, (b"content-length", str(length).encode())]


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body again, once; then whatever the server has to say (that the client went away)."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
