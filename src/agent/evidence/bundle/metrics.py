"""Reads ``metrics.csv``: a million rows of ``timestamp,component,metric,value`` in about a second."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from ...model.bundle import Course
from .archive import Files, Notes, lines_of
from .values import LONGEST_NAME, Moments, number_of

if TYPE_CHECKING:
    import numpy as np

MOST_ROWS: Final = 4_000_000
_Columns = tuple[int, int, int, int, int]


def courses(files: Files, notes: Notes) -> tuple[Course, ...]:
    """``timestamp,component,metric,value`` in any order of columns and rows; further columns are left out."""
    name = "metrics.csv"
    lines = lines_of(files, name, notes)
    first = next(lines, None)
    header = _header(first, notes) if first is not None else None
    if header is None:
        return ()
    table = _Table()
    add = table.add_usual if header == (0, 1, 2, 3, 4) else partial(table.add_other, header)
    add(itertools.islice(lines, MOST_ROWS))
    if next(lines, None) is not None:
        notes.say(name, f"has more than {MOST_ROWS} rows: the rest is left out")
    return table.courses(notes)


class _Table:
    """Rows by series: each a number that stands for its time, and its value as text."""

    def __init__(self) -> None:
        self._series: dict[str, tuple[list[int], list[str]]] = {}
        self._times: dict[str, int] = {}
        self._short = 0

    def add_usual(self, lines: Iterable[str]) -> None:
        """The four columns in their usual order; only what names a series can be quoted, and each is read once."""
        series, times, last, number = self._series, self._times, None, 0
        for line in lines:
            time, _, rest = line.partition(",")
            name, _, value = rest.rpartition(",")
            if time != last:
                last, number = time, times.setdefault(time, len(times))
            rows = series.get(name)
            if rows is None:
                if not name:
                    self._short += bool(line.strip())
                    continue
                rows = series[name] = ([], [])
            rows[0].append(number)
            rows[1].append(value)

    def add_other(self, header: _Columns, lines: Iterable[str]) -> None:
        """Columns in another order, or more of them."""
        at, component, metric, value, width = header
        for line in lines:
            row = _cells(line)
            if len(row) < width:
                self._short += bool(line.strip())
                continue
            rows = self._series.setdefault(_line([row[component], row[metric]]), ([], []))
            rows[0].append(self._times.setdefault(row[at], len(self._times)))
            rows[1].append(row[value])

    def courses(self, notes: Notes) -> tuple[Course, ...]:
        """All series by name."""
        import numpy as np

        moments = Moments()
        at = np.array([math.nan if (one := moments.of(text)) is None else one for text in self._times])
        if moments.naive:
            notes.count("metrics.csv", "times without a time zone, taken for UTC", moments.naive)
        found: dict[tuple[str, str], Course] = {}
        for name, (numbers, values) in self._series.items():
            cells = _cells(name)
            if len(cells) != 2:  # noqa: PLR2004 - component and metric
                self._short += len(values)
                continue
            key = cells[0][:LONGEST_NAME], cells[1][:LONGEST_NAME]
            course = _course(key, at[numbers], _floats(values), notes)
            if course is not None:
                found.setdefault(key, course)
        if self._short:
            notes.count("metrics.csv", "rows with too few columns, left out", self._short)
        return tuple(found[key] for key in sorted(found))


def _course(key: tuple[str, str], at: np.ndarray, values: np.ndarray, notes: Notes) -> Course | None:
    """In the order of time; of several values of one moment the last counts."""
    import numpy as np

    timed, finite = np.isfinite(at), np.isfinite(values)
    for bad, reason in (
        (int((~timed).sum()), "rows whose timestamp cannot be read, left out"),
        (int((timed & ~finite).sum()), "rows without a finite number, left out"),
    ):
        if bad:
            notes.count("metrics.csv", reason, bad)
    at, values = at[timed & finite], values[timed & finite]
    if len(at) > 1 and not (np.diff(at) > 0).all():
        order = np.argsort(at, kind="stable")
        at, values = at[order], values[order]
        last = np.append(np.diff(at) > 0, True)
        at, values = at[last], values[last]
    return Course(key[0], key[1], at, values) if len(at) else None


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


def _line(cells: list[str]) -> str:
    """The cells as one line of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _floats(values: Sequence[str]) -> np.ndarray:
    """The numbers; NaN for what is none."""
    import numpy as np

    try:
        return np.array([float(text) for text in values])
    except ValueError:
        numbers = (number_of(text) for text in values)
        return np.array([np.nan if number is None else number for number in numbers], dtype=float)


def _header(line: str, notes: Notes) -> _Columns | None:
    """Where the four columns stand, and how many a row needs."""
    first = [one.strip().lower().lstrip("\ufeff") for one in _cells(line)]
    wanted = ("timestamp", "component", "metric", "value")
    missing = [one for one in wanted if one not in first]
    if missing:
        notes.say("metrics.csv", f"lacks the column {', '.join(missing)}: left out")
        return None
    more = [one for one in first if one not in wanted]
    if more:
        notes.say("metrics.csv", f"further columns are left out: {', '.join(more)[:200]}")
    at, component, metric, value = (first.index(one) for one in wanted)
    return at, component, metric, value, len(first)
