"""The target's JSON request log: new failures with their signatures, and requests that can be sent again.

The log is untrusted and may be half-written: a line that cannot be read costs only itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from ..errors import Unreachable
from ..kit.files import lines_backwards
from ..kit.redact import fence, redact
from ..model.evidence import Exchange, Frame, RecordedRequest, Signature, Spell
from ..model.record import Window

MOST_BYTES = 24 << 20
LONGEST_LINE = 1 << 20
MOST_EXCHANGES = 20_000
DISORDER = timedelta(seconds=5)  # lines are written when requests end, and stamped with when they began
MOST_FRAMES = 100
# What may decide how a request is answered, and says nothing about who sent it.
HEADERS = {"accept", "accept-language", "content-encoding", "content-type", "if-match", "if-none-match", "range"}
MOST_FAILING = 12
MOST_HEALTHY = 24
PER_SIGNATURE = 4


@dataclass(frozen=True)
class Log:
    """Recorded requests and failures, oldest first; ``cut`` when the limits left out some that were asked for."""

    exchanges: tuple[Exchange, ...]
    cut: bool


def read(path: Path, since: datetime) -> Log:
    """What was recorded since then, in the log and one older generation of it. Raises `Unreachable`.

    Read from the end backwards, so that a large log costs no more than what is asked of it.
    """
    if not path.exists():
        raise Unreachable(f"{path.name} is not there: set `log_file` for this target")
    found: list[Exchange] = []
    for exchange in _newest_first(path):
        if exchange.timestamp < since - DISORDER:
            return Log(tuple(reversed(found)), cut=False)
        if len(found) == MOST_EXCHANGES:
            return Log(tuple(reversed(found)), cut=True)
        found.append(exchange)
    older = path.with_name(path.name + ".1")
    cut = any(file.is_file() and file.stat().st_size > MOST_BYTES for file in (path, older))
    return Log(tuple(reversed(found)), cut=cut)


def _newest_first(path: Path) -> Iterator[Exchange]:
    for file in (path, path.with_name(path.name + ".1")):
        if file.is_file():
            for line in lines_backwards(file, MOST_BYTES):
                # Without either of them there is nothing to replay and nothing that failed.
                told = b'"request"' in line or b'"exception"' in line
                if told and len(line) <= LONGEST_LINE and b'"route"' in line and (exchange := _exchange(line)):
                    yield exchange


def _exchange(line: bytes) -> Exchange | None:
    try:
        item = json.loads(line)
        exception = item.get("exception") or {}
        request = item.get("request")
        return Exchange(
            timestamp=datetime.fromisoformat(item["timestamp"]).astimezone(UTC),
            route=fence(str(item["route"]), 200),
            status=int(item["status"]),
            duration_ms=float(item["duration_ms"]),
            request=_request(request) if request else None,
            replay_env={str(key): str(value) for key, value in ((item.get("replay") or {}).get("env") or {}).items()},
            exception=str(exception["type"])[:200] if exception else None,
            message=redact(str(exception.get("message", "")))[:500],
            frames=tuple(_frame(frame) for frame in exception.get("frames", ())[-MOST_FRAMES:]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError):
        return None


def _request(item: dict[str, object]) -> RecordedRequest:
    """Without what looks like a secret, whoever wrote the log: requests go into evidence, bundles and tests."""
    found = RecordedRequest.model_validate(item)
    headers = {name: redact(value) for name, value in found.headers.items() if name.lower() in HEADERS}
    body = redact(found.body) if found.body_encoding == "utf-8" else found.body
    where = {"path": redact(found.path), "query": redact(found.query)}
    return found.model_copy(update={**where, "headers": headers, "body": body})


def _frame(frame: dict[str, object]) -> Frame:
    return Frame.model_validate({name: frame[name] for name in Frame.model_fields})


def new_signatures(exchanges: Sequence[Exchange], window: Window, before: Window) -> list[tuple[Signature, int, int]]:
    """Signatures of the window with their count there and in the window before, most grown first."""
    now, past = _counts(exchanges, window), _counts(exchanges, before)
    known = {exchange.signature.fingerprint: exchange.signature for exchange in exchanges if exchange.signature}
    scale = window.seconds / before.seconds if before.seconds > 0 else 1.0
    grown = [(known[name], count, past[name]) for name, count in now.items() if count > 2 * past[name] * scale]
    return sorted(grown, key=lambda item: (-(item[1] - item[2] * scale), item[0].fingerprint))


def _counts(exchanges: Sequence[Exchange], window: Window) -> Counter[str]:
    inside = (exchange for exchange in exchanges if window.start <= exchange.timestamp <= window.end)
    return Counter(exchange.signature.fingerprint for exchange in inside if exchange.signature)


def spells(exchanges: Sequence[Exchange], chosen: Sequence[Exchange]) -> dict[str, Spell]:
    """When and how often each signature of the chosen failures was seen in all that was read, by its fingerprint."""
    seen: dict[str, list[datetime]] = {one.signature.fingerprint: [] for one in chosen if one.signature}
    for exchange in exchanges:
        if exchange.signature is not None and exchange.signature.fingerprint in seen:
            seen[exchange.signature.fingerprint].append(exchange.timestamp)
    return {name: Spell(first=min(at), last=max(at), count=len(at)) for name, at in seen.items()}


def failing(exchanges: Sequence[Exchange], signatures: Sequence[Signature], window: Window) -> tuple[Exchange, ...]:
    """Distinct recorded failures of the window: the given signatures first, newest first within each."""
    inside = [e for e in exchanges if e.failed and e.request and window.start <= e.timestamp <= window.end]
    order = {signature.fingerprint: rank for rank, signature in enumerate(signatures)}
    chosen: list[Exchange] = []
    taken: Counter[str] = Counter()
    seen: set[str] = set()
    for exchange in sorted(inside, key=lambda e: (_rank(e, order), -e.timestamp.timestamp())):
        name = exchange.signature.fingerprint if exchange.signature else "none"
        text = _request_key(exchange)
        if taken[name] < PER_SIGNATURE and text not in seen and len(chosen) < MOST_FAILING:
            chosen.append(exchange)
            taken[name] += 1
            seen.add(text)
    return tuple(chosen)


def healthy(exchanges: Sequence[Exchange], window: Window, ignored: tuple[str, ...]) -> tuple[Exchange, ...]:
    """Distinct recorded answers below 400 of the window, newest first, spread over routes."""
    inside = [
        e for e in exchanges
        if e.request and e.status < 400 and not e.failed and window.start <= e.timestamp <= window.end  # noqa: PLR2004
        and e.route not in ignored
    ]  # fmt: skip
    by_route: dict[str, list[Exchange]] = {}
    seen: set[str] = set()
    for exchange in reversed(inside):
        key = _request_key(exchange)
        if key not in seen:
            seen.add(key)
            by_route.setdefault(exchange.route, []).append(exchange)
    chosen: list[Exchange] = []
    while by_route and len(chosen) < MOST_HEALTHY:
        for route in list(by_route):
            chosen.append(by_route[route].pop(0))
            if not by_route[route]:
                del by_route[route]
    return tuple(chosen[:MOST_HEALTHY])


def _rank(exchange: Exchange, order: dict[str, int]) -> int:
    return order.get(exchange.signature.fingerprint, len(order)) if exchange.signature else len(order) + 1


def _request_key(exchange: Exchange) -> str:
    request = exchange.request
    return "" if request is None else f"{request.method} {request.path}?{request.query} {request.body}"
