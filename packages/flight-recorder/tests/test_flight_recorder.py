"""What is recorded, what is not, and that nothing breaks the service."""

import asyncio
import base64
import json
import logging
import re
import time
from urllib.parse import urlencode

import pytest

from flight_recorder import FlightRecorder, JsonLines, LineFile, redaction


def call(app, *, method="GET", path="/x", query=b"", body=b"", headers=()):
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": list(headers)}
    asyncio.run(app(scope, receive, send))
    return sent


async def ok(scope, receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"fine"})


async def broken(scope, receive, send):
    await receive()
    raise ValueError("token Bearer abcdefghijkl")


@pytest.fixture
def log(tmp_path):
    return tmp_path / "service.log"


def lines(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_every_request_leaves_one_line(log):
    """One JSON line per request, with the first of a route in full."""
    app = FlightRecorder(ok, path=log, sample=0.0)
    call(app, query=b"a=1")
    call(app, query=b"a=2")
    first, second = lines(log)
    assert first["request"]["query"] == "a=1"
    assert "request" not in second
    assert second["status"] == 200


def test_failures_carry_the_request_and_the_traceback(log):
    """A failure can be replayed: request, state, exception with frames."""
    app = FlightRecorder(broken, path=log, replay=lambda: {"SEED": "7"}, in_app=("tests",))
    with pytest.raises(ValueError, match="token"):
        call(
            app, method="POST", body=b'{"a": 1}', headers=[(b"content-type", b"application/json"), (b"cookie", b"s=1")]
        )
    (line,) = lines(log)
    assert line["status"] == 500
    assert line["request"]["body"] == '{"a": 1}'
    assert line["request"]["headers"] == {"content-type": "application/json"}
    assert line["replay"] == {"env": {"SEED": "7"}}
    assert line["exception"]["type"] == "ValueError"
    assert line["exception"]["frames"][-1]["function"] == "broken"
    assert line["exception"]["frames"][-1]["in_app"]
    assert "abcdefghijkl" not in log.read_text()


def test_secrets_are_redacted(log):
    """Values under secret names never reach the file."""
    app = FlightRecorder(ok, path=log)
    call(app, query=b"api_key=hunter2&x=1", body=b'{"password": "hunter3", "deep": [{"auth_token": "hunter4"}]}')
    text = log.read_text()
    assert "hunter" not in text
    assert "x=1" in lines(log)[0]["query"]


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
SECRETS = {
    "a-named-value": ("password=hunter2-xyz", "hunter2-xyz"),
    "a-named-value-in-quotes": ("{'apiKey': 'hunter2 xyz'}", "hunter2 xyz"),
    "a-database-address": ("postgresql://bob:s3cret@host/db", "s3cret"),
    "a-web-token": (JWT, "dozjgNryP4J3"),
    "a-bearer": ("Authorization: Bearer abcdefghijkl", "abcdefghijkl"),
    "a-cookie": ("cookie: session=hunter2xyz; theme=dark", "hunter2xyz"),
    "a-host's-token": ("ghp_abcdefghijklmnopqrstuvwx", "ghp_abcdefgh"),
    "a-cloud's-key": ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSF"),
    "a-private-key": ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
}


@pytest.mark.parametrize(("said", "secret"), SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("place", ["exception", "logged", "path", "query", "body", "json"])
def test_a_secret_is_redacted_wherever_it_stands(log, said, secret, place):
    """Message and traceback of an exception, the ordinary log, path, query and body: nothing of it reaches the file."""

    async def fails(scope, receive, send):
        await receive()
        raise ValueError(said)

    app = FlightRecorder(fails if place == "exception" else ok, path=log)
    if place == "exception":
        with pytest.raises(ValueError, match=re.escape(said)):
            call(app)
    elif place == "logged":
        JsonLines(LineFile(log), "jobs").emit(logging.LogRecord("jobs", logging.INFO, "x.py", 1, said, None, None))
    elif place == "path":
        call(app, path=f"/open/{said}")
    elif place == "query":
        call(app, query=urlencode({"q": said}).encode())
    else:
        call(app, body=json.dumps({"deep": [said]}).encode() if place == "json" else said.encode())
    assert lines(log)
    assert secret not in log.read_text()


@pytest.mark.parametrize("said", ["basic training", "a pass through Rome", "sk-iing in Davos", "who@example.org"])
def test_words_are_not_taken_for_secrets(log, said):
    """What is recorded can be read and replayed as it came."""
    call(FlightRecorder(ok, path=log), path=f"/{said}", body=said.encode())
    (line,) = lines(log)
    assert (line["path"], line["request"]["path"], line["request"]["body"]) == (f"/{said}", f"/{said}", said)


@pytest.mark.parametrize("unit", ["pass", "token=", "://", "a-", "eyJ", "bearer ", "cookie:", "secret'", "\\"])
def test_a_hostile_body_does_not_make_the_service_slow(unit):
    """Sixty-four kilobytes of anything are looked through in well under a second."""
    began = time.perf_counter()
    redaction.body(unit * (65_536 // len(unit)))
    assert time.perf_counter() - began < 1.0


def test_bodies_are_limited_and_binary_ones_encoded(log):
    """A long body is cut and marked; bytes that are no text are base64."""
    app = FlightRecorder(ok, path=log, max_body=10, sample=1.0)
    call(app, body=b"x" * 50)
    call(app, body=b"\xff\xfe")
    long, binary = (line["request"] for line in lines(log))
    assert (len(long["body"]), long["body_truncated"]) == (10, True)
    assert binary["body_encoding"] == "base64"


def test_a_file_that_cannot_be_written_does_not_break_the_service(tmp_path, capsys):
    """The loss is said once and counted."""
    (tmp_path / "file").write_text("")
    file = LineFile(tmp_path / "file" / "below.log")
    app = FlightRecorder(ok, file=file)
    assert call(app)[0]["status"] == 200
    call(app)
    assert file.lost == 2
    assert capsys.readouterr().err.count("cannot write") == 1


def test_a_replay_callable_that_fails_does_not_break_the_service(log):
    """The state is then simply unknown."""
    app = FlightRecorder(ok, path=log, replay=lambda: 1 / 0)
    assert call(app)[0]["status"] == 200
    assert lines(log)[0]["replay"] == {"env": {}}


def test_the_file_is_rotated(log):
    """The log is bounded: one older generation is kept."""
    app = FlightRecorder(ok, file=LineFile(log, max_bytes=2000), sample=0.0)
    for _ in range(40):
        call(app)
    assert log.with_name("service.log.1").stat().st_size < 3000
    assert {path.name for path in log.parent.iterdir()} <= {"service.log", "service.log.1"}


def test_ordinary_logging_goes_to_the_same_file(log):
    """The handler writes the same base fields, with the exception as data."""
    logger = logging.getLogger("recorder-test")
    handler = JsonLines(LineFile(log), "jobs")
    logger.addHandler(handler)
    try:
        raise KeyError("k")
    except KeyError:
        logger.exception("job failed")
    finally:
        logger.removeHandler(handler)
    (line,) = lines(log)
    assert (line["level"], line["component"], line["exception"]["type"]) == ("error", "jobs", "KeyError")


def test_a_body_cut_within_a_character_is_still_redacted_text(log):
    """A cut through a character neither makes the body binary nor lets a secret through."""
    body = '{"password": "hunter2", "name": "é'.encode()
    call(FlightRecorder(ok, path=log, max_body=len(body) - 1, sample=1.0), body=body)
    (line,) = lines(log)
    assert (line["request"]["body_encoding"], line["request"]["body_truncated"]) == ("utf-8", True)
    assert "hunter2" not in log.read_text()


def test_secrets_in_text_of_another_encoding_are_redacted(log):
    """Bytes that are not UTF-8 may be text all the same."""
    call(FlightRecorder(ok, path=log), body="password=hunter2&name=é".encode("latin-1"))
    assert b"hunter2" not in base64.b64decode(lines(log)[0]["request"]["body"])


def test_escapes_do_not_hide_the_name_of_a_secret(log):
    """JSON may spell any letter as an escape."""
    call(FlightRecorder(ok, path=log), body=b'{"t\\u006fken": "hunter2"}')
    assert "hunter2" not in log.read_text()


def test_a_streamed_body_is_recorded_whole_and_passed_on(log):
    """The parts of a streamed request reach the service as they came, and the log as one body."""
    parts = [{"type": "http.request", "body": part, "more_body": part != b"c"} for part in (b"a", b"b", b"c")]
    seen = []

    async def reads_all(scope, receive, send):
        while True:
            message = await receive()
            seen.append(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        await send({"type": "http.response.body", "body": b"2"})

    async def run():
        waiting, sent = iter(parts), []

        async def receive():
            return next(waiting)

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/x", "query_string": b"", "headers": []}
        await FlightRecorder(reads_all, path=log)(scope, receive, send)
        return sent

    sent = asyncio.run(run())
    assert seen == [b"a", b"b", b"c"]
    assert [message.get("body") for message in sent[1:]] == [b"1", b"2"]
    assert lines(log)[0]["request"]["body"] == "abc"


def test_concurrent_requests_do_not_mix(log):
    """Each line holds its own request and its own state, in whatever order they end."""
    states = iter(range(100))

    async def slow(scope, receive, send):
        message = await receive()
        await asyncio.sleep(0.001 * (20 - int(message["body"])))
        await send({"type": "http.response.start", "status": 200, "headers": []})

    app = FlightRecorder(slow, path=log, sample=1.0, replay=lambda: {"N": str(next(states))})

    async def one(number):
        async def receive():
            return {"type": "http.request", "body": str(number).encode(), "more_body": False}

        async def send(message):
            pass

        query = f"n={number}".encode()
        await app({"type": "http", "method": "POST", "path": "/x", "query_string": query, "headers": []}, receive, send)

    async def run():
        await asyncio.gather(*(one(number) for number in range(20)))

    asyncio.run(run())
    assert len(lines(log)) == 20
    for line in lines(log):
        assert line["query"] == f"n={line['request']['body']}"
        assert line["replay"]["env"]["N"] == line["request"]["body"]


def test_an_exception_after_the_response_began_is_a_failure(log):
    """The status already sent was 200; the request failed all the same."""

    async def half(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        call(FlightRecorder(half, path=log))
    (line,) = lines(log)
    assert (line["status"], line["exception"]["type"]) == (500, "RuntimeError")


def test_an_exception_without_a_message_passes_unchanged(log):
    """An error whose text cannot be made is raised as it is, and recorded."""

    class SilentError(Exception):
        def __str__(self):
            raise RuntimeError

    async def fails(scope, receive, send):
        raise SilentError

    with pytest.raises(SilentError):
        call(FlightRecorder(fails, path=log))
    assert lines(log)[0]["exception"]["type"].endswith("SilentError")


def test_a_log_record_that_cannot_be_formatted_does_not_break_the_service(log, capsys):
    """It is counted as lost and said once."""
    file = LineFile(log)
    logger, handler = logging.getLogger("recorder-bad"), JsonLines(file, "jobs")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        logger.warning("%d items", "many")
    finally:
        logger.removeHandler(handler)
    assert file.lost == 1
    assert "cannot write" in capsys.readouterr().err
