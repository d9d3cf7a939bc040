"""Turns what a run printed into records. The text comes from target code and is untrusted: it may be anything."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ..kit.exposition import Sample, parse
from ..kit.redact import redact
from ..model.evidence import Signature
from ..model.experiment import Capsule
from ..model.replay import Answer, Replay
from ..model.target import Target
from .bubblewrap import SandboxResult
from .tracebacks import failure_of_line, signature_of_text, signatures_of_text

MEBI = 1 << 20
SERVER_ERROR = 500
GROWTH_POINTS = 4
LONGEST_NAME = 500
MOST_TESTS = 100_000


def ending(text: str, length: int) -> str:
    """The end of what a program printed, at most so long, without secrets: it is stored and shown."""
    return redact(text[-2 * length :])[-length:]


def document(result: SandboxResult) -> tuple[dict[str, Any] | None, str]:
    """The driver's report, or None and why there is none."""
    try:
        report = json.loads(result.stdout)
    except (ValueError, RecursionError):
        report = None
    if isinstance(report, dict):
        return report, ""
    if result.limit:
        return None, f"the {result.limit} limit ended it"
    return None, ending(result.stderr.decode("utf-8", "replace"), 500) or f"it ended with code {result.returncode}"


def replay_of(target: Target, capsule: Capsule, result: SandboxResult, seconds: float) -> Replay:
    """One run of a capsule, before anybody judged it."""
    report, why = document(result)
    if report is None:
        return Replay(started=False, problem=f"the run gave no report: {why}", seconds=seconds)
    try:
        return _replay(target, capsule, report, seconds)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, ValidationError) as error:
        return Replay(started=False, problem=f"the run's report is malformed: {type(error).__name__}", seconds=seconds)


def _replay(target: Target, capsule: Capsule, report: dict[str, Any], seconds: float) -> Replay:
    if not report["started"]:
        return Replay(
            started=False,
            problem=f"the service did not start: {report['problem']}: {ending(report['output'], 500)}",
            startup_signature=signature_of_text(report["output"], target.source),
            seconds=seconds,
        )
    signatures = _signatures(capsule, report, target.source)
    answers = tuple(
        Answer(
            status=answer["status"],
            body=answer["body"],
            duration_ms=answer["duration_ms"],
            signature=signatures.get(index),
        )
        for index, answer in enumerate(report["answers"])
    )
    return Replay(
        started=True,
        answers=answers,
        failures=tuple(report["failures"]),
        repetitions=report["repetitions"],
        measured=_measured(capsule, target.metrics.gauges, report),
        problem=report["problem"],
        seconds=seconds,
    )


def _signatures(capsule: Capsule, report: dict[str, Any], source: str) -> dict[int, Signature]:
    """Which failing answer left which exception.

    The service's log is sequential: of each request the last logged failure belongs to its last failed answer, which is
    the one that is kept. Without a log that names requests, the tracebacks that the service printed are matched by their
    order with the answers that failed.
    """
    failing = [index for index, answer in enumerate(report["answers"]) if answer["status"] >= SERVER_ERROR]
    logged = [found for line in report["log"].splitlines() if (found := failure_of_line(line)) is not None]
    if logged:
        last = {failure.request[:2]: failure.signature for failure in logged}
        last_exact = {failure.request: failure.signature for failure in logged}
        sent = [(one.method, one.path, one.query) for one in (*capsule.failing, *capsule.healthy)]
        matched = {index: last_exact.get(sent[index]) or last.get(sent[index][:2]) for index in failing}
        return {index: signature for index, signature in matched.items() if signature is not None}
    order = [index for index in report["failed"] if index in failing]
    printed = signatures_of_text(report["output"], source)[-len(order) :] if order else []
    if not printed:
        return {}
    missing = len(order) - len(printed)
    return dict(zip(order, [*[printed[0]] * missing, *printed], strict=True))


def _measured(capsule: Capsule, gauges: Mapping[str, str], report: dict[str, Any]) -> dict[str, float]:
    measured: dict[str, float] = {}
    if report["latency_p95_ms"] is not None:
        measured["latency_p95"] = float(report["latency_p95_ms"]) / 1000
    sent = report["repetitions"] * len(capsule.failing)
    if sent:
        measured["error_ratio"] = min(1.0, sum(report["failures"][: len(capsule.failing)]) / sent)
    measured |= _own(gauges, parse(report["metrics_before"]), parse(report["metrics_after"]))
    measured |= _growth(report["rss"])
    return {name: value for name, value in measured.items() if math.isfinite(value)}


def _own(gauges: Mapping[str, str], before: list[Sample], after: list[Sample]) -> dict[str, float]:
    """The service's own signals: the worst series of a gauge at the end, the growth of a counter over the run."""
    measured: dict[str, float] = {}
    for signal, metric in gauges.items():
        ends = [sample.value for sample in after if sample.name == metric and math.isfinite(sample.value)]
        begins = [sample.value for sample in before if sample.name == metric and math.isfinite(sample.value)]
        if ends:
            measured[signal] = sum(ends) - sum(begins) if metric.endswith("_total") else max(ends)
    return measured


def _growth(points: list[list[float]]) -> dict[str, float]:
    """Resident memory at the end (MiB), and its growth per 100 requests after a warm-up third; needs 4 readings."""
    if not points:
        return {}
    measured = {"rss": points[-1][1] / MEBI}
    first = points[len(points) // 3]
    if len(points) >= GROWTH_POINTS and points[-1][0] > first[0]:
        measured["memory_growth"] = (points[-1][1] - first[1]) / MEBI / (points[-1][0] - first[0]) * 100
    return measured


def tests_of(junit: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of passed and failed tests in a JUnit report; skipped ones count as neither."""
    try:
        # An external entity is not resolved by expat, and it stops entities that grow beyond measure.
        root = ET.fromstring(junit)  # noqa: S314 - bounded by the driver; see above
    except (ET.ParseError, ValueError):
        return (), ()
    passed, failed = [], []
    for case in list(root.iter("testcase"))[:MOST_TESTS]:
        name = f"{case.get('classname', '')}::{case.get('name', '')}"[:LONGEST_NAME]
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is None:
            passed.append(name)
    return tuple(passed), tuple(failed)
