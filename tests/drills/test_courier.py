"""The carriers' files on their way to the second target, and what goes wrong with them there."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from drills.courier import COLUMNS, carry, check, in_force, spoil
from drills.drill import Unusable
from drills.stage import child_environment

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
HEAD = "parcel_id,depot,zone,weight,service,dispatched_at,delivered_at"
ROWS = [
    f"P{n},KRK,3,{n}.50,express,2026-03-03T01:00:00+00:00,{(NOW - timedelta(hours=n)).isoformat()}" for n in range(10)
]
TEXT = "\n".join([HEAD, *ROWS]) + "\n"


def spoiled(action, text=TEXT, **options):
    return spoil(text, [{"kind": "data", "action": action, **options}], NOW).splitlines()[1:]


def test_nothing_ordered_nothing_changed():
    """Byte for byte."""
    assert spoil(TEXT, [], NOW) == TEXT


def test_rows_go_missing_or_come_twice():
    """The same ones at every delivery."""
    some = spoiled("missing", share=0.5)
    assert 0 < len(some) < len(ROWS)
    assert some == spoiled("missing", share=0.5)
    assert len(spoiled("duplicated")) == 20


def test_late_rows_have_not_come_yet():
    """Those of the newest hours."""
    assert [row.split(",")[0] for row in spoiled("late", hours=6.5)] == ["P7", "P8", "P9"]


def test_cells_are_spoiled_by_column():
    """Units keep the carrier's decimal sign; corrupt ones get the value."""
    assert [row.split(",")[3] for row in spoiled("units", factor=1000)][1] == "1500.00"
    german = TEXT.replace(",", ";").replace(".50", ",50")
    assert spoiled("units", german, factor=1000)[1].split(";")[3] == "1500,00"
    assert {row.split(",")[6] for row in spoiled("corrupt", value="n/a")} == {"n/a"}


def test_an_order_is_for_its_depot_and_until_its_end():
    """Others do not concern this file."""
    orders = [
        {"kind": "data", "action": "stale", "depot": "KRK", "until": 100.0},
        {"kind": "data", "action": "late", "until": None},
        {"kind": "dependency", "action": "down"},
    ]
    assert [one["action"] for one in in_force(orders, "KRK-2026-03-03.csv", 50.0)] == ["stale", "late"]
    assert [one["action"] for one in in_force(orders, "KRK-2026-03-03.csv", 150.0)] == ["late"]
    assert [one["action"] for one in in_force(orders, "CGN-2026-03-03.csv", 50.0)] == ["late"]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_files_are_carried_whole_and_put_right_again(tmp_path, encoding):
    """Foreign names survive; nothing new comes while the carrier is silent; what an order spoiled ends with it."""
    source, arrived = tmp_path / "source", tmp_path / "arrived"
    source.mkdir()
    file = source / "CGN-2026-03-03.csv"
    file.write_text(TEXT.replace("KRK", "Köln Å"), encoding=encoding)
    carry(source, arrived, [], NOW)
    assert (arrived / file.name).read_bytes() == file.read_bytes()
    before = file.read_bytes()
    with file.open("a", encoding=encoding) as more:
        more.write(ROWS[0] + "\n")
    carry(source, arrived, [{"kind": "data", "action": "stale"}], NOW)
    assert (arrived / file.name).read_bytes() == before
    carry(source, arrived, [{"kind": "data", "action": "duplicated"}], NOW)
    carry(source, arrived, [], NOW)
    assert (arrived / file.name).read_bytes() == file.read_bytes()


def test_its_columns_are_the_carriers():
    """As the files' head names them."""
    assert ",".join(COLUMNS) == HEAD


@pytest.mark.parametrize(
    "order",
    [
        {"action": "lose"},
        {"action": "corrupt", "column": "colour"},
        {"action": "units", "factor": "many"},
        {"action": "late", "hours": [1]},
        {"action": "late", "hours": 1e300},
    ],
)
def test_an_order_that_cannot_be_carried_out_is_told_before_anything_starts(order):
    """What is not a column or a number."""
    with pytest.raises(Unusable):
        check(order)
    check({"action": "corrupt", "column": "zone", "value": "?"})


def test_a_file_that_cannot_be_carried_stops_no_other(tmp_path):
    """A file without the column comes as it is; one that cannot be read is told, and carried once it can."""
    source, arrived, orders = tmp_path / "source", tmp_path / "arrived", tmp_path / "orders.json"
    source.mkdir()
    (source / "A-1.csv").mkdir()
    (source / "B-1.csv").write_text("a,b\n1,2\n")
    orders.write_text(json.dumps({"orders": [{"kind": "data", "action": "units", "column": "weight"}]}))
    options = ["--source", str(source), "--to", str(arrived), "--orders", str(orders)]
    argv = [sys.executable, "-m", "drills.courier", *options]
    with subprocess.Popen(argv, env=child_environment(), stderr=subprocess.PIPE, text=True) as courier:
        assert "A-1.csv" in courier.stderr.readline()
        until((arrived / "B-1.csv").exists)
        assert (arrived / "B-1.csv").read_text() == "a,b\n1,2\n"
        assert courier.poll() is None
        courier.terminate()


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
