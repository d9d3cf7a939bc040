"""The real server, told to stop while somebody follows an incident: it ends at once, and so does the stream."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DELIVERY = ROOT / "tests" / "fixtures" / "alertmanager" / "001-bearer-firing-agent.json"


@pytest.fixture
def server(tmp_path):
    """Its address and its process, on a free loopback port."""
    (tmp_path / "agent.toml").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "uvicorn", "agent.main:app", "--fd", str(listener.fileno())]
        environment = {"PYTHONPATH": str(ROOT / "src"), "MPA_STATE": "state", "MPA_CONFIG": "agent.toml"}
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen(
                command, cwd=tmp_path, env=environment, stdout=log, stderr=log, pass_fds=[listener.fileno()]
            )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", process
        finally:
            process.kill()
            process.wait()


def call(address, body=None):
    headers = {"content-type": "application/json"}
    return urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=20)  # noqa: S310 - loopback


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_open_streams_do_not_hold_up_the_end(server, number):
    """Without this a server waits for ever for a browser that shows an incident."""
    address, process = server
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with call(f"{address}/health"):
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    with call(f"{address}/webhook/alerts", json.dumps(json.loads(DELIVERY.read_text())["payload"]).encode()) as answer:
        [incident] = json.load(answer)["incidents"]
    with call(f"{address}/incidents/{incident}/events") as stream:
        assert stream.readline().startswith(b"id: ")
        process.send_signal(number)
        assert stream.read().count(b"\n\n") >= 1
    process.wait(timeout=15)
