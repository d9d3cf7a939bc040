"""Keeps secrets out of what is recorded."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

MASK = "[redacted]"
KEPT_HEADERS = ("content-type", "accept")
_SPEAKS = r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|(?:api|access)[_-]?key|authorization|cookie|credential)"
# A name within a longer word counts too (authToken); what stands before it needs no match, for it is kept anyway.
_NAMED = rf"{_SPEAKS}[\w.-]{{0,40}}[\"']?\s{{0,3}}[=:]\s{{0,3}}"
_NAME = re.compile(_SPEAKS, re.IGNORECASE)
# Every repetition is bounded or starts where the one before it ended: a hostile request cannot make these slow.
_PATTERNS = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        MASK,
    ),
    (re.compile(r"(?i)\b(bearer)\s{1,10}[a-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    # A word in lower-case letters is no credential: "basic training" stays.
    (re.compile(r"\b((?i:basic))\s{1,10}(?=[a-z._~+/-]{0,200}[A-Z0-9=])[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    (
        re.compile(
            r"(?i)(\b(?:(?:proxy-)?authorization|(?:set-)?cookie)[\"']?\s{0,3}:\s{0,3}[\"']?)[^\r\n\"']{1,4000}"
        ),
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


def text(value: str) -> str:
    """Free text (a message, a traceback, a path) without what looks like a secret."""
    for pattern, replacement in _PATTERNS:
        value = pattern.sub(replacement, value)
    return value


def query(raw: str) -> str:
    """A query string; unchanged when it holds no secret, so that odd encodings replay as they came."""
    pairs = parse_qsl(raw, keep_blank_values=True)
    clean = [(key, MASK if _NAME.search(key) else text(value)) for key, value in pairs]
    return raw if clean == pairs else urlencode(clean)


def body(raw: str) -> str:
    """A JSON body with the values under secret names masked; other text without what looks like a secret."""
    plain = text(raw)
    if plain == raw and not _NAME.search(raw) and "\\u" not in raw:  # an escape may hide a name
        return raw
    try:
        return json.dumps(_masked(json.loads(raw)))
    except (ValueError, RecursionError):
        return plain


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: MASK if _NAME.search(key) else _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return text(value) if isinstance(value, str) else value
