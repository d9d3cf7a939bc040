"""Builds capsules from evidence: which requests, at which clock, judged by what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import ceil, log, log1p

from ..kit.ids import short_id
from ..model.evidence import EvidenceSet, Exchange, RecordedRequest, Signature
from ..model.experiment import Capsule, Oracle, SignalBound
from ..model.target import Target

MOST_FAILING = 3
MOST_HEALTHY = 8
MOST_SOAKED = 20
REPEAT, MOST_REPEAT = 4, 40
MISSED = 0.01
SOAK_SECONDS = 0.9
UNITS = {"latency_p95": "s", "data_age": "s", "memory_growth": "MiB per 100 requests", "mae_ratio": ""}
RELATIVE = ("latency_p95", "memory_growth")
ABSOLUTE = ("mae_ratio", "data_age")


def request_capsule(target: Target, evidence: EvidenceSet, signal: str, commit: str, lock_hash: str) -> Capsule | None:
    """The most frequent new failure's requests; None when no failure with a signature was recorded."""
    failing = [e for e in evidence.failing if e.signature and e.request and not e.request.body_truncated]
    if not failing:
        return None
    signature = _first_signature(failing)
    same = [exchange for exchange in failing if exchange.signature == signature]
    gaps = tuple(f"a body of {e.route} was cut and is left out" for e in evidence.failing if _cut(e))
    requests = tuple(e.request for e in same[:MOST_FAILING] if e.request)
    healthy = _requests(evidence.healthy, MOST_HEALTHY)
    # One process has one clock: the newest failure's. Others of the same kind come along as they are.
    return Capsule(
        id=short_id("cap"),
        target=target.name,
        signal=signal,
        commit=commit,
        failing=requests,
        healthy=healthy,
        env=_environment(target, same[0]),
        repeat=REPEAT if _may_repeat((*requests, *healthy), evidence) else 1,
        signature=signature,
        oracle=Oracle(
            strength="weak",
            name="no exception",
            description=f"{signature.exception} is not raised by the recorded requests",
        ),
        lock_hash=lock_hash,
        gaps=gaps + _state_gaps(same[0]),
    )


def steadied(capsule: Capsule, rate: float) -> Capsule:
    """Repeated until a fault that shows at this rate (0..1) is missed by one run in a hundred at most, within a bound.

    The failing requests are sent once in every repetition, and each of them is one chance to see the fault.
    """
    if capsule.repeat == 1 or not 0.0 < rate < 1.0:
        return capsule
    wanted = ceil(log(MISSED) / log1p(-rate) / len(capsule.failing))
    return capsule.model_copy(update={"repeat": min(MOST_REPEAT, max(capsule.repeat, wanted))})


def signal_capsule(
    target: Target, evidence: EvidenceSet, signal: str, commit: str, lock_hash: str, limits: Mapping[str, float]
) -> Capsule | None:
    """The recorded mix, sent for a while; the same signal that raised the alert is read. None for other signals."""
    if signal not in UNITS:
        return None
    requests = _requests((*evidence.healthy, *evidence.failing), MOST_SOAKED)
    if not requests:
        return None
    example = (evidence.healthy or evidence.failing)[0]
    limit = limits.get(signal, float("inf")) if signal in ABSOLUTE else float("inf")
    return Capsule(
        id=short_id("cap"),
        target=target.name,
        signal=signal,
        commit=commit,
        failing=requests,
        env=_environment(target, example),
        soak_seconds=SOAK_SECONDS,
        bound=SignalBound(signal=signal, limit=limit, unit=UNITS[signal]),
        oracle=Oracle(
            strength="strong",
            name=f"{signal} within its bound",
            description=f"the service's own {signal} under the recorded requests stays within its bound",
        ),
        lock_hash=lock_hash,
        gaps=_state_gaps(example),
    )


def start_capsule(target: Target, evidence: EvidenceSet, commit: str, lock_hash: str) -> Capsule:
    """Does the release come up at all? Its clock and seed are those of the newest line in the log, where there is one."""
    seen = (evidence.failing or evidence.healthy)[:1]
    return Capsule(
        id=short_id("cap"),
        target=target.name,
        signal="down",
        commit=commit,
        failing=(RecordedRequest(method="GET", path=target.health_path),),
        env=_environment(target, seen[0]) if seen else {},
        starts=True,
        oracle=Oracle(strength="weak", name="it starts", description="the service starts and its health check answers"),
        lock_hash=lock_hash,
        gaps=_state_gaps(seen[0]) if seen else (),
    )


def answer_capsule(target: Target, evidence: EvidenceSet, signal: str, commit: str, lock_hash: str) -> Capsule | None:
    """Healthy-looking requests at one clock, to be compared with a good release's answers field by field."""
    requests = _requests(evidence.healthy, MOST_SOAKED)
    if not requests:
        return None
    return Capsule(
        id=short_id("cap"),
        target=target.name,
        signal=signal,
        commit=commit,
        failing=requests,
        env=_environment(target, evidence.healthy[0]),
        oracle=Oracle(
            strength="strong",
            name="answers of the good release",
            description="every answer equals the last good release's, field by field",
        ),
        lock_hash=lock_hash,
        gaps=_state_gaps(evidence.healthy[0]),
    )


def _first_signature(failing: list[Exchange]) -> Signature:
    """The evidence lists the most grown signature first; among equals the most frequent."""
    first = failing[0].signature
    counts = Counter(exchange.signature for exchange in failing)
    chosen = first if first is not None else counts.most_common(1)[0][0]
    if chosen is None:
        raise ValueError("no failure with a signature")
    return chosen


def _requests(exchanges: tuple[Exchange, ...], most: int) -> tuple[RecordedRequest, ...]:
    """Requests that may be sent again: complete, and reading or of a kind that users send all the time."""
    routine = Counter(exchange.route for exchange in exchanges)
    chosen = [
        exchange.request
        for exchange in exchanges
        if exchange.request
        and not exchange.request.body_truncated
        and (exchange.request.method in ("GET", "HEAD") or routine[exchange.route] > 1 or exchange.failed)
    ]
    return tuple(chosen[:most])


def _may_repeat(requests: tuple[RecordedRequest, ...], evidence: EvidenceSet) -> bool:
    """Whether sending all of them several times is what users do too: reading, or seen more than once in the log."""
    seen = Counter((e.request.method, e.request.path) for e in (*evidence.failing, *evidence.healthy) if e.request)
    return all(one.method in ("GET", "HEAD") or seen[one.method, one.path] > 1 for one in requests)


def _environment(target: Target, exchange: Exchange) -> dict[str, str]:
    """Only names that the target's configuration allows: a log line has no authority over our environment."""
    return {name: value for name, value in exchange.replay_env.items() if name in target.replay_env}


def _cut(exchange: Exchange) -> bool:
    return exchange.request is not None and exchange.request.body_truncated


def _state_gaps(exchange: Exchange) -> tuple[str, ...]:
    return () if exchange.replay_env else ("the recorder gave no clock or seed: the run uses the service's defaults",)
