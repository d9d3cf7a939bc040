"""What a call costs, where that is known."""

from __future__ import annotations

import pytest

from agent.llm.prices import LISTED, price_of
from agent.model.language import Price

OWN = Price(input=1.0, output=2.0)


@pytest.mark.parametrize(
    ("name", "price"),
    [
        ("openai:gpt-4", LISTED["gpt-4"]),
        ("gpt-4", LISTED["gpt-4"]),
        ("openai:gpt-4-0613", LISTED["gpt-4"]),
        ("openai:gpt-4o-2024-08-06", LISTED["gpt-4o"]),
        ("anthropic:claude-sonnet-4-5-20250929", LISTED["claude-sonnet-4-5"]),
        ("mistralai:mistral-large-latest", LISTED["mistral-large"]),
        ("openai:gpt-4-32k", None),
        ("openai:gpt-4.5", None),
        ("ollama:llama3:8b", None),
        ("", None),
    ],
)
def test_a_release_costs_what_its_model_costs(name, price):
    """And a name that only looks alike has no price."""
    assert price_of(name, {}) == price


def test_ones_own_price_comes_first():
    """By the whole name or without its provider."""
    assert price_of("openai:gpt-4", {"gpt-4": OWN}) == OWN
    assert price_of("ollama:llama3:8b", {"ollama:llama3:8b": OWN}) == OWN


def test_cached_tokens_cost_their_own():
    """They are among those that went in."""
    assert Price(input=2.0, output=8.0, cached=0.5).of(1_000_000, 500_000, 400_000) == pytest.approx(1.2 + 0.2 + 4.0)
    assert OWN.of(1_000_000, 0, 1_000_000) == pytest.approx(1.0)
