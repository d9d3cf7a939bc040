"""The two files that tell the agent about a staged target: ``agent.toml`` and ``.env``. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

Value = str | int | float | bool | Path | Sequence[str] | Mapping[str, str]


def toml(tables: Sequence[tuple[str, Mapping[str, Value]]]) -> str:
    """Tables in order, each as its header (``[[target]]``) and fields. JSON strings are TOML strings."""
    lines = []
    for header, fields in tables:
        lines.append(header)
        lines += [f"{name} = {_value(value)}" for name, value in fields.items()]
        lines.append("")
    return "\n".join(lines)


def dotenv(values: Mapping[str, str]) -> str:
    """One ``NAME=value`` a line."""
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _value(value: Value) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {json.dumps(item)}" for name, item in value.items()) + " }"
    if isinstance(value, Path):
        return json.dumps(str(value))
    return json.dumps(list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value)
