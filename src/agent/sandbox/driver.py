"""Runs inside the sandbox, with the target's own interpreter: carries out one order and says what came of it.

Standard library only, and no import of the target. Reads one JSON order on standard input, writes one bounded JSON
report on standard output. Three kinds of order: *replay* starts the service and sends requests, *suite* runs the test
command, *compile* turns sources into byte code without running them.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import math
import os
import py_compile
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from typing import Any

ALL_BODIES = 1 << 20
MOST_BODY = 65536
MOST_METRICS = 512 << 10
MOST_OUTPUT = 20_000
MOST_LOG = 400_000
MOST_JUNIT = 2 << 20
MOST_BYTECODE = 16 << 20
MOST_POINTS = 2000
MOST_ATTEMPTS = 2
START_POLL = 0.01
NOT_READY_SECONDS = 3.0
NOT_READY = 503
SERVER_ERROR = 500
# What a path may hold as it is (RFC 3986, pchar); recorders write the decoded path.
SAFE = "/:@!$&'()*+,;=~"
# These say how the recorded message travelled; this one travels by itself, and unpacked.
TRAVEL = {
    "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "te", "trailer",
    "transfer-encoding", "upgrade",
}  # fmt: skip


def main() -> None:
    """Carry out one order."""
    order = json.load(sys.stdin)
    report = {"replay": replay, "suite": suite, "compile": compile_sources}[order["kind"]](order)
    json.dump(report, sys.stdout)


def suite(order: dict[str, Any]) -> dict[str, Any]:
    """Run the test command on a private copy of the tree; its output goes to our standard error."""
    copy(Path(order["tree"]), Path(order["cwd"]))
    env = dict(os.environ, **order["env"])
    try:
        done = subprocess.run(
            order["argv"], cwd=order["cwd"], env=env, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
        )
    except OSError as error:
        return {"returncode": 127, "junit": "", "problem": f"the test command does not start: {error}"}
    junit = Path(order["junit"])
    fits = junit.is_file() and junit.stat().st_size <= MOST_JUNIT
    return {"returncode": done.returncode, "junit": tail(junit, MOST_JUNIT) if fits else "", "problem": ""}


def copy(tree: Path, to: Path) -> None:
    """What is in a folder, links as links."""
    for path in tree.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, to / path.name, symlinks=True)
        else:
            shutil.copy2(path, to / path.name, follow_symlinks=False)


def compile_sources(order: dict[str, Any]) -> dict[str, Any]:
    """Byte code of the sources that compile, for exactly their present content. Nothing of them is run."""
    found: dict[str, str] = {}
    total = 0
    cache = Path(order["work"], "one.pyc")
    for name in order["files"]:
        source = str(Path(order["cwd"], name))
        try:
            py_compile.compile(
                source,
                str(cache),
                source,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
            data = cache.read_bytes()
        except (py_compile.PyCompileError, OSError, ValueError, RecursionError, MemoryError):
            continue  # the run will meet the same source and say what is wrong with it
        total += len(data)
        if total > MOST_BYTECODE:
            break
        found[name] = base64.b64encode(data).decode()
    return {"tag": sys.implementation.cache_tag, "bytecode": found}


def replay(order: dict[str, Any]) -> dict[str, Any]:
    """Start the service, send the requests, stop it."""
    began = time.monotonic()
    port = free_port()
    argv = [part.replace("{port}", str(port)) for part in order["serve"]]
    env = dict(os.environ, **order["env"])
    report: dict[str, Any] = {"started": False, "problem": "", "answers": [], "failures": [], "repetitions": 0}
    try:
        with Path(order["output"]).open("wb") as output:
            service = subprocess.Popen(
                argv, cwd=order["cwd"], env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
    except OSError as error:
        return {**report, "output": f"{argv[0]}: {error}", "log": ""}
    try:
        report["started"] = wait_until_up(service, port, order)
        report["start_seconds"] = time.monotonic() - began
        if report["started"]:
            drive(service, port, order, report)
        else:
            ended = service.poll()
            report["problem"] = "it did not answer in time" if ended is None else f"it ended with code {ended}"
    finally:
        service.kill()
        service.wait()
    report["output"] = tail(Path(order["output"]), MOST_OUTPUT)
    report["log"] = tail(Path(order["log"]), MOST_LOG) if order["log"] else ""
    report["seconds"] = time.monotonic() - began
    return report


def free_port() -> int:
    """A loopback port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(service: subprocess.Popen[bytes], port: int, order: dict[str, Any]) -> bool:
    """Whether the service answered in time; False at once when its process has ended.

    Any answer counts, an unhealthy one too: the fault may be in the health check. "Not ready" is waited for a while.
    """
    deadline = time.monotonic() + order["start_seconds"]
    patience: float | None = None
    while time.monotonic() < deadline and service.poll() is None:
        status = health(port, order)
        if status and patience is None:
            patience = time.monotonic() + NOT_READY_SECONDS
        if status and (status != NOT_READY or time.monotonic() > (patience or 0.0)):
            return True
        time.sleep(START_POLL)
    return False


def health(port: int, order: dict[str, Any]) -> int:
    """Status of the health check, 0 when there is no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=order["request_seconds"])
    try:
        connection.request("GET", order["health_path"])
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def drive(service: subprocess.Popen[bytes], port: int, order: dict[str, Any], report: dict[str, Any]) -> None:
    """Send all requests once in every repetition, as often and as long as wanted, and write down what came."""
    requests = order["requests"]
    client = Client(port, order["request_seconds"], ALL_BODIES // max(1, len(requests)))
    report["metrics_before"] = client.text(order["metrics_path"])
    report["rss"] = [[0, memory(service.pid)]]
    report["failures"] = [0] * len(requests)
    report["failed"] = []
    durations: list[float] = []
    now = time.monotonic()
    stop_at, latest = now + order["soak_seconds"], now + order["total_seconds"]
    gap = 1.0 / order["rate"] if order["soak_seconds"] else 0.0
    while requests and (report["repetitions"] < order["repeat"] or time.monotonic() < stop_at):
        answers = once(client, requests, gap, latest)
        durations += [answer["duration_ms"] for answer in answers]
        failing = [index for index, answer in enumerate(answers) if failed(answer)]
        for index in failing:
            report["failures"][index] += 1
        report["failed"] = (report["failed"] + failing)[-MOST_POINTS:]
        if len(answers) < len(requests):
            report["problem"] = "the requests took longer than the time limit"
            break
        report["answers"] = kept(report["answers"], answers)
        report["repetitions"] += 1
        if len(report["rss"]) < MOST_POINTS:
            report["rss"].append([len(durations), memory(service.pid)])
    if order["soak_seconds"] and not requests:
        time.sleep(order["soak_seconds"])
    report["rss"].append([len(durations), memory(service.pid)])
    report["latency_p95_ms"] = p95(durations)
    report["metrics_after"] = client.text(order["metrics_path"])


def once(client: Client, requests: list[dict[str, Any]], gap: float, latest: float) -> list[dict[str, Any]]:
    """One repetition, ``gap`` seconds from request to request; cut short at ``latest``."""
    answers: list[dict[str, Any]] = []
    for request in requests:
        if time.monotonic() > latest:
            break
        began = time.monotonic()
        answers.append(client.send(request))
        if gap:
            time.sleep(max(0.0, gap - (time.monotonic() - began)))
    return answers


def kept(before: list[dict[str, Any]], answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each request its last failure, or its last answer where it never failed."""
    older = before or answers
    return [old if failed(old) and not failed(new) else new for old, new in zip(older, answers, strict=True)]


def failed(answer: dict[str, Any]) -> bool:
    """Whether the service failed to answer."""
    return bool(answer["status"] >= SERVER_ERROR or answer["status"] == 0)


def p95(values: list[float]) -> float | None:
    """The smallest value that 95% of all are not above (nearest rank)."""
    return sorted(values)[max(0, math.ceil(len(values) * 0.95) - 1)] if values else None


class Client:
    """One keep-alive connection to the service. ``room`` bounds what is kept of one body, in bytes."""

    def __init__(self, port: int, timeout: float, room: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.room = min(MOST_BODY, room)

    def send(self, request: dict[str, Any]) -> dict[str, Any]:
        """One answer; status 0 and the error's name when there was none. A dropped connection is tried once more."""
        began = time.perf_counter()
        status, body = 0, b""
        for attempt in range(MOST_ATTEMPTS):
            try:
                status, body = self.exchange(request)
                break
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.connection.close()
                body = type(error).__name__.encode()
                if attempt or isinstance(error, TimeoutError):
                    break
        return {"status": status, "body": parsed(body), "duration_ms": (time.perf_counter() - began) * 1000}

    def exchange(self, request: dict[str, Any]) -> tuple[int, bytes]:
        """Send one request and read its answer."""
        path = urllib.parse.quote(request["path"], safe=SAFE, errors="replace")
        path += "?" + request["query"] if request["query"] else ""
        encoded = request["body_encoding"] == "base64"
        body = base64.b64decode(request["body"]) if encoded else request["body"].encode("utf-8", "replace")
        headers = {name: value for name, value in request["headers"].items() if name.lower() not in TRAVEL}
        self.connection.request(request["method"], path, body or None, headers)
        return self.read(self.room)

    def read(self, most: int) -> tuple[int, bytes]:
        """Status and the first ``most`` bytes; a longer body ends the connection."""
        response = self.connection.getresponse()
        data = response.read(most)
        if not response.isclosed() and response.read(1):
            self.connection.close()
        return response.status, data

    def text(self, path: str) -> str:
        """The text at a path, empty when there is none."""
        try:
            self.connection.request("GET", path)
            return self.read(MOST_METRICS)[1].decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return ""


def parsed(body: bytes) -> Any:
    """JSON where it is JSON, else text. NaN and infinities, which JSON has not, become their names."""
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text, parse_constant=str, parse_float=finite)
    except (ValueError, RecursionError):
        return text


def finite(text: str) -> Any:
    """A number, or its text when no float can hold it."""
    value = float(text)
    return value if math.isfinite(value) else text


def memory(root: int) -> int:
    """Resident bytes of the service and its children."""
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError, ValueError, IndexError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            waiting += [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return total


def tail(path: Path, limit: int) -> str:
    """The end of a file, empty when it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - limit))
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""


if __name__ == "__main__":
    main()
