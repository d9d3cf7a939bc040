"""What the range's commands tell on the terminal, and to machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import targets, versions
from .drill import Drill
from .record import Result
from .score import interval, score, shares
from .tally import ENOUGH_FOR_A_MAJORITY, majority


def by_drill(seen: Sequence[tuple[Drill, Result]]) -> dict[str, list[tuple[Drill, Result]]]:
    """All stagings of each drill, by its name."""
    found: dict[str, list[tuple[Drill, Result]]] = {}
    for drill, result in seen:
        found.setdefault(drill.name, []).append((drill, result))
    return found


def which_counts(drill: Drill, results: Sequence[Result]) -> str:
    """One line about several stagings: which of them stands for all, and how it ended."""
    how = "the commonest end" if len(results) >= ENOUGH_FOR_A_MAJORITY else "the first"
    return f"{drill.name}: of {len(results)} stagings {how} counts: {summary(drill, majority(results))}"


def show_alarms(
    drills: Sequence[Drill], alarms: Sequence[tuple[Drill, float | None]], times: int, *, as_json: bool
) -> bool:
    """How often each drill's alarm came, and after how many seconds; whether it always came."""
    rows: list[dict[str, Any]] = []
    for drill in drills:
        came = sorted(seconds for one, seconds in alarms if one.name == drill.name and seconds is not None)
        rows.append({"drill": drill.name, "came": len(came), "of": times, "seconds": [round(one, 2) for one in came]})
    if as_json:
        print(json.dumps({"agent": versions.agent(), "alarms": rows}))  # noqa: T201 - a command's answer
    else:
        table = Table("drill", "alarms", "earliest, s", "latest, s")
        for row in rows:
            ends = [f"{row['seconds'][place]:.1f}" if row["came"] else "" for place in (0, -1)]
            table.add_row(str(row["drill"]), f"{row['came']} of {row['of']}", *ends)
        Console().print(table)
    return all(row["came"] == times for row in rows)


def summary(drill: Drill, result: Result) -> str:
    """One line about one staging."""
    if not result.staged:
        return result.problem
    if result.void:
        return f"void: {result.void}"
    right = score(drill, result)
    alert = "no alarm" if result.alert_seconds is None else f"alarm after {result.alert_seconds:.1f} s"
    words = [alert, f"outcome {result.outcome or 'none'}", "target well" if result.well else "target NOT well"]
    words += [f"change {'right' if right.change else 'WRONG'}"] if right.change is not None else []
    words += [f"acceptance {result.acceptance.partition(':')[0]}"] if result.acceptance != "none" else []
    return "; ".join([*words, *filter(None, (right.harm, result.problem))])


def show(seen: Sequence[tuple[Drill, Result]], *, as_json: bool) -> None:
    """The table, or everything as JSON. In the totals a drill counts once, by the majority of its stagings."""
    stagings = by_drill(seen)
    counting = {name: majority([result for _, result in found]) for name, found in stagings.items()}
    counted = (score(stagings[name][0][0], one) for name, one in counting.items())
    totals = {name: [*pair, *interval(*pair)] for name, pair in shares(counted).items()}
    if as_json:
        rows = [
            {
                **asdict(result),
                "well": result.well,
                "counts": result is counting[drill.name],
                "score": asdict(score(drill, result)),
            }
            for drill, result in seen
        ]
        print(json.dumps({"agent": versions.agent(), "drills": rows, "totals": totals}))  # noqa: T201 - a command's answer
        return
    table = Table("question", "right", "of", "90% interval")
    for name, (right, count, low, high) in totals.items():
        table.add_row(name.replace("_", " "), f"{right:.0f}", f"{count:.0f}", f"{low:.2f} to {high:.2f}")
    Console().print(table)


def listed(folder: Path, drills: Sequence[Drill]) -> Table:
    """The drills of one folder. A name is never cut: it is what is typed next."""
    table = Table(title=f"{folder}/", title_justify="left", title_style="bold", show_lines=True)
    table.add_column("drill", no_wrap=True, min_width=max(len(one.name) for one in drills))
    table.add_column("what goes wrong, family, faults", overflow="fold")
    for one in drills:
        faults = ", ".join(fault.kind for fault in one.faults)
        decoys = f"; decoys: {len(one.decoys)}" if one.decoys else ""
        table.add_row(Text(one.name), Text(f"{one.title}\n{one.family}; {faults}{decoys}"))
    return table


def row(drill: Drill) -> dict[str, Any]:
    """A drill for machines."""
    return {
        "name": drill.name,
        "title": drill.title,
        "family": drill.family,
        "folder": str(drill.folder),
        "target": targets.of(drill).name,
        "faults": [fault.kind for fault in drill.faults],
        "decoys": len(drill.decoys),
        "sealed": drill.sealed,
        "twin": drill.twin,
    }
