"""Speaks to the running service with the token of the state folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2

from ..errors import Permanent, Unreachable
from ..settings import Settings

SECONDS = 10.0
LONG_SECONDS = 600.0


class Client:
    """The service at the address of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._base = f"http://{settings.api_host}:{settings.api_port}".replace("//0.0.0.0", "//127.0.0.1")
        token = settings.token_file
        self._headers = {"authorization": f"Bearer {token.read_text().strip()}"} if token.exists() else {}

    def get(self, path: str, *, seconds: float = SECONDS, **params: Any) -> Any:
        """The JSON at a path. Raises `Unreachable`, `Permanent`."""
        given = {name: value for name, value in params.items() if value is not None}
        return self._call("GET", path, params=given, timeout=seconds)

    def post(self, path: str, body: dict[str, Any] | None = None, *, seconds: float = SECONDS) -> Any:
        """Send JSON. Raises `Unreachable`, `Permanent`."""
        return self._call("POST", path, json=body or {}, timeout=seconds)

    def events(self, path: str) -> Iterator[dict[str, Any]]:
        """Server-sent events as they come. Raises `Unreachable`, `Permanent`."""
        timeout = httpx2.Timeout(SECONDS, read=30.0)
        try:
            with httpx2.stream(
                "GET", self._base + path, headers=self._headers, timeout=timeout, trust_env=False
            ) as answer:
                if answer.is_error:
                    answer.read()
                    raise Permanent(_refusal(answer, path))
                for line in answer.iter_lines():
                    if line.startswith("data: "):
                        yield json.loads(line[6:])
        except httpx2.HTTPError as error:
            raise Unreachable(self._absent(error)) from error

    def _call(self, method: str, path: str, **options: Any) -> Any:
        options.setdefault("timeout", SECONDS)
        try:
            answer = httpx2.request(method, self._base + path, headers=self._headers, trust_env=False, **options)
        except httpx2.HTTPError as error:
            raise Unreachable(self._absent(error)) from error
        if answer.is_error:
            raise Permanent(_refusal(answer, path))
        try:
            return answer.json()
        except ValueError as error:
            raise Permanent(f"{self._base}{path} answered with something that is not JSON: is it the agent?") from error

    def _absent(self, error: Exception) -> str:
        return f"the service at {self._base} does not answer ({type(error).__name__}): start it with `mpa serve`"


def _refusal(answer: httpx2.Response, path: str) -> str:
    """What the service says of itself, or its status."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    said = body.get("detail") if isinstance(body, dict) else None
    return str(said or f"{path} answered {answer.status_code}")
