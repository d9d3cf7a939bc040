"""Keeps secrets out of what is recorded."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

MASK = "[redacted]"
KEPT_HEADERS = ("content-type", "accept")
_SECRET = re.compile(r"pass(word|wd|phrase)?|secret|token|api[_-]?key|authorization|cookie|credential", re.IGNORECASE)
_TOKENS = re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}|\bsk-[A-Za-z0-9_-]{16,}|\bgh[opusr]_[A-Za-z0-9]{16,}")


def text(value: str) -> str:
    """Free text without what looks like a token."""
    return _TOKENS.sub(MASK, value)


def query(raw: str) -> str:
    """A query string; unchanged when it holds no secret, so that odd encodings replay as they came."""
    pairs = parse_qsl(raw, keep_blank_values=True)
    if not any(_SECRET.search(key) or _TOKENS.search(value) for key, value in pairs):
        return raw
    return urlencode([(key, MASK if _SECRET.search(key) else text(value)) for key, value in pairs])


def body(raw: str) -> str:
    """A JSON body with the values under secret names masked; other text without tokens."""
    if not (_SECRET.search(raw) or _TOKENS.search(raw) or "\\u" in raw):  # an escape may hide a name
        return raw
    try:
        return json.dumps(_masked(json.loads(raw)))
    except (ValueError, RecursionError):
        return text(re.sub(rf"(?i)([\w-]*(?:{_SECRET.pattern})[\w-]*\W{{1,4}})[^\s\"&,}}]+", rf"\1{MASK}", raw))


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: MASK if _SECRET.search(key) else _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return text(value) if isinstance(value, str) else value
