"""Incident bundles are read whole, or as far as they can be; what was left out is named."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent.diagnosis.engine.verdict import diagnose
from agent.evidence.bundle.archive import LONGEST_LINE, Unreadable
from agent.evidence.bundle.reader import FILES, read
from agent.evidence.bundle.writer import write
from agent.model.bundle import Span
from diagnosis.stories import MIDDLE, START, STEP, Story

HEADER = "timestamp,component,metric,value\n"


def sick():
    story = Story().well()
    story.hurt("orders", "web")
    story.fail("orders", "basket is empty")
    story.changed("d1", "orders", 300.0, "totals by weight", files=("orders/totals.py",), diff="+ total()\n")
    story.spans.append(Span("t1", "a", None, "web", "GET /", MIDDLE, 0.25, failed=True))
    story.alerts.append({"labels": {"alertname": "Errors"}, "status": "firing"})
    return story.bundle()


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "bundle"
    write(sick(), place)
    return place


def reasons(bundle):
    return "\n".join(f"{gap.source}: {gap.reason}" for gap in bundle.gaps)


@pytest.mark.parametrize("name", ["whole", "whole.zip"])
def test_what_is_written_is_read_again(tmp_path, name):
    """Folder and zip hold the same."""
    bundle = sick()
    write(bundle, tmp_path / name)
    again = read(tmp_path / name)
    assert again.gaps == ()
    assert (again.id, again.target, again.start, again.end) == (bundle.id, bundle.target, bundle.start, bundle.end)
    assert again.changes == bundle.changes
    assert again.spans == bundle.spans
    assert again.logs == bundle.logs
    assert set(again.edges) == set(bundle.edges)
    assert [(one.component, one.metric) for one in again.courses] == sorted(
        (one.component, one.metric) for one in bundle.courses
    )
    mine = {(one.component, one.metric): one for one in bundle.courses}
    for one in again.courses:
        assert np.allclose(one.values, mine[one.component, one.metric].values)
        assert np.allclose(one.at, mine[one.component, one.metric].at, atol=1e-5)


def test_a_zip_may_hold_its_files_in_a_folder(tmp_path, folder):
    """As people pack them."""
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"inc-1/{file.name}")
    assert len(read(packed).courses) == len(sick().courses)


def test_nothing_is_written_over(folder):
    """A folder that holds something is left alone."""
    with pytest.raises(FileExistsError):
        write(sick(), folder)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut off", b"no zip at all"])
def test_where_there_is_no_bundle_that_is_said(tmp_path, content):
    """No such file, an empty one, half a zip, something else."""
    place = tmp_path / "b.zip"
    if content is not None:
        place.write_bytes(content)
    with pytest.raises(Unreadable, match=r"b\.zip"):
        read(place)


def test_an_empty_folder_is_no_bundle(tmp_path):
    """None of the six files is there."""
    with pytest.raises(Unreadable, match=r"incident\.json"):
        read(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_off_costs_only_its_end(folder, name):
    """Half of it is read, or it is named; the diagnosis is made all the same."""
    file = folder / name
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2 + 3])
    bundle = read(folder)
    assert diagnose(bundle).onset is not None
    if name != "metrics.csv":
        assert name in reasons(bundle)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\x00\xff\xfe" * 500,
        b"null",
        b"[1, 2",
        b'{"edges": 7, "alerts": "x", "window": []}',
        b"[" * 100_000,
        b'"\n' * 9,
    ],
)
def test_junk_is_named_and_never_a_crash(folder, name, junk):
    """Whatever the file holds."""
    (folder / name).write_bytes(junk)
    bundle = read(folder)
    diagnose(bundle)
    assert len(bundle.gaps) <= 20


def test_rows_of_metrics_come_in_any_order_and_damage_is_counted(folder):
    """Further columns, another order, NaN, infinity, text, short rows, times that are none, quotes that nobody closes."""
    at = [datetime.fromtimestamp(START + STEP * n, UTC).isoformat() for n in range(20)]
    rows = [f"{n}.5,eu,{at[n]},lat,web" for n in (3, 1, 2, 0, *range(4, 20))]
    rows += [f"nan,eu,{at[5]},lat,web", f"inf,eu,{at[6]},lat,web", f"much,eu,{at[7]},lat,web", "1,eu,yesterday,lat,web"]
    rows += ["1,eu", f'7,eu,{at[8]},"open,web', f"99.5,eu,{at[19]},lat,web"]
    (folder / "metrics.csv").write_text("value,region,timestamp,metric,component\n" + "\n".join(rows))
    bundle = read(folder)
    (course,) = bundle.courses
    assert course.values.tolist() == [*(n + 0.5 for n in range(19)), 99.5]
    said = reasons(bundle)
    assert "further columns are left out: region" in said
    assert "3 rows without a finite number" in said
    assert "1 rows whose timestamp cannot be read" in said
    assert "2 rows with too few columns" in said


def test_names_of_series_may_hold_commas_and_quotes(folder):
    """Labels as a monitoring system writes them."""
    at = datetime.fromtimestamp(START, UTC).isoformat()
    (folder / "metrics.csv").write_text(HEADER + f'{at},web,"hits{{code=""500"",path=""/a,b""}}",4\n{at},web,plain,5\n')
    assert [one.metric for one in read(folder).courses] == ['hits{code="500",path="/a,b"}', "plain"]


@pytest.mark.parametrize("lacks", ["timestamp", "component", "metric", "value"])
def test_metrics_without_a_column_are_left_out(folder, lacks):
    """Nothing is guessed."""
    (folder / "metrics.csv").write_text(HEADER.replace(lacks, "other") + "1,2,3,4\n")
    bundle = read(folder)
    assert bundle.courses == ()
    assert f"lacks the column {lacks}" in reasons(bundle)


def test_times_without_a_zone_are_utc_and_said_so(folder):
    """The most likely thing, and a word about it."""
    plain = datetime.fromtimestamp(START, UTC).replace(tzinfo=None)
    rows = "".join(f"{(plain + timedelta(seconds=n)).isoformat()},web,lat,{n}\n" for n in range(5))
    (folder / "metrics.csv").write_text(HEADER + rows)
    bundle = read(folder)
    assert bundle.courses[0].at[0] == START
    assert "5 times without a time zone, taken for UTC" in reasons(bundle)


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
def test_times_may_be_numbers_of_any_unit(folder, unit):
    """Seconds, milli-, micro- and nanoseconds."""
    line = {"timestamp": int(MIDDLE) * unit, "component": "web", "level": "error", "message": "no"}
    (folder / "logs.ndjson").write_text(json.dumps(line))
    assert [(one.at, one.level) for one in read(folder).logs] == [(int(MIDDLE), "ERROR")]


@pytest.mark.parametrize("hours", [-5, 2])
def test_a_log_of_another_time_zone_is_moved_and_said_so(folder, hours):
    """All its lines lie whole hours beside the metrics."""
    lines = [json.loads(line) for line in (folder / "logs.ndjson").read_text().splitlines()]
    for line in lines:
        moved = datetime.fromisoformat(line["timestamp"]) + timedelta(hours=hours)
        line["timestamp"] = moved.isoformat()
    (folder / "logs.ndjson").write_text("\n".join(map(json.dumps, lines)))
    bundle = read(folder)
    assert bundle.logs == sick().logs
    assert f"lies {hours:+d} h beside the metrics" in reasons(bundle)


def test_a_line_of_a_million_characters_costs_only_itself(folder):
    """Before and after it everything is read."""
    whole = (folder / "logs.ndjson").read_text()
    long = json.dumps({"timestamp": MIDDLE, "message": "x" * (3 * LONGEST_LINE)})
    (folder / "logs.ndjson").write_text(f"{whole}{long}\n{whole}")
    bundle = read(folder)
    assert len(bundle.logs) == 2 * len(sick().logs)
    assert "1 lines longer than" in reasons(bundle)


def test_lines_that_are_no_objects_are_counted(folder):
    """Of three kinds; the rest is read."""
    with (folder / "changes.ndjson").open("a") as file:
        file.write(
            '\n{"id": "x"}\n17\n{broken\n{"id": "d2", "timestamp": 1780000000, "kind": "Deployment", "files": 3}\n'
        )
    bundle = read(folder)
    assert [(one.id, one.kind) for one in bundle.changes] == [("d2", "deploy"), ("d1", "deploy")]
    said = reasons(bundle)
    assert "1 changes without an id or a timestamp" in said
    assert "1 lines that are no JSON" in said
    assert "1 lines that are no object" in said
