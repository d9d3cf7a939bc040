"""A stateful stand-in for Loki 3.4: it keeps what is pushed and answers as a real one did when its answers were recorded.

Errors are plain text, times are strings of nanoseconds, the start of a range belongs to it and its end does not, structured
metadata stand among the labels (or beside each entry, where ``categorized``), and limits are refused, not applied.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from .answering import Answering

LONGEST_RANGE = (30 * 24 + 1) * 3600 * 10**9
_MATCHER = re.compile(r'\s*([A-Za-z_]\w*)(=~|!~|!=|=)("(?:[^"\\]|\\.)*")\s*')
_FILTER = re.compile(r'\s*\|~\s*("(?:[^"\\]|\\.)*")\s*')


class LokiServer:
    """``max_entries`` is its limit of lines; ``refusals`` are answers that come first, one each."""

    def __init__(self, *, max_entries: int = 5_000, categorized: bool = False) -> None:
        self.max_entries, self.categorized = max_entries, categorized
        self.entries: list[tuple[dict[str, str], int, str, dict[str, str]]] = []
        self.refusals: list[tuple[int, str]] = []
        self.asked: list[dict[str, str]] = []
        self._http = Answering(self._answer)

    @property
    def url(self) -> str:
        return self._http.url

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.__exit__()

    def push(self, at: float, line: str, metadata: Mapping[str, str] | None = None, **labels: str) -> None:
        """Keep one entry; Loki finds its level by itself."""
        found = re.search(r"(?i)\b(error|warn|info|debug)", line)
        level = found[1].lower() if found else "unknown"
        self.entries.append((labels, int(at * 1e9), line, {"detected_level": level, **(metadata or {})}))

    def _answer(self, path: str) -> tuple[int, str]:
        parts = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append({"path": parts.path, **asked})
        if self.refusals:
            return self.refusals.pop(0)
        try:
            return 200, json.dumps({"status": "success", "data": self._data(parts.path, asked)})
        except ValueError as error:
            return 400, f"{error}\n"
        except LookupError:
            return 404, "404 page not found\n"

    def _data(self, path: str, asked: Mapping[str, str]) -> Any:
        if path == "/loki/api/v1/labels":
            return sorted({name for labels, *_ in self._between(asked) for name in labels})
        values = re.fullmatch(r"/loki/api/v1/label/(\w+)/values", path)
        if values:
            return sorted({labels[values[1]] for labels, *_ in self._between(asked) if values[1] in labels})
        if path == "/loki/api/v1/query_range":
            return self._range(asked)
        raise LookupError(path)

    def _between(self, asked: Mapping[str, str]) -> list[tuple[dict[str, str], int, str, dict[str, str]]]:
        start, end = int(asked["start"]), int(asked["end"])
        if end - start > LONGEST_RANGE:
            hours = (end - start) // (3600 * 10**9)
            raise ValueError(f"the query time range exceeds the limit (query length: {hours}h0m0s, limit: 30d1h)")
        return [entry for entry in self.entries if start <= entry[1] < end]

    def _range(self, asked: Mapping[str, str]) -> dict[str, Any]:
        limit = int(asked.get("limit", "100"))
        if limit > self.max_entries:
            raise ValueError(
                "max entries limit per query exceeded, limit > max_entries_limit_per_query "
                f"({limit} > {self.max_entries})"
            )
        matchers, filters = _parsed(asked["query"])
        fits = [
            entry
            for entry in self._between(asked)
            if all(_matches(entry[0].get(name, ""), sign, value) for name, sign, value in matchers)
            and all(re.search(one, entry[2]) for one in filters)
        ]
        backward = asked.get("direction", "backward") == "backward"
        fits.sort(key=lambda entry: entry[1])
        if backward:
            fits.reverse()
        streams: dict[str, list[Any]] = defaultdict(list)
        for labels, at, line, metadata in fits[:limit]:
            shown = labels if self.categorized else {**labels, **metadata}
            own = [{"structuredMetadata": metadata, "parsed": {}}] if self.categorized else []
            streams[json.dumps(shown, sort_keys=True)].append([str(at), line, *own])
        result = [{"stream": json.loads(labels), "values": values} for labels, values in streams.items()]
        return {"resultType": "streams", "result": result, "stats": {"summary": {"totalEntriesReturned": len(fits)}}}


def _parsed(query: str) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Matchers and line filters; refuses what Loki refuses."""
    if not query.startswith("{"):
        raise ValueError("parse error at line 1, col 1: syntax error: unexpected IDENTIFIER")
    at, matchers = 1, []
    while (match := _MATCHER.match(query, at)) is not None:
        matchers.append((match[1], match[2], json.loads(match[3])))
        at = match.end()
        if query[at : at + 1] != ",":
            break
        at += 1
    if query[at : at + 1] != "}":
        raise ValueError(f"parse error at line 1, col {at + 1}: syntax error: unexpected $end, expecting }} or ,")
    if not any(sign in ("=", "=~") and value not in ("", ".*") for _, sign, value in matchers):
        raise ValueError(
            "parse error : queries require at least one regexp or equality matcher that does not have an "
            'empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will'
        )
    at, filters = at + 1, []
    while (match := _FILTER.match(query, at)) is not None:
        filters.append(json.loads(match[1]))
        at = match.end()
    if at != len(query):
        raise ValueError(f"parse error at line 1, col {at + 1}: syntax error: unexpected {query[at:][:10]}")
    return matchers, filters


def _matches(value: str, sign: str, wanted: str) -> bool:
    found = value == wanted if sign in ("=", "!=") else re.fullmatch(wanted, value) is not None
    return found == (sign in ("=", "=~"))
