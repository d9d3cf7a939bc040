"""Brings the carriers' scan files to the second target, and is where their data goes wrong.

Run as ``python -m drills.courier --source DIR --to DIR --orders FILE``. The orders file is the one of `upstream`:
``{"orders": [{"kind": "data", "action": …, "depot": …, "until": epoch or null}]}``. Files are brought as wholes, so what
an order spoils is put right when it ends.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from .drill import Unusable

TICK: Final = 1.0
COLUMNS: Final = ("parcel_id", "depot", "zone", "weight", "service", "dispatched_at", "delivered_at")
_ENCODING: Final = "latin-1"  # whatever the carrier writes: bytes go through as they came


@dataclass(frozen=True)
class Table:
    """One file: its header and rows as the carrier wrote them."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str


def check(order: Mapping[str, Any]) -> None:
    """Raises `Unusable` for an action or a column that there is not, and for a number that is none."""
    action, column = order.get("action"), order.get("column", COLUMNS[-1])
    if action not in _ACTIONS:
        raise Unusable(f"a data fault of the carriers' files is one of {', '.join(_ACTIONS)}, not {action!r}")
    if column not in COLUMNS:
        raise Unusable(f"a column of the carriers' files is one of {', '.join(COLUMNS)}, not {column!r}")
    now = datetime.now().astimezone()
    try:
        spoil(",".join(COLUMNS) + "\n" + ",".join("1" for _ in COLUMNS), [order], now)
    except (ValueError, TypeError, OverflowError) as error:
        raise Unusable(f"a data fault of the carriers' files, {action}: {error}") from error


def spoil(text: str, orders: Sequence[Mapping[str, Any]], now: datetime) -> str:
    """A file's text as it arrives under these orders."""
    if not orders or not text.strip():
        return text
    table = _read(text)
    for order in orders:
        table = _ACTIONS[str(order["action"])](table, order, now)
    lines = [table.delimiter.join(row) for row in (table.header, *table.rows)]
    return "\n".join(lines) + "\n"


def in_force(orders: Sequence[Mapping[str, Any]], file: str, now: float) -> list[Mapping[str, Any]]:
    """The orders for a file (``DEPOT-DAY.csv``) at a moment (epoch seconds)."""
    return [
        one
        for one in orders
        if one.get("kind") == "data"
        and (one.get("until") is None or now < float(one["until"]))
        and (one.get("depot") is None or file.startswith(f"{one['depot']}-"))
    ]


def _read(text: str) -> Table:
    lines = text.rstrip("\n").split("\n")  # not splitlines: other bytes of a name may look like a line's end
    delimiter = ";" if lines[0].count(";") > lines[0].count(",") else ","
    rows = [tuple(line.split(delimiter)) for line in lines]
    return Table(rows[0], tuple(rows[1:]), delimiter)


def _missing(table: Table, order: Mapping[str, Any], _now: datetime) -> Table:
    share = float(order.get("share", 0.5))
    return Table(table.header, tuple(row for row in table.rows if not _chosen(row, share)), table.delimiter)


def _duplicated(table: Table, _order: Mapping[str, Any], _now: datetime) -> Table:
    return Table(table.header, tuple(row for row in table.rows for _ in range(2)), table.delimiter)


def _corrupt(table: Table, order: Mapping[str, Any], _now: datetime) -> Table:
    """The cells of ``column`` become ``value``, in a ``share`` of the rows."""
    share, value = float(order.get("share", 1.0)), str(order.get("value", ""))
    return _cells(
        table, str(order.get("column", "delivered_at")), lambda row, cell: value if _chosen(row, share) else cell
    )


def _units(table: Table, order: Mapping[str, Any], _now: datetime) -> Table:
    """The numbers of ``column`` are multiplied by ``factor``."""
    factor = float(order.get("factor", 1000.0))
    return _cells(table, str(order.get("column", "weight")), lambda _row, cell: _scaled(cell, factor))


def _late(table: Table, order: Mapping[str, Any], now: datetime) -> Table:
    """What was delivered within the last ``hours`` has not come yet."""
    limit = now - timedelta(hours=float(order.get("hours", 12.0)))
    if "delivered_at" not in table.header:
        return table
    place = table.header.index("delivered_at")
    return Table(table.header, tuple(row for row in table.rows if _before(row, place, limit)), table.delimiter)


def _cells(table: Table, column: str, change: Callable[[tuple[str, ...], str], str]) -> Table:
    if column not in table.header:
        return table  # a file that is another than the carriers' has nothing to spoil
    place = table.header.index(column)
    rows = [
        (*row[:place], change(row, row[place]), *row[place + 1 :]) if len(row) == len(table.header) else row
        for row in table.rows
    ]
    return Table(table.header, tuple(rows), table.delimiter)


def _scaled(cell: str, factor: float) -> str:
    comma = "," in cell
    try:
        number = float(cell.replace(",", ".")) * factor
    except ValueError:
        return cell
    text = f"{number:.2f}"
    return text.replace(".", ",") if comma else text


def _before(row: Sequence[str], place: int, limit: datetime) -> bool:
    try:
        return datetime.fromisoformat(row[place]) <= limit
    except (ValueError, TypeError, IndexError):
        return True


def _chosen(row: Sequence[str], share: float) -> bool:
    """The same rows every time, about ``share`` of them."""
    return int.from_bytes(hashlib.blake2b("|".join(row).encode(), digest_size=4).digest(), "big") < share * 2**32


def _same(table: Table, _order: Mapping[str, Any], _now: datetime) -> Table:
    return table


_ACTIONS: Final[Mapping[str, Callable[[Table, Mapping[str, Any], datetime], Table]]] = {
    "missing": _missing,
    "duplicated": _duplicated,
    "corrupt": _corrupt,
    "units": _units,
    "late": _late,
    "stale": _same,  # nothing new is brought, see `carry`
    "halt": _same,
}


def carry(source: Path, destination: Path, orders: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Bring every file as it is now, whole or not at all; under ``stale`` and ``halt`` it stays as it was.

    A file that cannot be brought is told, and keeps no other from coming.
    """
    destination.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("*.csv")):
        try:
            _carry_one(path, destination / path.name, in_force(orders, path.name, now.timestamp()), now)
        except (OSError, ValueError, TypeError, OverflowError) as error:
            sys.stderr.write(f"{path.name} is not carried, it is tried again: {error!r}\n")
            sys.stderr.flush()


def _carry_one(path: Path, arrived: Path, orders: Sequence[Mapping[str, Any]], now: datetime) -> None:
    if arrived.exists() and any(one["action"] in ("stale", "halt") for one in orders):
        return
    text = spoil(path.read_text(encoding=_ENCODING), orders, now)
    if not arrived.exists() or arrived.read_text(encoding=_ENCODING) != text:
        fresh = arrived.with_suffix(".new")
        fresh.write_text(text, encoding=_ENCODING)
        fresh.replace(arrived)


def read_orders(path: Path) -> list[Mapping[str, Any]]:
    """The orders as they stand; none while there is no file."""
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))["orders"])
    except (OSError, ValueError, KeyError):
        return []


def main() -> None:
    """Carry until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m drills.courier", description="Brings the carriers' files.")
    for name in ("--source", "--to", "--orders"):
        parser.add_argument(name, type=Path, required=True)
    options = parser.parse_args()
    while True:
        carry(options.source, options.to, read_orders(options.orders), datetime.now().astimezone())
        time.sleep(TICK)


if __name__ == "__main__":
    main()
