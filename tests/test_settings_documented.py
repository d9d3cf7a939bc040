"""Every setting is documented, and every documented setting exists."""

from __future__ import annotations

import re
from pathlib import Path

from agent.settings import Settings


def test_the_example_names_exactly_the_settings():
    """`.env.example` and `Settings` agree, both ways."""
    text = (Path(__file__).parents[1] / ".env.example").read_text()
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", text, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}
