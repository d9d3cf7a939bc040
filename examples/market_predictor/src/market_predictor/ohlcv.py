"""Reads a user's own OHLCV files: one ``SYMBOL.csv`` each, columns timestamp,open,high,low,close,volume.

Whatever is wrong with a file is a ValueError that names the file and, where there is one, the line.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
NUMBERS = COLUMNS[1:]
SYMBOL = re.compile(r"\^?[A-Z0-9][A-Z0-9.=_-]{0,19}")

Row = tuple[int, datetime, list[float]]


def files(folder: Path) -> dict[str, Path]:
    """The files of a folder by their symbol, sorted. Raises ValueError for none and for names that are no symbol."""
    if not folder.is_dir():
        raise ValueError(f"MP_CSV: {folder} is no folder")
    found: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv"):
        symbol = path.stem.upper()
        if not SYMBOL.fullmatch(symbol):
            raise ValueError(f"{path.name}: {path.stem!r} is no symbol (1 to 20 of A-Z 0-9 . = _ -, ^ may come first)")
        if symbol in found:
            raise ValueError(f"{path.name}: {found[symbol].name} is a file for {symbol}, too")
        found[symbol] = path
    if not found:
        raise ValueError(f"MP_CSV: no .csv file in {folder}")
    return found


def read(path: Path) -> list[Row]:
    """The rows with their line numbers, each newer than the one before."""
    rows: list[Row] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in _rows(path.name, file):
                _check_order(path.name, rows, row)
                rows.append(row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path.name}: this is no CSV text in UTF-8 ({error})") from error
    if not rows:
        raise ValueError(f"{path.name}: there is no row below the header")
    return rows


def _rows(name: str, file: Iterator[str]) -> Iterator[Row]:
    reader = csv.reader(file)
    header = [cell.strip().lower() for cell in next(reader, [])]
    if not header:
        raise ValueError(f"{name}: the file is empty")
    for column in COLUMNS:
        if header.count(column) != 1:
            wrong = "is missing" if column not in header else "is there twice"
            raise ValueError(f"{name} line 1: column {column!r} {wrong} (needed: {','.join(COLUMNS)})")
    for cells in reader:
        if not cells:
            continue
        where = f"{name} line {reader.line_num}"
        if len(cells) != len(header):
            raise ValueError(f"{where}: {len(cells)} values, the header has {len(header)}")
        row = dict(zip(header, cells, strict=True))
        yield reader.line_num, _moment(where, row["timestamp"]), [_number(where, row, column) for column in NUMBERS]


def _moment(where: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise ValueError(f"{where}: timestamp is no ISO 8601 time: {text[:40]!r}") from error
    if moment.tzinfo is None:
        raise ValueError(f"{where}: timestamp needs a time zone, such as Z or -05:00: {text[:40]!r}")
    return moment


def _number(where: str, row: Mapping[str, str], column: str) -> float:
    text = row[column]
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"{where}: {column} is no number: {text[:40]!r}") from error
    if not math.isfinite(value) or value < 0 or (value == 0 and column != "volume"):
        least = "0 or more" if column == "volume" else "above 0"
        raise ValueError(f"{where}: {column} must be {least}, not {text[:40]!r}")
    return value


def _check_order(name: str, rows: list[Row], row: Row) -> None:
    if not rows:
        return
    line, moment, _ = row
    before_line, before, _ = rows[-1]
    if moment == before:
        raise ValueError(f"{name} line {line}: {moment.isoformat()} is the time of line {before_line}, too")
    if moment < before:
        raise ValueError(f"{name} line {line}: {moment.isoformat()} is before line {before_line}; oldest first is needed")
