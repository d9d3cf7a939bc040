"""HTTP with a time limit on every call, a size limit on every body, and no redirects to elsewhere."""

from __future__ import annotations

import math
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from ..errors import Misconfigured, Permanent, Unreachable

MEGABYTE = 1 << 20
MOST_CONNECTIONS = 100
KEPT_SECONDS = 5.0


@dataclass(frozen=True)
class Response:
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


class _Deadline(threading.local):
    """The moment by which the call of this thread has to be done."""

    moment = math.inf

    def left(self) -> float:
        """Seconds until then. Raises when there are none."""
        seconds = self.moment - time.monotonic()
        if seconds <= 0:
            raise httpcore2.ReadTimeout("no time is left")
        return seconds


class _TimedStream(httpcore2.NetworkStream):
    """A connection on which nobody waits beyond the deadline, however little comes at a time."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: _Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline counts
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the deadline counts
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the deadline counts
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class _TimedBackend(httpcore2.SyncBackend):
    """Opens such connections."""

    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(self, *args: Any, **options: Any) -> httpcore2.NetworkStream:
        return _TimedStream(super().connect_tcp(*args, **options), self._deadline)


class _TimedTransport(httpx2.HTTPTransport):
    """httpx's own transport over such connections; it has no parameter for them."""

    def __init__(self, deadline: _Deadline) -> None:
        context = httpx2.create_ssl_context(trust_env=False)
        super().__init__(verify=context)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            network_backend=_TimedBackend(deadline),
            max_connections=MOST_CONNECTIONS,
            keepalive_expiry=KEPT_SECONDS,
        )


class HttpClient:
    """A small client for the target's own endpoints; follows no redirects, trusts no environment."""

    def __init__(self) -> None:
        self._deadline = _Deadline()
        self._client = httpx2.Client(follow_redirects=False, trust_env=False, transport=_TimedTransport(self._deadline))

    def get(self, url: str, *, timeout: float = 5.0, max_bytes: int = 4 * MEGABYTE) -> Response:
        """GET ``url`` within ``timeout`` seconds in all. Raises as `send` does."""
        return self.send("GET", url, timeout=timeout, max_bytes=max_bytes)

    def send(
        self, method: str, url: str, content: str = "", *, timeout: float = 5.0, max_bytes: int = 4 * MEGABYTE
    ) -> Response:
        """Send one request (``content`` is JSON text) within ``timeout`` seconds in all; never twice.

        Raises `Unreachable` for a server that is not there or too slow, `Permanent` for a body over the limit,
        `Misconfigured` for something that is no address.
        """
        body = bytearray()
        self._deadline.moment = time.monotonic() + timeout
        # Unpacked on the way, a small answer could become a large one before its size is seen.
        headers = {"Accept-Encoding": "identity"} | ({"Content-Type": "application/json"} if content else {})
        sent = content.encode() if content else None
        try:
            with self._client.stream(method, url, timeout=timeout, headers=headers, content=sent) as response:
                for chunk in response.iter_raw():
                    body += chunk
                    if len(body) > max_bytes:
                        raise Permanent(
                            f"{url} answered with more than {max_bytes} bytes: this agent does not read that"
                        )
                return Response(response.status_code, bytes(body), dict(response.headers))
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise Misconfigured(f"{url!r} is not an address that can be asked: {error}") from error
        except httpx2.TimeoutException as error:
            raise Unreachable(f"{url} did not finish its answer within {timeout} s") from error
        except httpx2.HTTPError as error:
            raise Unreachable(f"{url} did not answer: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
