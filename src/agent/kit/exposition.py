"""Reads the Prometheus text exposition format, one line at a time: a bad line costs only itself.

The text comes from the target and is untrusted, so every step takes time in proportion to the line's length.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MOST_SAMPLES = 50_000
LONGEST_LINE = 16_384
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*')
_ESCAPED = re.compile(r'\\[n"\\]')
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
VALUE_AND_TIME = 2


class Sample(NamedTuple):
    """One sample: metric name, labels, value (NaN and infinities are kept)."""

    name: str
    labels: dict[str, str]
    value: float


def parse(text: str) -> list[Sample]:
    """All samples that can be read, at most 50,000; lines that cannot be read are left out."""
    samples: list[Sample] = []
    for line in text.split("\n"):
        if line.startswith("#") or len(line) > LONGEST_LINE:
            continue
        sample = _sample(line.strip())
        if sample is not None:
            samples.append(sample)
        if len(samples) >= MOST_SAMPLES:
            break
    return samples


def _sample(line: str) -> Sample | None:
    name = _NAME.match(line)
    if name is None:
        return None
    labels: dict[str, str] = {}
    rest = line[name.end() :].lstrip()
    if rest.startswith("{"):
        found = _labels(rest)
        if found is None:
            return None
        labels, rest = found
    elif rest == line[name.end() :]:
        return None  # nothing between the name and what follows
    words = rest.split()
    if not 1 <= len(words) <= VALUE_AND_TIME:
        return None
    try:
        return Sample(name[0], labels, float(words[0]))
    except ValueError:
        return None


def _labels(text: str) -> tuple[dict[str, str], str] | None:
    """The labels at the start of ``{...} value``, and what follows them."""
    labels: dict[str, str] = {}
    at = 1
    while (match := _LABEL.match(text, at)) is not None:
        labels[match[1]] = _ESCAPED.sub(lambda found: _ESCAPES[found[0]], match[2])
        at = match.end()
        if text[at : at + 1] != ",":
            break
        at += 1
    closing = text[at:].lstrip()
    return (labels, closing[1:]) if closing.startswith("}") else None
