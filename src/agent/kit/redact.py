"""Secrets and control characters out of text that the agent stores, shows or sends on."""

from __future__ import annotations

import re

from pydantic import JsonValue

MASK = "[redacted]"
LONGEST = 1 << 20
_NAMES_OF_VALUES_TO_MASK = (
    r"(?<![a-z])(?:passwords?|passwd|passphrase|pwd|secrets?|tokens?|api[_-]?keys?|access[_-]?keys?|authorization|"
    r"cookies?|credentials?)(?![a-z])"
)
_PATTERNS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"(?i)\b(bearer|basic)\s+(?!\[redacted\])[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    (re.compile(r"\b(?:ghp|gho|ghu|ghs|ghr|github_pat|glpat|xox[abprs])[_-][A-Za-z0-9_-]{10,}"), MASK),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{16,}"), MASK),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), MASK),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), MASK),
    (re.compile(r"(?<=://)[^/\s:@\[\]]{1,200}:[^/\s@\[\]]{1,200}@"), f"{MASK}@"),
    (
        re.compile(
            rf"(?i)(\b[\w.-]{{0,40}}{_NAMES_OF_VALUES_TO_MASK}[\w.-]{{0,40}}[\"']?\s{{0,3}}[=:]\s{{0,3}}[\"']?)"
            r"(?!\[redacted\]|bearer |basic )[^\s\"'&,;}\]]{1,500}"
        ),
        rf"\1{MASK}",
    ),
)
_NAME = re.compile(_NAMES_OF_VALUES_TO_MASK, re.IGNORECASE)
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e"
    r"\u2066-\u2069\ufeff\ud800-\udfff]"
)


def redact(text: str) -> str:
    """Replace what looks like a secret; text beyond 1 MiB is cut."""
    text = text[:LONGEST]
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact_json(value: JsonValue) -> JsonValue:
    """Redact every string of a JSON value, and whole values under names that speak of secrets."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [redact_json(item) for item in value]
    if isinstance(value, dict):
        return {redact(key): MASK if _NAME.search(key) and item else redact_json(item) for key, item in value.items()}
    return value


def fence(text: str, limit: int) -> str:
    """Untrusted text made harmless to show: no control or direction characters, no secrets, at most ``limit`` long."""
    clean = redact(_CONTROL.sub("", text[: limit * 4]))
    return clean if len(clean) <= limit else clean[: max(0, limit - 1)] + "…"
