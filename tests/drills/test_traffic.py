"""Traffic is repeatable, covers the interface's edges, survives restarts of the service, and ends."""

import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from drills.traffic import DROPPED, WORKERS, Client, Mix, Shot, read, send


class Service(BaseHTTPRequestHandler):
    """Answers 200, 500 under /broken, and counts its connections."""

    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self):
        super().setup()
        type(self).connections += 1

    def do_GET(self):
        self.send_response(500 if self.path.startswith("/broken") else 200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def service():
    class Fresh(Service):
        connections = 0

    server = ThreadingHTTPServer(("127.0.0.1", 0), Fresh)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Fresh
    server.shutdown()
    thread.join()
    server.server_close()


def take(seed: int, count: int) -> list[Shot]:
    return list(itertools.islice(Mix(seed), count))


def test_a_seed_repeats_its_traffic():
    """The same seed sends the same requests, another one others."""
    assert take(3, 200) == take(3, 200)
    assert take(3, 200) != take(4, 200)


def test_every_kind_of_request_comes_within_the_first_round():
    """Edges are not left to luck: health, status, empty, single and twin batches come early, for any seed."""
    for seed in range(20):
        shots = take(seed, 13)
        bodies = [json.loads(shot.body) for shot in shots if shot.body]
        sizes = {len(next(iter(body.values()))) for body in bodies}
        assert {"/health", "/status"} <= {shot.path for shot in shots}
        assert {0, 1, 2} <= sizes
        assert any("NOSUCH" in shot.path for shot in shots)
        assert any(shot.path.split("symbol=")[-1][:1].islower() for shot in shots if "symbol=" in shot.path)


def test_answers_are_counted_by_status(service):
    """A client tells answers from failures and keeps its connection."""
    url, server = service
    client = Client(url)
    assert [client.send(Shot("GET", path)) for path in ("/", "/broken", "/")] == ["200", "500", "200"]
    client.close()
    assert server.connections == 1


def test_a_service_that_is_away_drops_requests_and_is_found_again(service):
    """While nobody listens requests count as dropped; afterwards the same client goes on."""
    url, _ = service
    away = Client("http://127.0.0.1:1")
    assert away.send(Shot("GET", "/")) == DROPPED
    client = Client(url)
    assert client.send(Shot("GET", "/")) == "200"
    client._connection.sock.close()
    assert client.send(Shot("GET", "/")) == "200"
    client.close()


def test_traffic_is_bounded_and_written_down(service, tmp_path):
    """A run ends by itself after its time, over at most as many connections as there are workers."""
    url, server = service
    out = tmp_path / "traffic.ndjson"
    send(url, Mix(1), rate=200.0, seconds=0.5, out=out, stop=threading.Event())
    seconds = read(out)
    assert sum(sum(second.status.values()) for second in seconds) == 100
    assert sum(len(second.durations) for second in seconds) == 100
    assert server.connections <= WORKERS


def test_traffic_stops_when_asked(service, tmp_path):
    """A request to stop ends it long before its time."""
    stop = threading.Event()
    stop.set()
    send(service[0], Mix(1), rate=1.0, seconds=3600.0, out=tmp_path / "out", stop=stop)
    assert sum(sum(second.status.values()) for second in read(tmp_path / "out")) <= 1


def test_a_line_still_being_written_is_read_later(tmp_path):
    """Reading while the other process writes neither fails nor invents."""
    out = tmp_path / "out"
    out.write_text('{"at": 5, "status": {"200": 3}, "durations": [0.1], "skipped": 0}\n{"at": 6, "sta')
    assert [second.at for second in read(out)] == [5]
    assert read(out, since=6) == []
    assert read(tmp_path / "none") == []
