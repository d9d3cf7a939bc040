"""Runs inside the sandbox, with the target's own interpreter: starts the service, sends the requests, says what came.

Standard library only. Reads one JSON order on standard input, writes one JSON report on standard output.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

MOST_BODY = 65536
MOST_METRICS = 1 << 20
START_POLL = 0.01
SERVER_ERROR = 500


def main() -> None:
    """Carry out one order."""
    order = json.load(sys.stdin)
    began = time.monotonic()
    port = free_port()
    argv = [part.replace("{port}", str(port)) for part in order["serve"]]
    env = dict(os.environ, **order["env"])
    with Path(order["output"]).open("wb") as output:
        service = subprocess.Popen(
            argv, cwd=order["cwd"], env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    report = {"started": False, "problem": "", "answers": [], "failures": [], "repetitions": 0}
    try:
        report["started"] = wait_until_up(service, port, order)
        if report["started"]:
            drive(service, port, order, report)
    finally:
        if service.poll() is None:
            service.send_signal(signal.SIGKILL)
        service.wait()
    report["output"] = tail(order["output"], 20000)
    report["log"] = tail(order["log"], 400000) if order["log"] else ""
    report["seconds"] = time.monotonic() - began
    json.dump(report, sys.stdout)


def free_port() -> int:
    """A loopback port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(service: subprocess.Popen[bytes], port: int, order: dict[str, Any]) -> bool:
    """Whether the service answered in time; False at once when its process has ended."""
    deadline = time.monotonic() + order["start_seconds"]
    while time.monotonic() < deadline:
        if service.poll() is not None:
            return False
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=order["request_seconds"])
            connection.request("GET", order["health_path"])
            connection.getresponse().read()
            connection.close()
        except (OSError, http.client.HTTPException):
            time.sleep(START_POLL)
        else:
            return True
    return False


def drive(service: subprocess.Popen[bytes], port: int, order: dict[str, Any], report: dict[str, Any]) -> None:
    """Send the requests, as often as wanted, and write down what came."""
    client = Client(port, order["request_seconds"])
    requests = order["requests"]
    report["metrics_before"] = client.text(order["metrics_path"])
    report["rss"] = [[0, memory(service.pid)]]
    report["failures"] = [0] * len(requests)
    durations: list[float] = []
    sent = 0
    stop_at = time.monotonic() + order["soak_seconds"]
    everything_until = time.monotonic() + order["total_seconds"]
    gap = 1.0 / order["rate"] if order["soak_seconds"] else 0.0
    # Interleaved on purpose: each repetition sends all requests once, failing kind first.
    while requests and (report["repetitions"] < order["repeat"] or time.monotonic() < stop_at):
        answers = []
        for index, request in enumerate(requests):
            mark = time.time()
            answer = client.send(request)
            sent += 1
            durations.append(answer["duration_ms"])
            if answer["status"] >= SERVER_ERROR or answer["status"] == 0:
                report["failures"][index] += 1
            answers.append(answer)
            if time.monotonic() > everything_until:
                break
            if gap:
                time.sleep(max(0.0, gap - (time.time() - mark)))
        if len(answers) == len(requests):
            report["answers"] = answers
            report["repetitions"] += 1
        report["rss"].append([sent, memory(service.pid)])
        if time.monotonic() > everything_until:
            report["problem"] = "the requests took longer than the time limit"
            break
    if order["soak_seconds"] and not requests:
        time.sleep(order["soak_seconds"])
    report["durations"] = sorted(durations)[-5000:]
    report["metrics_after"] = client.text(order["metrics_path"])
    report["sent"] = sent


class Client:
    """One keep-alive connection to the service."""

    def __init__(self, port: int, timeout: float) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def send(self, request: dict[str, Any]) -> dict[str, Any]:
        """One answer; status 0 when there was none."""
        path = request["path"] + ("?" + request["query"] if request["query"] else "")
        body = request["body"].encode() if request["body_encoding"] == "utf-8" else base64.b64decode(request["body"])
        began = time.perf_counter()
        for last in (False, True):
            try:
                self.connection.request(request["method"], path, body or None, request["headers"])
                response = self.connection.getresponse()
                data = response.read()
                break
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.connection.close()
                if last or isinstance(error, TimeoutError):
                    return {
                        "status": 0,
                        "body": type(error).__name__,
                        "duration_ms": (time.perf_counter() - began) * 1000,
                    }
        duration = (time.perf_counter() - began) * 1000
        text = data[:MOST_BODY].decode("utf-8", "replace")
        try:
            parsed = json.loads(text, parse_constant=str)
        except ValueError:
            parsed = text
        return {"status": response.status, "body": parsed, "duration_ms": duration}

    def text(self, path: str) -> str:
        """The text at a path, empty when there is none."""
        try:
            self.connection.request("GET", path)
            return self.connection.getresponse().read()[:MOST_METRICS].decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return ""


def memory(root: int) -> int:
    """Resident bytes of the service and its children."""
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        try:
            with Path(f"/proc/{pid}/statm").open() as file:
                total += int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            with Path(f"/proc/{pid}/task/{pid}/children").open() as file:
                waiting.extend(int(child) for child in file.read().split())
        except (OSError, ValueError, IndexError):
            continue
    return total


def tail(path: str, limit: int) -> str:
    """The end of a file, empty when it is not there."""
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - limit))
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""


if __name__ == "__main__":
    main()
