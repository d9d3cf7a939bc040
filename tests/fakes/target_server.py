"""A target behind real HTTP on loopback; what it answers can be changed while it runs."""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

EDGES = (0.05, 0.1, 0.25, 0.5, 1.0)


class TargetServer:
    """``counters`` and ``gauges`` are what `/metrics` shows; ``answers`` are whole answers by path, and come first."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()
        self.latencies: Counter[tuple[str, float]] = Counter()
        self.gauges: dict[str, float] = {"process_start_time_seconds": 1.0}
        self.build = ""
        self.answers: dict[str, tuple[int, bytes]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def serve(self, count: int, *, status: str = "200", seconds: float = 0.01, route: str = "/half") -> None:
        """So many requests were answered since the last look."""
        self.requests[route, status] += count
        self.latencies[route, seconds] += count

    def restart(self) -> None:
        """A new process counts from zero."""
        self.requests.clear()
        self.latencies.clear()
        self.gauges["process_start_time_seconds"] += 1

    def metrics(self) -> str:
        """The exposition text."""
        lines = [
            f'http_requests_total{{route="{route}",status="{status}"}} {count}'
            for (route, status), count in self.requests.items()
        ]
        for route in {route for route, _ in self.latencies}:
            for edge in (*EDGES, float("inf")):
                count = sum(n for (of, seconds), n in self.latencies.items() if of == route and seconds <= edge)
                name = "+Inf" if edge == float("inf") else str(edge)
                lines.append(f'http_request_duration_seconds_bucket{{route="{route}",le="{name}"}} {count}')
        lines += [f"{name} {value}" for name, value in self.gauges.items()]
        if self.build:
            lines.append(f'build_info{{commit="{self.build}"}} 1')
        return "# HELP nothing of use\n" + "\n".join(lines) + "\n"

    def answer(self, path: str) -> tuple[int, bytes]:
        """Status and body at a path."""
        if path in self.answers:
            return self.answers[path]
        plain: dict[str, Any] = {"/health": {"status": "ok"}, "/status": {"commit": self.build}}
        if path == "/metrics":
            return 200, self.metrics().encode()
        return (200, json.dumps(plain[path]).encode()) if path in plain else (404, b"{}")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body in one packet

            def do_GET(self) -> None:
                status, body = target.answer(self.path)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler
