"""Reads the Prometheus text exposition format, one line at a time: a bad line costs only itself."""

from __future__ import annotations

import re
from typing import NamedTuple

MOST_SAMPLES = 50_000
_LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*$")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


class Sample(NamedTuple):
    """One sample: metric name, labels, value (NaN and infinities are kept)."""

    name: str
    labels: dict[str, str]
    value: float


def parse(text: str) -> list[Sample]:
    """All samples that can be read, at most 50,000; lines that cannot be read are left out."""
    samples: list[Sample] = []
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        sample = _sample(line)
        if sample is not None:
            samples.append(sample)
        if len(samples) >= MOST_SAMPLES:
            break
    return samples


def _sample(line: str) -> Sample | None:
    match = _LINE.match(line)
    if match is None:
        return None
    try:
        value = float(match[3])
    except ValueError:
        return None
    pairs = _LABEL.findall(match[2] or "")
    return Sample(match[1], {key: _unescape(text) for key, text in pairs}, value)


def _unescape(text: str) -> str:
    return re.sub(r'\\[n"\\]', lambda found: _ESCAPES[found[0]], text)
