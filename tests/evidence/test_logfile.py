"""The request log is untrusted and may be half-written: a bad line costs only itself."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import Unreachable
from agent.evidence import logfile
from agent.model.evidence import RecordedRequest
from agent.model.record import Window
from fakes import records
from fakes.clock import NOON

WINDOW = Window(start=NOON, end=NOON + timedelta(seconds=60))
BEFORE = Window(start=NOON - timedelta(seconds=120), end=NOON)


def read(path):
    """All that was recorded since an hour ago."""
    return logfile.read(path, NOON - timedelta(hours=1)).exchanges


def line(second=0, **fields):
    """One line as the recorder writes it."""
    given = {
        "timestamp": (NOON + timedelta(seconds=second)).isoformat(),
        "route": "/half",
        "status": 200,
        "duration_ms": 1.5,
        "request": {"method": "GET", "path": "/half", "query": f"n={second}"},
    }
    return json.dumps({**given, **fields}) + "\n"


def failed(second=0, kind="ZeroDivisionError", **fields):
    frames = [
        {"file": "lib/web.py", "line": 3, "function": "serve", "in_app": False, "locals": {"password": "x"}},
        {"file": "shop.py", "line": 9, "function": "answer", "in_app": True},
    ]
    exception = {"type": kind, "message": "division by zero, token=hunter2hunter2", "frames": frames}
    return line(second, status=500, exception=exception, **fields)


def test_a_whole_line_becomes_an_exchange(tmp_path):
    """Time, route, request, exception with its signature made of in-app frames; secrets are masked."""
    log = tmp_path / "service.log"
    log.write_text(failed(3, replay={"env": {"SEED": 7}}))
    (exchange,) = read(log)
    assert exchange.timestamp == NOON + timedelta(seconds=3)
    assert exchange.signature.frames == ("shop.py:answer",)
    assert exchange.replay_env == {"SEED": "7"}
    assert exchange.failed
    assert "hunter2" not in exchange.message


def test_a_request_is_kept_without_its_secrets(tmp_path):
    """Path, query, headers and body, whoever wrote the log."""
    secret = "ghp_abcdefghijklmnopqrstuvwx"
    request = {"method": "POST", "path": f"/{secret}", "query": f"q={secret}", "body": f"token={secret}"}
    log = tmp_path / "service.log"
    log.write_text(line(1, route=f"/{secret}", request={**request, "headers": {"accept": secret}}))
    (exchange,) = read(log)
    assert "ghp_" not in exchange.model_dump_json()


def test_the_older_generation_is_read_first(tmp_path):
    """Rotated a moment ago: both files, oldest first."""
    (tmp_path / "service.log.1").write_text(line(1) + line(2))
    (tmp_path / "service.log").write_text(line(3))
    seconds = [(e.timestamp - NOON).total_seconds() for e in read(tmp_path / "service.log")]
    assert seconds == [1, 2, 3]


def test_a_log_that_is_not_there_is_said(tmp_path):
    """With the setting that names it; an older generation alone is not the log."""
    (tmp_path / "service.log.1").write_text(line(1))
    with pytest.raises(Unreachable, match="log_file"):
        read(tmp_path / "service.log")


def test_an_empty_log_is_no_error(tmp_path):
    """Nothing was asked yet."""
    (tmp_path / "service.log").touch()
    assert read(tmp_path / "service.log") == ()


HUGE = json.dumps({"route": "/half", "padding": "x" * (2 << 20)}).encode()
BAD_LINES = [
    b"", b"not json", line(1)[:-30].encode(), b"\xff\xfe" + line(1).encode(), b'{"route": "/\xff\xfe"}', HUGE,
    b'{"route": 1}', b'["route"]', b'"route"', b'null "route"', b"[" * 5000 + b'"route"',
    line(1, timestamp="yesterday").encode(), line(1, timestamp=5).encode(), line(1, status="ok").encode(),
    line(1, duration_ms=None).encode(), line(1, request=[1]).encode(), line(1, request={"method": 1}).encode(),
    line(1, request={"method": "GET", "path": "/", "headers": {"a": 1}}).encode(), line(1, replay=[1]).encode(),
    line(1, exception={"message": "no type"}).encode(), line(1, exception="text").encode(),
    line(1, exception={"type": "E", "frames": [{"file": "x"}]}).encode(), line(1, exception={"type": "E", "frames": 3}).encode(),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD_LINES, ids=lambda bad: repr(bad[:30]))
def test_a_bad_line_costs_only_itself(tmp_path, bad):
    """Cut, huge, not UTF-8, nested, of other types: the lines before and after it are read."""
    log = tmp_path / "service.log"
    log.write_bytes(line(1).encode() + bad + b"\n" + line(2).encode())
    assert [(e.timestamp - NOON).total_seconds() for e in read(log)] == [1, 2]


def test_a_line_that_is_being_written_is_left_for_later(tmp_path):
    """The last line has no end yet."""
    log = tmp_path / "service.log"
    log.write_text(line(1) + line(2)[:40])
    assert len(read(log)) == 1


def test_a_very_long_log_is_read_from_its_end(tmp_path, monkeypatch):
    """Bounded, and starting at a whole line."""
    monkeypatch.setattr(logfile, "MOST_BYTES", 1000)
    log = tmp_path / "service.log"
    log.write_text("".join(line(n) for n in range(100)))
    seconds = [(e.timestamp - NOON).total_seconds() for e in read(log)]
    assert seconds[-1] == 99
    assert seconds == list(range(100 - len(seconds), 100))
    assert 3 < len(seconds) < 10


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(tmp_path_factory, data):
    """Whatever stands in the file."""
    log = tmp_path_factory.mktemp("log") / "service.log"
    log.write_bytes(data + b'"route" "request"')
    assert read(log) == ()


def test_new_signatures_are_those_that_grew():
    """One that was as frequent before is old; the most grown comes first; nothing outside the windows counts."""
    old, new, rare = (records.Signature(exception=name, frames=("shop.py:f",)) for name in ("Old", "New", "Rare"))

    def at(second, signature):
        return records.failure(signature=signature, timestamp=NOON + timedelta(seconds=second))

    exchanges = [at(-second, old) for second in range(1, 21)] + [at(second, old) for second in range(1, 11)]
    exchanges += [at(second, new) for second in range(1, 9)] + [at(5, rare), at(100, rare), records.answered()]
    grown = logfile.new_signatures(exchanges, WINDOW, BEFORE)
    assert grown == [(new, 8, 0), (rare, 1, 0)]


def test_failing_requests_are_distinct_and_of_every_new_kind():
    """At most four of a signature, the newest first, the new ones before the others; nothing twice."""
    requests = [RecordedRequest(method="GET", path="/half", query=f"n={n}") for n in range(10, 18)]
    many = [records.failure(request, timestamp=NOON + timedelta(seconds=n)) for n, request in enumerate(requests * 2)]
    other = records.failure(records.HEALTHY, records.OTHER_FAULT, timestamp=NOON + timedelta(seconds=50))
    chosen = logfile.failing([*many, other], [records.FAULT], WINDOW)
    assert [exchange.signature for exchange in chosen] == [records.FAULT] * 4 + [records.OTHER_FAULT]
    assert [exchange.request.query for exchange in chosen[:4]] == ["n=17", "n=16", "n=15", "n=14"]


def test_healthy_requests_are_spread_over_routes():
    """No route crowds the others out; health checks, failures and refusals are none."""
    exchanges = [
        records.answered(
            RecordedRequest(method="GET", path=path, query=f"n={n}"), timestamp=NOON + timedelta(seconds=n)
        )
        for n in range(50)
        for path in ("/a", "/b", "/health")
    ]
    exchanges += [records.answered(RecordedRequest(method="GET", path="/c"), status=404), records.failure()]
    exchanges += [records.answered(RecordedRequest(method="GET", path="/rare"))]
    chosen = logfile.healthy(exchanges, WINDOW, ("/health",))
    routes = [exchange.route for exchange in chosen]
    assert len(chosen) == logfile.MOST_HEALTHY
    assert set(routes) == {"/a", "/b", "/rare"}
    assert abs(routes.count("/a") - routes.count("/b")) <= 1


def test_only_what_is_asked_for_is_read(tmp_path):
    """Of a log of hours, the minutes that are asked for; a request that began a little earlier may stand later."""
    log = tmp_path / "service.log"
    log.write_text("".join(line(second) for second in (-4000, -3000, -61, 1, -58, 2)))
    asked = logfile.read(log, NOON - timedelta(seconds=60))
    assert [(e.timestamp - NOON).total_seconds() for e in asked.exchanges] == [-61, 1, -58, 2]
    assert not asked.cut


def test_a_log_beyond_the_limit_says_that_it_was_cut(tmp_path, monkeypatch):
    """The newest ones are kept, and that older ones are missing is told."""
    monkeypatch.setattr(logfile, "MOST_EXCHANGES", 3)
    log = tmp_path / "service.log"
    log.write_text("".join(line(second) for second in range(5)))
    asked = logfile.read(log, NOON - timedelta(hours=1))
    assert [(e.timestamp - NOON).total_seconds() for e in asked.exchanges] == [2, 3, 4]
    assert asked.cut


def test_what_could_be_a_secret_is_not_taken_from_the_log(tmp_path):
    """Whoever wrote it may not have masked it, and a recorded request goes into tests and bundles."""
    headers = {"authorization": "Bearer abcdefghijklmnop", "cookie": "session=abc", "Accept": "application/json"}
    request = {"method": "POST", "path": "/half", "headers": headers, "body": '{"password": "hunter2hunter2"}'}
    log = tmp_path / "service.log"
    log.write_text(failed(1, request=request))
    (exchange,) = read(log)
    assert exchange.request.headers == {"Accept": "application/json"}
    assert "hunter2" not in exchange.request.body
