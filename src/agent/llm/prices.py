"""List prices by model. One that is not known here or in `agent.toml` leaves the budgets of calls, tokens and time."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..model.language import Price

# US dollars per million tokens (input, output, cached input), as the vendors listed them in 2025; [llm.prices] overrides.
_LISTED: dict[str, tuple[float, float, float | None]] = {
    "gpt-4": (30.0, 60.0, None),
    "gpt-4-turbo": (10.0, 30.0, None),
    "gpt-4o": (2.5, 10.0, 1.25),
    "gpt-4o-mini": (0.15, 0.6, 0.075),
    "gpt-4.1": (2.0, 8.0, 0.5),
    "gpt-4.1-mini": (0.4, 1.6, 0.1),
    "gpt-4.1-nano": (0.1, 0.4, 0.025),
    "gpt-5": (1.25, 10.0, 0.125),
    "gpt-5-mini": (0.25, 2.0, 0.025),
    "gpt-5-nano": (0.05, 0.4, 0.005),
    "o3": (2.0, 8.0, 0.5),
    "o4-mini": (1.1, 4.4, 0.275),
    "claude-opus-4-1": (15.0, 75.0, 1.5),
    "claude-sonnet-4": (3.0, 15.0, 0.3),
    "claude-sonnet-4-5": (3.0, 15.0, 0.3),
    "claude-haiku-4-5": (1.0, 5.0, 0.1),
    "claude-3-5-haiku": (0.8, 4.0, 0.08),
    "gemini-2.5-pro": (1.25, 10.0, 0.31),
    "gemini-2.5-flash": (0.3, 2.5, 0.075),
    "mistral-large": (2.0, 6.0, None),
}
LISTED = {name: Price(input=put, output=got, cached=kept) for name, (put, got, kept) in _LISTED.items()}
# What a vendor adds to a name for one of its releases: "-2024-08-06", "-20250929", "-0613", "-latest".
_RELEASE = re.compile(r"(?:-latest|-\d{4}(?:-\d{2}-\d{2}|\d{4})?)$")


def price_of(model: str, own: Mapping[str, Price]) -> Price | None:
    """The price of ``provider:model`` or ``model``, a dated release at the price of its name; None when not known."""
    bare = model.partition(":")[2] or model
    for name in (model, bare, _RELEASE.sub("", bare)):
        found = own.get(name) or LISTED.get(name)
        if found is not None:
            return found
    return None
