"""Which commit a target says it runs: read from its own status, else its metrics. Untrusted: only hex counts."""

from __future__ import annotations

import json
import re

from pydantic import JsonValue

from ..errors import NotFound, Permanent, Transient
from ..kit.exposition import parse
from ..kit.git import SHA_LENGTH, Git
from ..kit.http import HttpClient
from ..model.target import Target

NAMES = ("commit", "git_commit", "commit_sha", "git_sha", "revision", "sha")
DEPTH = 3
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


def claimed_commit(http: HttpClient, target: Target, *, timeout: float) -> str | None:
    """The commit that the target claims, in full where the repository knows it; None when it claims none."""
    base = target.url.rstrip("/")
    claim = _from_status(_body(http, base + target.status_path, timeout))
    claim = claim or _from_metrics(_body(http, base + target.metrics_path, timeout))
    if claim is None:
        return None
    try:
        return Git(target.repository).resolve(claim)
    except (NotFound, Transient):
        return claim if len(claim) == SHA_LENGTH else None  # a short word may be a build number


def healthy(http: HttpClient, target: Target, *, timeout: float) -> bool:
    """Whether the target's health endpoint answers with 200."""
    try:
        return http.get(target.url.rstrip("/") + target.health_path, timeout=timeout).status == 200  # noqa: PLR2004
    except (Transient, Permanent):
        return False


def _body(http: HttpClient, url: str, timeout: float) -> str:
    try:
        response = http.get(url, timeout=timeout)
    except (Transient, Permanent):
        return ""
    return response.text if response.status == 200 else ""  # noqa: PLR2004 - HTTP OK


def _from_status(text: str) -> str | None:
    try:
        return _search(json.loads(text), DEPTH)
    except (ValueError, RecursionError):
        return None


def _search(value: JsonValue, depth: int) -> str | None:
    if not isinstance(value, dict) or depth == 0:
        return None
    found = [value[name] for name in NAMES if name in value]
    own = next((text for text in found if isinstance(text, str) and _COMMIT.fullmatch(text)), None)
    return own or next((deep for item in value.values() if (deep := _search(item, depth - 1))), None)


def _from_metrics(text: str) -> str | None:
    for sample in parse(text):
        if sample.name.endswith("_info") or sample.name == "info":
            for name in NAMES:
                if _COMMIT.fullmatch(sample.labels.get(name, "")):
                    return sample.labels[name]
    return None
