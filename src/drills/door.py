"""The agent's public HTTP door, as any client outside would use it."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx2

from .story import Event

_BACKLOG: Final = 10_000  # events that may wait to be read; an incident makes a few hundred


class Refused(Exception):
    """The agent did not answer, or not with what was asked for."""


class Door:
    """The agent at ``url``; its token is read from ``token_file`` when it is needed."""

    def __init__(self, url: str, token_file: Path, *, timeout: float = 5.0) -> None:
        self.url = url
        self._token_file = token_file
        self._client = httpx2.Client(base_url=url, timeout=timeout)

    def healthy(self) -> bool:
        """Whether the agent answers."""
        try:
            return self._client.get("/health").status_code == httpx2.codes.OK
        except httpx2.HTTPError:
            return False

    def get(self, path: str) -> Any:
        """The JSON at a path. Raises `Refused`."""
        return self._json("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send JSON with the token. Raises `Refused`."""
        return self._json("POST", path, body)

    def incidents(self) -> list[Mapping[str, Any]]:
        """The incidents, newest first. Raises `Refused`."""
        answer = self.get("/incidents")
        return list(answer["incidents"] if isinstance(answer, dict) else answer)

    def signals(self) -> dict[str, float]:
        """The target's signals as the agent's monitor sees them now; empty when it does not say."""
        try:
            found = _find(self.get("/monitoring/status"), "signals")
        except Refused:
            return {}
        return {name: float(value) for name, value in (found or {}).items() if isinstance(value, int | float)}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {}
        with contextlib.suppress(OSError):  # an agent that wrote no token may not ask for one
            headers["authorization"] = f"Bearer {self._token_file.read_text(encoding='utf-8').strip()}"
        try:
            answer = self._client.request(method, path, json=body, headers=headers)
            content = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise Refused(f"{method} {path}: {error}") from error
        if answer.is_error:
            raise Refused(f"{method} {path}: {answer.status_code} {content}")
        return content


class Feed:
    """The live events of one incident, read in a thread that connects again after every interruption."""

    def __init__(self, url: str, incident_id: str) -> None:
        self._url = f"{url}/incidents/{incident_id}/events"
        self._events: queue.Queue[Event] = queue.Queue(_BACKLOG)
        self._last = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="feed", daemon=True)
        self._thread.start()

    def take(self) -> list[Event]:
        """The events that came since the last call."""
        taken = []
        with contextlib.suppress(queue.Empty):
            while True:
                taken.append(self._events.get_nowait())
        return taken

    def close(self) -> None:
        """Stop following; returns within about a second."""
        self._stop.set()
        self._thread.join(2.0)

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except (httpx2.HTTPError, httpx2.SSEError, ValueError, KeyError, queue.Full):
                time.sleep(0.2)  # the agent restarts, or is busy: the last id lets nothing be lost
            self._stop.wait(0.1)

    def _read(self) -> None:
        headers = {"accept": "text/event-stream", "last-event-id": str(self._last)}
        timeout = httpx2.Timeout(5.0, read=20.0)
        with httpx2.Client(timeout=timeout) as client, client.stream("GET", self._url, headers=headers) as answer:
            answer.raise_for_status()
            for message in httpx2.EventSource(answer):
                content = json.loads(message.data)
                if isinstance(content, dict) and "seq" in content:
                    event = Event.of(content)
                    self._events.put(event, timeout=5.0)
                    self._last = event.seq
                if self._stop.is_set():
                    return


def _find(value: Any, key: str) -> Any:
    """The first value under ``key``, however deep."""
    if isinstance(value, dict):
        if key in value and isinstance(value[key], dict):
            return value[key]
        value = list(value.values())
    if isinstance(value, list):
        return next((found for each in value if (found := _find(each, key)) is not None), None)
    return None
