"""What names mean: kinds of metrics, words of causes, and the identifiers that a text holds; see ``vocabulary.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final, Literal, cast

Kind = Literal[
    "error", "latency", "availability", "saturation", "memory", "age", "quality", "drift", "traffic", "other"
]

HARM: Final[Mapping[Kind, int]] = {
    "error": 1,
    "latency": 1,
    "availability": -1,
    "saturation": 1,
    "memory": 1,
    "age": 1,
    "quality": 1,
    "drift": 1,
    "traffic": 0,
    "other": 0,
}
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_TOKEN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]+")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z0-9])(?=[A-Z][a-z])")
_LABELS: Final = re.compile(r"\{.*\}$")
_COUNTER: Final = re.compile(r"[_.](total|count|sum|bucket)$")
_FAILED: Final = re.compile(r"=\"(5xx|5\d\d|\w*error|failed|failure|declined\w*)\"", re.IGNORECASE)
_QUANTILE: Final = re.compile(r"^(p\d{2,3}|q\d{2,3}|median|max|mean|avg)$")
_DEVIATION: Final = frozenset(("abs", "absolute", "squared", "prediction", "forecast", "naive", "mean"))
_REQUESTS: Final = frozenset(("request", "requests", "http", "responses", "response", "rpc", "grpc", "5xx"))
_SHORTEST: Final = 3


@cache
def vocabulary() -> Mapping[str, Any]:
    """The word lists, read once."""
    return tomllib.loads(files(__package__).joinpath("vocabulary.toml").read_text(encoding="utf-8"))


@cache
def listed(table: str, name: str) -> frozenset[str]:
    """One of the word lists."""
    return frozenset(vocabulary()[table][name])


@cache
def speaks_of(cause: str) -> re.Pattern[str]:
    """Finds what log lines say of a cause."""
    return re.compile("|".join(vocabulary()["causes"][cause]), re.IGNORECASE)


@cache
def own_side() -> re.Pattern[str]:
    """Finds what a log line says of the caller's own means, though it names whom it called."""
    return re.compile("|".join(vocabulary()["logs"]["own_side"]), re.IGNORECASE)


@lru_cache(maxsize=8192)
def parts_of(metric: str) -> tuple[str, ...]:
    """The words of a metric's name, its labels left out."""
    name = _LABELS.sub("", metric)
    return tuple(part.lower() for word in _WORD.findall(name) for part in _CAMEL.split(word) if part)


@lru_cache(maxsize=8192)
def kind_of(metric: str, component: str = "") -> Kind:
    """What a metric measures, by its name; words of the component's own name say nothing."""
    named = parts_of(metric)
    parts = frozenset(named) - frozenset(parts_of(component)) or frozenset(named)
    if _FAILED.search(metric):
        return "error"
    special = _special(named, parts)
    if special is not None:
        return special
    for kind in vocabulary()["kinds"]:
        if parts & listed("kinds", kind):
            return cast("Kind", kind)
    return "other"


def _special(named: tuple[str, ...], parts: frozenset[str]) -> Kind | None:
    """Names whose words mean something else together than alone."""
    calls = listed("metrics", "calls")
    if parts & {"lag", "delay"} and parts & {"eventloop", "loop", "gc"}:
        return "latency"
    if parts >= {"time", "wait"} or parts >= {"messages", "ready"}:
        return "saturation"
    if parts & {"error", "errors"} and parts & _DEVIATION and not parts & {"count", "total", "rate"}:
        return "quality"
    if named[-1:] == ("count",) and "seconds" in parts:
        return "traffic"
    timed = "seconds" in parts and not parts & listed("metrics", "not_latency")
    quantile = any(_QUANTILE.match(part) for part in parts)
    faulty = parts & listed("kinds", "error")
    if (timed and parts & (calls | {"time", "p50", "p95", "p99"})) or (
        "time" in parts and parts & calls and not faulty
    ):
        return "latency"
    return "latency" if quantile and parts & calls and not parts & {"bytes", "size"} and not faulty else None


@lru_cache(maxsize=8192)
def harm_of(metric: str, component: str = "") -> int:
    """1 when a rise is bad, -1 when a fall is, 0 when neither is by itself."""
    kind = kind_of(metric, component)
    if kind in ("saturation", "memory", "quality") and frozenset(parts_of(metric)) & listed("metrics", "less_is_worse"):
        return -1
    return HARM[kind]


def is_inbound(metric: str, component: str) -> bool:
    """Whether a metric counts the traffic that comes in: requests, messages, statements; not bytes, not what is sent on."""
    if kind_of(metric, component) != "traffic":
        return False
    parts = frozenset(parts_of(metric)) - frozenset(parts_of(component))
    return bool(parts & listed("metrics", "inbound")) and not parts & listed("metrics", "outbound")


def is_counted(metric: str) -> bool:
    """Whether an error metric counts requests that failed, like its traffic counts all of them."""
    return bool(frozenset(parts_of(metric)) & _REQUESTS)


def is_counter(metric: str) -> bool:
    """Whether the name says that it only ever rises."""
    return bool(_COUNTER.search(_LABELS.sub("", metric).lower()))


@cache
def _same() -> Mapping[str, str]:
    return {word: names[0] for names in vocabulary()["words"]["same"] for word in names}


def related(words: Iterable[str]) -> frozenset[str]:
    """The words, and for each that is one of several names of the same thing the first of these."""
    same = _same()
    return frozenset(word for each in words for word in (each, same.get(each, each)))


def words_in(text: str) -> frozenset[str]:
    """All words of a text, identifiers split at case and underscores, lower case, common ones too."""
    return frozenset(part.lower() for word in set(_WORD.findall(text)) for part in _CAMEL.split(word) if part)


def tokens(text: str) -> frozenset[str]:
    """The telling words of a text: identifiers split at case and underscores, lower case, common ones left out."""
    common = listed("words", "common")
    found = (part.lower() for word in set(_TOKEN.findall(text)) for part in _CAMEL.split(word))
    return frozenset(word for word in found if len(word) >= _SHORTEST and word not in common)
