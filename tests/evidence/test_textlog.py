"""The target's log file as a source of lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from source_contracts import END, LINES, SHOP, TRACEBACK, WINDOW, LogSourceContract

from agent.evidence import textlog
from agent.evidence.allowance import Limits
from agent.evidence.textlog import TextLog


def stamp(before):
    """As Python's logging prints it, in UTC."""
    moment = END - timedelta(seconds=before)
    return f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03}"


def written(text, before):
    if text.startswith("{"):
        return json.dumps({"timestamp": (END - timedelta(seconds=before)).isoformat(), **json.loads(text)})
    return text if text in TRACEBACK else f"{stamp(before)} {text}"


class _OfFile:
    """Reads a file whatever target it is asked of."""

    name = TextLog.name

    def __init__(self, path, limits=None):
        self._path, self._source = path, TextLog(limits)

    def lines(self, target, window, alerts):
        return self._source.lines(target.model_copy(update={"log_file": self._path}), window, alerts)


class TestTextLog(LogSourceContract):
    """Plain text and JSON in one file, the traceback as Python prints it."""

    @pytest.fixture
    def source(self, tmp_path):
        path = tmp_path / "service.log"
        path.write_text("".join(written(text, before) + "\n" for before, text in LINES))
        return _OfFile(path)

    @pytest.fixture
    def broken(self, tmp_path):
        return _OfFile(tmp_path / "none.log")


def read(path, limits=None, window=WINDOW):
    return _OfFile(path, limits).lines(SHOP, window, ())


def reasons(found):
    return "\n".join(gap.reason for gap in found.gaps)


def test_the_older_generation_is_read_too(tmp_path):
    """A traceback that the change of files cut is whole."""
    path = tmp_path / "service.log"
    path.with_name("service.log.1").write_text(f"{stamp(90)} ERROR failed\n{TRACEBACK[0]}\n{TRACEBACK[1]}\n")
    path.write_text(f"{TRACEBACK[2]}\n{TRACEBACK[3]}\n{stamp(80)} INFO on\n")
    found = read(path)
    assert [line.message for line in found.lines] == ["ERROR failed\n" + "\n".join(TRACEBACK), "INFO on"]


@pytest.mark.parametrize(
    "form",
    [
        "{0:%Y-%m-%dT%H:%M:%S}Z INFO x", "[{0:%Y-%m-%d %H:%M:%S}.123456789 +0000] INFO x", '{{"ts": {1}, "msg": "INFO x"}}',
        '{{"time": {2}, "msg": "INFO x"}}', '{{"@timestamp": "{0:%Y-%m-%dT%H:%M:%S}.5Z", "msg": "INFO x"}}',
    ],
)  # fmt: skip
def test_times_of_many_forms_are_read(tmp_path, form):
    """With their zone, or as numbers of seconds or milliseconds."""
    moment = END - timedelta(seconds=30)
    path = tmp_path / "service.log"
    path.write_text(form.format(moment, moment.timestamp(), int(moment.timestamp() * 1000)) + "\n")
    found = read(path)
    (line,) = found.lines
    assert line.message == "INFO x"
    assert line.level == "INFO"
    assert line.at == pytest.approx(moment.timestamp(), abs=1)
    assert found.gaps == ()


def test_what_is_left_out_is_said(tmp_path, monkeypatch):
    """Times without a zone, lines without a time, endless lines, bytes that are no text, too many lines."""
    monkeypatch.setattr(textlog, "LONGEST_LINE", 1_000)
    path = tmp_path / "service.log"
    path.write_bytes(b"no time\n" + f"{stamp(50)} INFO ".encode() + b"\xff\xfe\n" + b"y" * 2_000 + b"\n")
    found = read(path)
    assert [line.message for line in found.lines] == ["INFO \ufffd\ufffd"]
    for reason in ("1 times without a time zone", "1 lines longer than", "1 lines that have no time"):
        assert reason in reasons(found)
    path.write_text("".join(f"{stamp(100 - n)} INFO {n}\n" for n in range(50)))
    found = read(path, Limits(lines=10))
    assert [line.message for line in found.lines] == [f"INFO {n}" for n in range(40, 50)]
    assert "there are more than 10 lines" in reasons(found)


def test_no_file_is_a_gap(tmp_path):
    """Not set, not there, or a folder."""
    assert "no `log_file` is set" in reasons(TextLog().lines(SHOP, WINDOW, ()))
    assert "the file is not there" in reasons(read(tmp_path / "none"))
    assert read(tmp_path).lines == ()


def test_a_large_file_costs_what_is_asked_of_it(tmp_path):
    """It is read from its end."""
    path = tmp_path / "service.log"
    old = datetime(2020, 1, 1, tzinfo=UTC).isoformat()
    path.write_text(f"{old} INFO old\n" * 200_000 + f"{stamp(50)} INFO new\n")
    assert [line.message for line in read(path).lines] == ["INFO new"]
