"""The verdict from outside, of the demo and of drills: what runs, and whether the service is well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .meter import Answers, Meter

ENOUGH: Final = 50  # requests without which nothing can be said
_ERRORS: Final = 0.01  # how much worse than before the fault the error ratio may be
_REFUSALS: Final = 0.12  # of all answers; four standard deviations of 200 requests of the usual mix
_SLOWER: Final = 2.0  # how many times slower than before the fault
_FAST: Final = 0.25  # seconds that are never too slow
_MARGIN: Final = 1.25  # how much above its course before the fault a signal may end
# What is normal by itself: better than the naive forecast, no older than two hourly bars, less growth than noise.
_NORMAL: Final[Mapping[str, float]] = {"mae_ratio": 1.0, "data_age": 7200.0, "memory_growth": 0.5}


@dataclass(frozen=True)
class Times:
    """The windows that are compared (epoch seconds)."""

    calm_from: float
    fault_at: float
    well_from: float
    now: float


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    passed: bool
    detail: str


def examine(meter: Meter, times: Times, documents: Mapping[str, Any], broken_commit: str, signal: str) -> list[Finding]:
    """Look at the running commit, at the traffic's answers and at the signal, before the fault and now."""
    before = meter.answers(times.calm_from, times.fault_at)
    after = meter.answers(times.well_from, times.now)
    return [
        running(meter.running(), documents, broken_commit),
        enough(after),
        errors(before, after),
        latency(before, after),
        back_to_normal(
            signal,
            meter.between(signal, times.calm_from, times.fault_at),
            meter.between(signal, times.well_from, times.now),
        ),
    ]


def running(commit: str | None, documents: Mapping[str, Any], broken_commit: str) -> Finding:
    """The target itself says that it runs the deployed fix, not the broken release."""
    deployed = (documents.get("deployment") or {}).get("commit")
    right = commit is not None and commit == deployed and commit != broken_commit
    return Finding("the fix runs", right, f"running {str(commit)[:10]}, deployed {str(deployed)[:10]}")


def enough(after: Answers) -> Finding:
    """Silence proves nothing."""
    return Finding("enough traffic", after.requests >= ENOUGH, f"{after.requests} requests, at least {ENOUGH} needed")


def errors(before: Answers, after: Answers) -> Finding:
    """No more failures than before the fault."""
    passed = after.error_ratio <= before.error_ratio + _ERRORS
    return Finding("errors", passed, f"{before.error_ratio:.1%} before, {after.error_ratio:.1%} now")


def refusals(before: Answers, after: Answers) -> Finding:
    """As many refusals (4xx) as before, to the same users' requests: an error that became a refusal is not mended."""
    passed = abs(after.refused_ratio - before.refused_ratio) <= _REFUSALS
    return Finding("refusals", passed, f"{before.refused_ratio:.1%} before, {after.refused_ratio:.1%} now")


def latency(before: Answers, after: Answers) -> Finding:
    """As fast as before the fault."""
    passed = after.latency_p95 <= max(_FAST, before.latency_p95 * _SLOWER)
    return Finding(
        "latency", passed, f"p95 {before.latency_p95 * 1e3:.0f} ms before, {after.latency_p95 * 1e3:.0f} ms now"
    )


def back_to_normal(signal: str, before: list[float], after: list[float]) -> Finding:
    """A signal ends where it was before the fault; one that was there before and is gone is not well."""
    if not before:
        return Finding(signal, passed=True, detail="the target did not tell it before")
    if not after:
        return Finding(signal, passed=False, detail=f"{before[-1]:.3g} before, not told any more")
    limit = max(max(before) * _MARGIN, max(before) + _ERRORS, _NORMAL.get(signal, 0.0))
    passed = after[-1] <= limit
    return Finding(signal, passed, f"{before[-1]:.3g} before, {after[-1]:.3g} now, at most {limit:.3g} is normal")
