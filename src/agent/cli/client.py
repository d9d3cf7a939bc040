"""Speaks to the running service with the token of the state folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from ..errors import Conflict, Misconfigured, NotFound, Permanent, Unreachable
from ..settings import Settings, http_url

SECONDS = 10.0
LONG_SECONDS = 600.0
MOST_LISTED = 500
MOST_NAMED = 5


class Client:
    """The service at ``url``, else at the address of the settings."""

    def __init__(self, settings: Settings, url: str | None = None) -> None:
        self._base = _own_address(settings) if url is None else _checked(url)
        self._whence = _source() if url is None else "--url"
        self._token_file, token = settings.token_file, settings.api_token
        shown = self._token_file.read_text().strip() if self._token_file.exists() else ""
        shown = shown or (token.get_secret_value() if token is not None else "")
        self._headers = {"authorization": f"Bearer {shown}"} if shown else {}

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
                    raise Permanent(self._refusal(answer, path))
                for line in answer.iter_lines():
                    if line.startswith("data: "):
                        yield json.loads(line[6:])
        except httpx2.HTTPError as error:
            raise Unreachable(self._absent(error)) from error

    def incident_path(self, text: str) -> str:
        """The address of the incident whose id is ``text``, or begins or ends with it.

        What fits none is asked for as it is, so that the service says so. Raises `NotFound` for what is no id at all,
        `Conflict` for what fits more than one.
        """
        if text.strip(".") == "":
            raise NotFound(f"{text!r} is no incident's id: `mpa incidents list` shows them")
        ids = [each["id"] for each in self.get("/incidents", limit=MOST_LISTED)]
        found = [text] if text in ids else [name for name in ids if name.startswith(text) or name.endswith(text)]
        if len(found) > 1:
            some = ", ".join(found[:MOST_NAMED]) + (" …" if len(found) > MOST_NAMED else "")
            raise Conflict(f"{text!r} fits {len(found)} incidents ({some}): write more of the id")
        return f"/incidents/{quote(found[0] if found else text, safe='')}"

    def _call(self, method: str, path: str, **options: Any) -> Any:
        options.setdefault("timeout", SECONDS)
        try:
            answer = httpx2.request(method, self._base + path, headers=self._headers, trust_env=False, **options)
        except httpx2.HTTPError as error:
            raise Unreachable(self._absent(error)) from error
        if answer.is_error:
            raise Permanent(self._refusal(answer, path))
        try:
            return answer.json()
        except ValueError as error:
            raise Permanent(f"{self._base}{path} answered with something that is not JSON: is it the agent?") from error

    def _absent(self, error: Exception) -> str:
        return (
            f"the service at {self._base} does not answer ({type(error).__name__}): start it with `mpa serve`, "
            f"or say where it is with --url (this address is from {self._whence})"
        )

    def _refusal(self, answer: httpx2.Response, path: str) -> str:
        """What the service says of itself, or its status; and where a token would have been found."""
        try:
            body = answer.json()
        except ValueError:
            body = None
        detail = body.get("detail") if isinstance(body, dict) else None
        said = str(detail or f"{path} answered {answer.status_code}")
        if answer.status_code == HTTPStatus.UNAUTHORIZED and not self._headers:
            said += f" (no token in {self._token_file}: run this in the agent's folder, or set MPA_STATE or API_TOKEN)"
        return said


def _own_address(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.api_host, settings.api_host)  # noqa: S104 - read, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.api_port}"


def _source() -> str:
    file = Path(".env").absolute()
    return str(file) if file.exists() else f"the environment and the defaults; there is no {file}"


def _checked(url: str) -> str:
    try:
        return http_url(url)
    except ValueError as error:
        raise Misconfigured(f"--url: {url!r} {error}") from error
