"""Identifiers that sort by time and are short enough to type."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


def incident_id(now: datetime) -> str:
    """Such as ``inc-20261123-101502-3f9a``: UTC time to the second, then 16 random bits."""
    return f"inc-{now.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def short_id(prefix: str) -> str:
    """Such as ``exp-9f86d081``: 32 random bits."""
    return f"{prefix}-{secrets.token_hex(4)}"
