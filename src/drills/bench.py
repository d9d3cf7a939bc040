"""``make bench``: what the agent costs by itself, as ratios to its limits, in one run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import httpx2
import prometheus_client

from . import large
from .addresses import free_ports
from .settings_files import Value, toml
from .stage import PROJECT

HEALTHY_SECONDS: Final = 3.0
RESIDENT_MIB: Final = 150.0
IDLE_SHARE: Final = 0.03
WATCHED_SECONDS: Final = 20.0
DIAGNOSIS_SECONDS: Final = 3.0
DIAGNOSIS_MIB: Final = 500.0


def main() -> None:
    """Start the service on a fresh state folder, alone and with a target to watch, and print one row a figure."""
    healthy, resident, idle = _measure(target=None)
    with _target() as url:
        _, watching_resident, watching = _measure(target=url)
    cpu, peak = _diagnosis()
    for name, value, limit in (
        ("healthy after, s", healthy, HEALTHY_SECONDS),
        ("resident, MiB", resident, RESIDENT_MIB),
        ("share of a core when idle", idle, IDLE_SHARE),
        ("resident watching a target", watching_resident, RESIDENT_MIB),
        ("share of a core watching", watching, IDLE_SHARE),
        ("large bundle, s of a core", cpu, DIAGNOSIS_SECONDS),
        ("large bundle, MiB at most", peak, DIAGNOSIS_MIB),
    ):
        sys.stdout.write(f"{name:28} {value:8.3f}  limit {limit:8.3f}  ratio {value / limit:5.2f}\n")


def _measure(target: str | None) -> tuple[float, float, float]:
    """Seconds until healthy, MiB resident, and the share of a core that the idle service takes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        port = free_ports(1)[0]
        env = {**os.environ, "PYTHONPATH": str(PROJECT / "src"), "MPA_STATE": folder, "API_PORT": str(port)}
        if target is not None:
            values: dict[str, Value] = {"name": "bench", "url": target, "repository": folder}
            Path(folder, "agent.toml").write_text(toml([("[[target]]", values)]), encoding="utf-8")
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "agent.cli", "serve"], env=env, cwd=folder, stderr=subprocess.DEVNULL
        )
        try:
            _until_healthy(f"http://127.0.0.1:{port}/health", process)
            healthy = time.monotonic() - began
            time.sleep(5.0)
            before = _cpu(process.pid)
            time.sleep(WATCHED_SECONDS)
            return healthy, _resident(process.pid), (_cpu(process.pid) - before) / WATCHED_SECONDS
        finally:
            process.terminate()
            process.wait(timeout=20)


def _diagnosis() -> tuple[float, float]:
    """Seconds of processor time and MiB at most that the diagnosis of a large bundle takes, start-up included."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        large.write(Path(folder))
        words = [sys.executable, "-m", "agent.cli", "diagnose", folder, "--json"]
        env = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
        process = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit("bench: the large bundle was not diagnosed")
        return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


class _Page(BaseHTTPRequestHandler):
    """A healthy target with a metrics page of a usual size."""

    def do_GET(self) -> None:
        """Answer with the page for every path."""
        registry = prometheus_client.CollectorRegistry()
        histogram = prometheus_client.Histogram("http_request_duration_seconds", "d", ["route"], registry=registry)
        counter = prometheus_client.Counter("http_requests", "d", ["route", "status"], registry=registry)
        for route in map(str, range(20)):
            histogram.labels(route).observe(0.01)
            counter.labels(route, "200").inc()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(prometheus_client.generate_latest(registry))

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def _target() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(url, timeout=1.0).json()["status"] == "ok":
                return
            time.sleep(0.02)
        except httpx2.HTTPError:
            time.sleep(0.02)
    raise SystemExit("bench: the service did not come up")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
