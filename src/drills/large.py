"""A bundle as large as an incident gets: 500 series of 2,000 points, 100,000 log lines, 200 changes; one of them guilty."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

SERIES, POINTS, LINES, CHANGES, COMPONENTS = 500, 2_000, 100_000, 200, 25
STEP: Final = 10.0
START: Final = datetime(2026, 3, 1, tzinfo=UTC)
BROKEN_FROM: Final = 0.75  # of the window
GUILTY: Final = "svc-3"
METRICS: Final = (
    "http_requests_total",
    "http_errors_total",
    "request_duration_seconds_p99",
    "cpu_usage",
    "resident_memory_bytes",
)
TRACEBACK: Final = """Traceback (most recent call last):
  File "/srv/shop/totals.py", line {line}, in add_up
    basket[key]
KeyError: {key}"""


def write(folder: Path, seed: int = 1) -> None:
    """Write it as a folder."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "metrics.csv").open("w", encoding="utf-8") as file:
        file.write("timestamp,component,metric,value\n")
        file.writelines(_rows(rng))
    with (folder / "logs.ndjson").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in _lines(rng))
    with (folder / "changes.ndjson").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(change) + "\n" for change in _changes(rng))
    edges = [[f"svc-{number}", f"svc-{number + 1}"] for number in range(COMPONENTS - 1)]
    (folder / "topology.json").write_text(json.dumps({"edges": edges}), encoding="utf-8")
    window = {"start": _time(0.0), "end": _time(POINTS * STEP)}
    incident = {
        "id": "large",
        "target": "shop",
        "opened_at": _time(BROKEN_FROM * POINTS * STEP + 60.0),
        "window": window,
    }
    (folder / "incident.json").write_text(json.dumps(incident), encoding="utf-8")


def _time(after: float) -> str:
    return (START + timedelta(seconds=after)).isoformat()


def _rows(rng: random.Random) -> Iterator[str]:
    series = [
        (f"svc-{number % COMPONENTS}", METRICS[number // COMPONENTS % len(METRICS)], number // COMPONENTS)
        for number in range(SERIES)
    ]
    counted = [0.0] * SERIES
    for point in range(POINTS):
        at, broken = _time(point * STEP), point >= BROKEN_FROM * POINTS
        for number, (component, metric, shard) in enumerate(series):
            value = 10.0 + rng.gauss(0.0, 1.0)
            if broken and component == GUILTY and metric != METRICS[0]:
                value += 15.0
            if metric.endswith("_total"):
                counted[number] += value
                value = counted[number]
            yield f'{at},{component},"{metric}{{shard=""{shard}""}}",{value:.6g}\n'


def _lines(rng: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(LINES):
        share = number / LINES
        component = f"svc-{rng.randrange(COMPONENTS)}"
        line = {"timestamp": _time(share * POINTS * STEP), "component": component, "level": "INFO"}
        message = (
            f"request {number} of user u{rng.randrange(99_999)} took {rng.random():.3f} ms in step {rng.randrange(300)}"
        )
        if component == GUILTY and share > BROKEN_FROM and rng.random() < 0.3:  # noqa: PLR2004 - a third fails
            line["level"], message = "ERROR", TRACEBACK.format(line=40 + rng.randrange(9), key=rng.randrange(1000))
        yield line | {"message": message}


def _changes(rng: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(CHANGES):
        guilty = number == CHANGES // 2
        diff = "\n".join(f"+ line {line} of step {rng.randrange(999)}" for line in range(60))
        yield {
            "id": f"c{number}",
            "kind": "deploy",
            "timestamp": _time((BROKEN_FROM if guilty else rng.random()) * POINTS * STEP - 30.0),
            "component": GUILTY if guilty else f"svc-{rng.randrange(COMPONENTS)}",
            "author": "ann",
            "title": "totals by basket key" if guilty else f"step {number} in another way",
            "files": ["shop/totals.py" if guilty else f"shop/step_{number}.py"],
            "diff": "+    return basket[key]\n" if guilty else diff,
            "commit": f"{number:040x}",
        }
