"""Marks untrusted text in a prompt, so that where it begins and ends cannot be forged by what stands in it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from .personal import impersonal
from .redact import MASK, fence

SHORTEST_SECRET = 6


@dataclass(frozen=True)
class Fence:
    """A mark drawn by lot for one conversation, and the secrets that must never pass.

    ``secrets`` are known values, whatever they look like; patterns of secrets and personal data go as well.
    """

    secrets: Sequence[str] = ()
    mark: str = field(default_factory=lambda: secrets.token_hex(6))

    def clean(self, text: str, limit: int) -> str:
        """Text without secrets, personal data, control characters and our mark, at most ``limit`` long."""
        head = text[: limit * 4]
        # Longest first: a secret that contains another must not be left half in clear.
        for secret in sorted((each for each in self.secrets if len(each) >= SHORTEST_SECRET), key=len, reverse=True):
            head = head.replace(secret, MASK)
        return fence(impersonal(head).replace(self.mark, ""), limit)

    def around(self, name: str, text: str, limit: int) -> str:
        """The text, cleaned, between two marked lines that name it."""
        label = " ".join(self.clean(name, 120).split())
        return f"[data {self.mark} {label}]\n{self.clean(text, limit)}\n[end {self.mark}]"
