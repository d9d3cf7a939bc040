"""The carriers' files on their way to the second target, and what goes wrong with them there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from drills.courier import carry, in_force, spoil

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
