"""Secrets and control characters out of text that the agent stores, shows or sends on."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import JsonValue

MASK = "[redacted]"
LONGEST = 1 << 20
DEEPEST = 64
_NAMES_OF_VALUES_TO_MASK = (
    r"(?<![a-z])(?:passwords?|passwd|passphrase|pwd|secrets?|tokens?|api[_-]?keys?|access[_-]?keys?|authorization|"
    r"cookies?|credentials?)(?![a-z])"
)
_NAMED = rf"\b[\w.-]{{0,40}}{_NAMES_OF_VALUES_TO_MASK}[\w.-]{{0,40}}[\"']?\s{{0,3}}[=:]\s{{0,3}}"
_HEADER = r"\b(?:proxy-)?authorization|\b(?:set-)?cookie"
# Every repetition is bounded or starts where the one before it ended: a hostile text cannot make these slow.
_PATTERNS = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        MASK,
    ),
    # A word in lower-case letters is no credential: "basic training" stays.
    (
        re.compile(r"\b((?i:bearer|basic))\s{1,10}(?=[a-z._~+/-]{0,200}[A-Z0-9=])[A-Za-z0-9._~+/=-]{6,}"),
        rf"\1 {MASK}",
    ),
    (
        re.compile(rf"(?i)((?:{_HEADER})[\"']?\s{{0,3}}:\s{{0,3}}[\"']?)[^\r\n\"']{{1,4000}}"),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?<![A-Za-z0-9])(?:gh[opusr]|github_pat|glpat|xox[abprs])[_-][A-Za-z0-9_-]{10,}"), MASK),
    (re.compile(r"(?<![A-Za-z0-9_-])sk-[A-Za-z0-9_-]{16,}"), MASK),
    (re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])"), MASK),
    (re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), MASK),
    (re.compile(r"(?<=://)(?!\[redacted\]@)[^/?#\s@\"'<>]{1,400}@"), f"{MASK}@"),
    (re.compile(rf"(?i)({_NAMED})([\"'])(?!\[redacted\])(?:\\.|(?!\2)[^\\\r\n]){{1,2000}}\2"), rf"\1\2{MASK}\2"),
    (
        re.compile(rf"(?i)({_NAMED}[\"']?)(?!\[redacted\]|bearer |basic )[^\s\"'&,;}}\]]{{1,500}}"),
        rf"\1{MASK}",
    ),
)
_NAME = re.compile(_NAMES_OF_VALUES_TO_MASK, re.IGNORECASE)
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e"
    r"\u2066-\u2069\ufeff\ud800-\udfff]"
)

# Also what hides or reorders text: a diff that reads one way and runs another must not be approved.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """The same text with control, zero-width and direction characters as ``<U+202E>``, for a person who decides."""
    return _HIDDEN.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)


def redact(text: str) -> str:
    """Replace what looks like a secret; text beyond 1 MiB is cut."""
    text = text[:LONGEST]
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text[:LONGEST]  # a mask may be longer than what it hides


def redact_json(value: JsonValue) -> JsonValue:
    """Redact every string of a JSON value, and whole values under names that speak of secrets.

    What lies deeper than 64 levels is masked as a whole.
    """
    return _redacted(value, DEEPEST)


def redact_values(named: Mapping[str, str]) -> dict[str, str]:
    """Labels or variables with the values masked that look like secrets, or stand under a name that speaks of one."""
    return {name: MASK if _NAME.search(name) and value else redact(value) for name, value in named.items()}


def _redacted(value: JsonValue, levels: int) -> JsonValue:
    if isinstance(value, str):
        return redact(value)
    if not isinstance(value, list | dict):
        return value
    if levels == 0:
        return MASK
    if isinstance(value, list):
        return [_redacted(item, levels - 1) for item in value]
    return {
        redact(key): MASK if _NAME.search(key) and item else _redacted(item, levels - 1) for key, item in value.items()
    }


def fence(text: str, limit: int) -> str:
    """Untrusted text made harmless to show: no control or direction characters, no secrets, at most ``limit`` long."""
    if limit <= 0:
        return ""
    clean = _cut(redact(_CONTROL.sub("", text[: limit * 4])), limit)
    return _cut(
        redact(clean), limit
    )  # half a mask looks like a secret again: what is shown stays as it is, fenced twice


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
