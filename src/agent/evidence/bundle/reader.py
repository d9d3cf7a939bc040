"""Reads an incident bundle; what is damaged is left out and named, the rest counts.

Files: incident.json, metrics.csv, logs.ndjson, spans.ndjson, changes.ndjson, topology.json; each may be missing.
Everything is bounded: text of strangers may be of any length and shape.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ...model.bundle import Bundle, Course, LogLine, Span
from ...model.evidence import Change, ChangeKind
from .archive import Files, Notes, Unreadable, document, opened, rows_of
from .metrics import courses
from .values import LONGEST_NAME, Moments, items, moment, name_of, number_of

FILES: Final = ("incident.json", "metrics.csv", "logs.ndjson", "spans.ndjson", "changes.ndjson", "topology.json")
HOUR: Final = 3600.0
MOST_HOURS: Final = 14  # no time zone is further from another's wall clock
MOST_LINES: Final = 400_000
MOST_SPANS: Final = 400_000
MOST_CHANGES: Final = 5_000
LONGEST_MESSAGE: Final = 4_000
LONGEST_DIFF: Final = 200_000
_OF_A_LINE: Final = frozenset(("timestamp", "component", "level", "message"))
_KINDS: Final[tuple[ChangeKind, ...]] = ("commit", "deploy", "flag", "config")
_FAILED: Final = ("error", "failed", "failure", "5", "status_code_error")


def read(path: Path) -> Bundle:
    """The bundle of a folder or a ``.zip``. Raises `Unreadable` where there is none at all."""
    notes = Notes()
    with opened(path, notes) as files:
        incident = _incident(files, notes)
        measured = courses(files, notes)
        logs, spans = _logs(files, notes), _spans(files, notes)
        changes, edges = _changes(files, notes), _edges(files, notes)
        if not any(files.known(name) for name in FILES):
            raise Unreadable(f"{path}: none of {', '.join(FILES)} is there")
    first, last = _span_of(measured, logs, spans)
    logs = _aligned("logs.ndjson", logs, measured, notes)
    window = incident.get("window")
    begins, ends = (window.get("start"), window.get("end")) if isinstance(window, dict) else (None, None)
    end = moment(ends) or last
    alerts = tuple(one for one in items(incident.get("alerts")) if isinstance(one, dict))
    return Bundle(
        id=name_of(incident.get("id"), path.stem),
        target=name_of(incident.get("target")),
        opened_at=moment(incident.get("opened_at")) or min(_starts(alerts), default=end),
        start=min(moment(begins) or first, end),
        end=end,
        alerts=alerts,
        courses=measured,
        logs=tuple(logs),
        spans=tuple(spans),
        changes=changes,
        edges=edges,
        gaps=notes.gaps(),
    )


def _span_of(measured: Sequence[Course], logs: Sequence[LogLine], spans: Sequence[Span]) -> tuple[float, float]:
    """From when to when things were seen; one clock that went wrong does not stretch it."""
    if measured:
        starts, ends = sorted(float(one.at[0]) for one in measured), sorted(float(one.at[-1]) for one in measured)
        return starts[len(starts) // 10], ends[-1 - len(ends) // 10]
    times = sorted([*(line.at for line in logs), *(span.start for span in spans)])
    if not times:
        return 0.0, 0.0
    few = len(times) // 200
    return times[few], times[-1 - few]


def _aligned(name: str, logs: list[LogLine], measured: Sequence[Course], notes: Notes) -> list[LogLine]:
    """Lines that all lie whole hours beside the metrics were written in another time zone: moved there, and said so."""
    if not logs or not measured:
        return logs
    first, last = _span_of(measured, (), ())
    middle = logs[len(logs) // 2].at
    if first <= middle <= last:
        return logs
    hours = round(((first + last) / 2 - middle) / HOUR)
    if not 0 < abs(hours) <= MOST_HOURS or not first <= middle + hours * HOUR <= last:
        return logs
    notes.say(name, f"lies {-hours:+d} h beside the metrics, as another time zone does: moved to them")
    return [replace(line, at=line.at + hours * HOUR) for line in logs]


def _incident(files: Files, notes: Notes) -> Mapping[str, Any]:
    found = document(files, "incident.json", notes)
    if found is not None and not isinstance(found, dict):
        notes.say("incident.json", "holds no object")
    return found if isinstance(found, dict) else {}


def _logs(files: Files, notes: Notes) -> list[LogLine]:
    name, found, moments = "logs.ndjson", [], Moments()
    for row in rows_of(files, name, MOST_LINES, notes):
        moment = moments.of(row.get("timestamp"))
        if moment is None:
            notes.count(name, "lines whose timestamp cannot be read, left out")
            continue
        message = row.get("message")
        text = message if isinstance(message, str) else json.dumps(message)
        extra = (
            {key: value for key, value in row.items() if key not in _OF_A_LINE} if len(row) > len(_OF_A_LINE) else {}
        )
        found.append(
            LogLine(
                moment, name_of(row.get("component")), name_of(row.get("level")).upper(), text[:LONGEST_MESSAGE], extra
            )
        )
    if moments.naive:
        notes.count(name, "timestamps without a time zone, taken for UTC", moments.naive)
    found.sort(key=lambda line: line.at)
    return found


def _spans(files: Files, notes: Notes) -> list[Span]:
    name, found, moments = "spans.ndjson", [], Moments()
    for row in rows_of(files, name, MOST_SPANS, notes):
        moment, duration = moments.of(row.get("start")), number_of(row.get("duration_ms"))
        if moment is None or duration is None:
            notes.count(name, "spans without a start or a duration, left out")
            continue
        status = str(row.get("status", "")).lower()
        parent = row.get("parent_id")
        found.append(
            Span(
                trace=name_of(row.get("trace_id")),
                id=name_of(row.get("span_id")),
                parent=name_of(parent) if parent else None,
                component=name_of(row.get("component")),
                name=name_of(row.get("name")),
                start=moment,
                duration=duration / 1000.0,
                failed=status.startswith(_FAILED),
            )
        )
    found.sort(key=lambda span: span.start)
    return found


def _changes(files: Files, notes: Notes) -> tuple[Change, ...]:
    name, found, moments = "changes.ndjson", [], Moments()
    for row in rows_of(files, name, MOST_CHANGES, notes):
        moment, id_ = moments.of(row.get("timestamp")), row.get("id")
        if moment is None or id_ in (None, ""):
            notes.count(name, "changes without an id or a timestamp, left out")
            continue
        diff = row.get("diff")
        found.append(
            Change(
                id=str(id_)[:LONGEST_NAME],
                kind=_kind(row.get("kind")),
                timestamp=datetime.fromtimestamp(moment, UTC),
                component=name_of(row.get("component")),
                author=name_of(row.get("author")),
                title=name_of(row.get("title")),
                files=tuple(str(one)[:LONGEST_NAME] for one in items(row.get("files"))[:2_000]),
                diff=diff[:LONGEST_DIFF] if isinstance(diff, str) else None,
                commit=str(row["commit"])[:LONGEST_NAME] if row.get("commit") else None,
            )
        )
    found.sort(key=lambda change: change.timestamp)
    return tuple(found)


def _kind(value: Any) -> ChangeKind:
    text = str(value).lower()
    return next((kind for kind in _KINDS if text.startswith(kind)), "deploy")


def _edges(files: Files, notes: Notes) -> tuple[tuple[str, str], ...]:
    found = document(files, "topology.json", notes)
    edges = found.get("edges") if isinstance(found, dict) else None
    pairs = [tuple(map(name_of, one)) for one in items(edges) if isinstance(one, list | tuple) and len(one) == 2]  # noqa: PLR2004
    if edges is not None and len(pairs) < len(items(edges)):
        notes.say("topology.json", "some edges are no pairs: left out")
    return tuple((caller, callee) for caller, callee in pairs[:10_000] if caller and callee and caller != callee)


def _starts(alerts: Sequence[Mapping[str, Any]]) -> list[float]:
    return [at for one in alerts if (at := moment(one.get("startsAt"))) is not None]
