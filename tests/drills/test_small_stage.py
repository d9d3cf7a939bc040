"""A real stage of a small service: what it holds, and what it notices."""

from __future__ import annotations

import os
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from small_service import small_drill

from drills.addresses import HeldPorts
from drills.drill import read
from drills.ground import Ground
from drills.stage import Ports, Stage

UNKNOWN = b'{"service": {"commit": "0123456789abcdef0123456789abcdef01234567"}}'


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Built and started."""
    root = tmp_path_factory.mktemp("small")
    ground = Ground(root / "ground")
    run = ground.new_run()
    made = Stage(run, ground.cache, 1, "embedded", lambda _message: None, wanted=read(small_drill(root)))
    try:
        made.build()
        made.start()
        yield made
    finally:
        run.processes.end_all()
        made.close()
        ground.remove(run)


def words(stage, name):
    return Path(f"/proc/{stage.run.processes.pid(name)}/cmdline").read_bytes().decode().split("\0")


def test_a_crowd_asks_for_what_the_users_of_the_service_ask_for(stage):
    """Not for what another service's users would."""
    stage.more_traffic(1.0, 30.0)
    command = words(stage, "crowd-1")
    assert command[command.index("--script") + 1] == str(stage.staging.requests)


def test_its_ports_are_given_to_nobody_else(stage):
    """While its process lives."""
    ports = vars(stage.ports).values()
    with HeldPorts(200) as others:
        assert not set(ports) & set(others.numbers)


def test_what_the_examiner_keeps_is_not_in_the_run(stage):
    """The workshop holds unreleased commits."""
    assert stage.run.folder not in stage.history.workshop.parents
    assert stage.history.workshop.parent.stat().st_mode & 0o077 == 0


def test_a_helper_that_died_is_named(stage):
    """The agent and the crowds are no helpers."""
    assert stage.helpers_alive() == []
    for name in ("traffic", "agent"):
        os.kill(stage.run.processes.pid(name), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while not stage.helpers_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert stage.helpers_alive() == ["traffic"]


class Stranger(BaseHTTPRequestHandler):
    """A healthy service that runs a commit of somebody else."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(UNKNOWN)

    def log_message(self, *_args):
        pass


def test_a_stranger_on_the_port_is_not_the_target(stage):
    """It is healthy, but says a commit that was never unpacked here."""
    assert stage.target_answers()
    ours = stage.ports
    server = HTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        stage.ports = Ports(**{**vars(ours), "target": server.server_port})
        assert not stage.target_answers()
    finally:
        stage.ports = ours
        server.shutdown()
        server.server_close()
