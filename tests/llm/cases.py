"""A case as the engine hands it over, and an analyst for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from agent.llm.analyst import LangChainAnalyst
from agent.model.case import Case
from agent.model.diagnosis import Hypothesis
from agent.model.evidence import Evidence
from agent.model.language import LanguageModel
from agent.model.record import Window
from fakes import records
from fakes.clock import NOON

KEY = "sk-test-4f9aQ7kLmNoPqRsTuVwXyZ012345"
WINDOW = Window(start=NOON - timedelta(minutes=10), end=NOON)
CULPRIT, OTHER = "a1" * 20, "b2" * 20


def fact(name: str, source: str, summary: str) -> Evidence:
    return Evidence(id=name, source=source, kind="fact", window=WINDOW, summary=summary)


def guess(rank: int, confidence: float, **fields: Any) -> Hypothesis:
    given = {"cause": "code", "component": "shop", "change": None, "remediation": "roll back", "title": "a guess"}
    return Hypothesis.model_validate({"rank": rank, "confidence": confidence, **given, **fields})


def case(**fields: Any) -> Case:
    given: dict[str, Any] = {
        "incident": records.incident(),
        "window": WINDOW,
        "evidence": (
            fact("E1", "log", "ZeroDivisionError in shop.py:answer: 41 times, 0 before"),
            fact("E2", "metrics", "error_ratio is 0.4237"),
        ),
        "hypotheses": (
            guess(1, 0.4, change=CULPRIT, title="commit a1a1a1a1a1: halve otherwise"),
            guess(2, 0.3, cause="dependency", title="a dependency is down or slow"),
        ),
        "changes": (
            records.change(CULPRIT, "shop.py", title="halve otherwise"),
            records.change(OTHER, "README.md", title="words"),
        ),
    }
    return Case(**{**given, **fields})


def language(url: str, **fields: Any) -> LanguageModel:
    given = {
        "model": "openai:gpt-4o",
        "base_url": url,
        "api_key": SecretStr(KEY),
        "retry_pause": 0.01,
        "call_seconds": 5.0,
    }
    return LanguageModel.model_validate({**given, **fields})


def analyst(purse: Any, clock: Any, url: str, **fields: Any) -> LangChainAnalyst:
    return LangChainAnalyst(language(url, **fields), purse, clock)
