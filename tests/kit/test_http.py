"""HTTP within bounds, against real servers on loopback."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agent.errors import Misconfigured, Permanent, Unreachable
from agent.kit.http import HttpClient


class _Target(BaseHTTPRequestHandler):
    def do_GET(self):
        getattr(self, f"answer_{self.path.strip('/').replace('-', '_')}")()

    def _send(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_ok(self):
        self._send(200, b"well")

    def answer_broken(self):
        self._send(500, b"no")

    def answer_elsewhere(self):
        self._send(302, Location="http://198.51.100.1/secret")

    def answer_large(self):
        self._send(200, b"x" * 100_000)

    def answer_packed(self):
        self._send(200, gzip.compress(b"x" * 5_000_000), Content_Encoding="gzip")

    def answer_drip(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            return  # the client went away, as it should

    def answer_drip_headers(self):
        self.send_response(200)
        try:
            for number in range(100):
                self.send_header(f"X-{number}", "x")
                self.flush_headers()
                time.sleep(0.05)
        except OSError:
            return

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Target)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client():
    client = HttpClient()
    yield client
    client.close()


def test_answers_come_back_whatever_their_status(client, url):
    """A server's error is an answer, not an exception."""
    assert (client.get(f"{url}/ok").status, client.get(f"{url}/ok").text) == (200, "well")
    assert client.get(f"{url}/broken").status == 500


def test_a_redirect_is_not_followed(client, url):
    """Where a target points is not where we go."""
    assert client.get(f"{url}/elsewhere").status == 302


def test_a_large_body_is_refused(client, url):
    """Reading stops at the limit."""
    with pytest.raises(Permanent, match="more than 1000 bytes"):
        client.get(f"{url}/large", max_bytes=1000)


def test_a_packed_body_is_not_unpacked(client, url):
    """A small answer cannot become a large one in memory."""
    assert len(client.get(f"{url}/packed", max_bytes=10_000).body) < 10_000


@pytest.mark.parametrize("path", ["drip", "drip-headers"])
def test_a_dripping_answer_ends_at_the_time_limit(client, url, path):
    """Each byte in time is not the whole in time."""
    began = time.monotonic()
    with pytest.raises(Unreachable, match="did not finish"):
        client.get(f"{url}/{path}", timeout=0.3)
    assert time.monotonic() - began < 3  # it drips for five seconds
    assert client.get(f"{url}/ok").text == "well"


def test_a_server_that_is_not_there_is_unreachable(client):
    """Nobody listens: worth another try."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Unreachable):
        client.get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("address", ["nonsense", "ftp://host/x", "file:///etc/passwd", "http://host:port/"])
def test_what_is_no_address_is_a_wrong_setting(client, address):
    """Not worth another try."""
    with pytest.raises(Misconfigured):
        client.get(address)
