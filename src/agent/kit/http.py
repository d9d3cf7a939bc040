"""HTTP with a time limit on every call, a size limit on every body, and no redirects to elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx2

from ..errors import Misconfigured, Permanent, Unreachable

MEGABYTE = 1 << 20


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


class HttpClient:
    """A small client for the target's own endpoints; follows no redirects, trusts no environment."""

    def __init__(self) -> None:
        self._client = httpx2.Client(follow_redirects=False, trust_env=False)

    def get(self, url: str, *, timeout: float = 5.0, max_bytes: int = 4 * MEGABYTE) -> Response:
        """GET ``url`` within ``timeout`` seconds in all.

        Raises `Unreachable` for a server that is not there or too slow, `Permanent` for a body over the limit,
        `Misconfigured` for something that is no address.
        """
        body = bytearray()
        latest = time.monotonic() + timeout
        # Unpacked on the way, a small answer could become a large one before its size is seen.
        plain = {"Accept-Encoding": "identity"}
        try:
            with self._client.stream("GET", url, timeout=timeout, headers=plain) as response:
                for chunk in response.iter_raw():
                    body += chunk
                    if time.monotonic() > latest:
                        raise Unreachable(f"{url} did not finish its answer within {timeout} s")
                    if len(body) > max_bytes:
                        raise Permanent(
                            f"{url} answered with more than {max_bytes} bytes: this agent does not read that"
                        )
                return Response(response.status_code, bytes(body), dict(response.headers))
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise Misconfigured(f"{url!r} is not an address that can be asked: {error}") from error
        except httpx2.HTTPError as error:
            raise Unreachable(f"{url} did not answer: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
