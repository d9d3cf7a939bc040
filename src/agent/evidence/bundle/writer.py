"""Writes an incident bundle as a folder or, by its name, as a zip."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...kit.files import write_atomic
from ...model.bundle import Bundle


def write(bundle: Bundle, path: Path) -> None:
    """All files at once; a folder must be new or empty. Raises `FileExistsError` where it is not."""
    texts = files_of(bundle)
    if path.suffix == ".zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
        write_atomic(path, buffer.getvalue())
        return
    path.mkdir(parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise FileExistsError(f"{path} is not empty")
    for name, text in texts.items():
        (path / name).write_text(text, encoding="utf-8")


def files_of(bundle: Bundle) -> Mapping[str, str]:
    """The text of each file by its name."""
    return {
        "incident.json": json.dumps(_incident(bundle), indent=1) + "\n",
        "metrics.csv": _metrics(bundle),
        "logs.ndjson": _rows(
            {"timestamp": _time(one.at), "component": one.component, "level": one.level, "message": one.message}
            | dict(one.attributes)
            for one in bundle.logs
        ),
        "spans.ndjson": _rows(
            {
                "trace_id": one.trace,
                "span_id": one.id,
                "parent_id": one.parent,
                "component": one.component,
                "name": one.name,
                "start": _time(one.start),
                "duration_ms": round(one.duration * 1000.0, 3),
                "status": "error" if one.failed else "ok",
            }
            for one in bundle.spans
        ),
        "changes.ndjson": _rows(
            one.model_dump(mode="json", exclude={"target"}) | {"files": list(one.files)} for one in bundle.changes
        ),
        "topology.json": json.dumps({"edges": [list(pair) for pair in bundle.edges]}) + "\n",
    }


def _incident(bundle: Bundle) -> Mapping[str, Any]:
    return {
        "id": bundle.id,
        "target": bundle.target,
        "opened_at": _time(bundle.opened_at),
        "alerts": [dict(one) for one in bundle.alerts],
        "window": {"start": _time(bundle.start), "end": _time(bundle.end)},
    }


def _metrics(bundle: Bundle) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("timestamp", "component", "metric", "value"))
    for course in bundle.courses:
        for at, value in zip(course.at.tolist(), course.values.tolist(), strict=True):
            table.writerow((_time(at), course.component, course.metric, repr(value)))
    return text.getvalue()


def _rows(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
