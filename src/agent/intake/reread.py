"""Reads a truncated delivery's missing alerts from Alertmanager itself (API version 2)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlencode

from ..errors import Unreachable
from ..kit.http import HttpClient
from ..model.alert import Alert
from .alertmanager import MalformedPayload, parse

SECONDS = 3.0
MOST_BYTES = 16 << 20
OK = 200


class Alertmanager:
    """One Alertmanager at a base address."""

    def __init__(self, http: HttpClient, url: str) -> None:
        self._http, self._url = http, url.rstrip("/")

    def firing(self, receiver: str) -> tuple[Alert, ...]:
        """What fires now for one receiver. Raises `Unreachable` when it cannot be told."""
        # Alertmanager anchors the expression by itself.
        asked = {"active": "true", "silenced": "false", "inhibited": "false", "receiver": re.escape(receiver)}
        url = f"{self._url}/api/v2/alerts?{urlencode(asked)}"
        answer = self._http.get(url, timeout=SECONDS, max_bytes=MOST_BYTES)
        if answer.status != OK:
            raise Unreachable(f"{self._url} answered {answer.status} when asked for its alerts")
        try:
            listed = json.loads(answer.body)
            return parse({"version": "4", "alerts": [_as_delivered(alert) for alert in listed]})
        except (ValueError, TypeError, RecursionError, MalformedPayload) as error:
            raise Unreachable(f"{self._url} answered with something that is not a list of alerts: {error}") from error


def _as_delivered(alert: Mapping[str, object]) -> dict[str, object]:
    """The webhook's form: what is listed as active fires; its ``endsAt`` is only when it would be given up."""
    return {**alert, "status": "firing", "endsAt": ""}
