"""JSON over HTTP from Prometheus and Loki: every refusal, silence and surprise becomes a gap, what came is used."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from ..errors import AgentError, Unreachable
from ..kit.http import HttpClient, Response
from .allowance import Allowance, Spent

OK: Final = 200
BUSY: Final = (429, 503)
SHOWN: Final = 200
PAUSE: Final = 0.2


@dataclass(frozen=True)
class Answer:
    """The answer's ``data``; ``refusal`` says what is missing of it, or why there is none."""

    data: Any = None
    refusal: str = ""
    busy: bool = False


class Api:
    """One server of this family for the length of one look."""

    def __init__(self, http: HttpClient, url: str, allowance: Allowance) -> None:
        self._http, self._url, self.allowance = http, url.rstrip("/"), allowance

    def get(self, path: str, asked: Mapping[str, Any], why: str) -> Any:
        """The answer's ``data``, None where there is none; a gap then says ``why`` it was asked for and what was said."""
        answer = self.ask(path, asked)
        if answer.refusal:
            self.allowance.gap(f"{why}: {answer.refusal}")
        return answer.data

    def ask(self, path: str, asked: Mapping[str, Any]) -> Answer:
        """Ask, and once more after a short pause when the server is busy."""
        answer = self._once(path, asked)
        if answer.busy:
            time.sleep(PAUSE)
            answer = self._once(path, asked)
        return answer

    def _once(self, path: str, asked: Mapping[str, Any]) -> Answer:
        try:
            seconds, most = self.allowance.take()
        except Spent as spent:
            self.allowance.gap(str(spent))
            return Answer()
        try:
            response = self._http.get(f"{self._url}{path}?{_query(asked)}", timeout=seconds, max_bytes=most)
        except Unreachable as error:
            self.allowance.failed()
            return Answer(refusal=str(error))
        except AgentError as error:
            return Answer(refusal=str(error))
        self.allowance.answered(len(response.body))
        return _answer(response)


def _answer(response: Response) -> Answer:
    """Prometheus refuses in JSON, Loki in plain text, a gateway in anything."""
    try:
        said = json.loads(response.body)
    except (ValueError, RecursionError):
        said = None
    fine = response.status == OK and isinstance(said, dict) and said.get("status") == "success"
    if fine and said.get("data") is not None:
        return Answer(said["data"], _partly(said.get("warnings")))
    text = response.text[:SHOWN].strip()
    if isinstance(said, dict) and said.get("error"):
        text = str(said["error"])[:SHOWN]
    if response.status == OK:
        return Answer(refusal=f"what was answered is no answer of its API: {text}")
    return Answer(refusal=f"answered {response.status}: {text}", busy=response.status in BUSY)


def _partly(warnings: Any) -> str:
    told = [one[:SHOWN] for one in warnings[:3] if isinstance(one, str)] if isinstance(warnings, list) else []
    return f"only a part came: {'; '.join(told)}" if told else ""


def _query(asked: Mapping[str, Any]) -> str:
    """As a URL's query; lone surrogates, which JSON may hold, cannot be sent."""
    return urlencode(asked, doseq=True, errors="replace")
