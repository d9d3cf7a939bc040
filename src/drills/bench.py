"""``make bench``: what the agent costs by itself, as ratios to its limits, in one run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import httpx2

from .stage import PROJECT, free_ports

HEALTHY_SECONDS: Final = 3.0
RESIDENT_MIB: Final = 150.0
IDLE_SHARE: Final = 0.03
WATCHED_SECONDS: Final = 20.0


def main() -> None:
    """Start the service on a fresh state folder and print one row a figure."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        port = free_ports(1)[0]
        env = {**os.environ, "PYTHONPATH": str(PROJECT / "src"), "MPA_STATE": folder, "API_PORT": str(port)}
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
            idle = (_cpu(process.pid) - before) / WATCHED_SECONDS
            resident = _resident(process.pid)
        finally:
            process.terminate()
            process.wait(timeout=20)
    for name, value, limit in (
        ("healthy after, s", healthy, HEALTHY_SECONDS),
        ("resident, MiB", resident, RESIDENT_MIB),
        ("share of a core when idle", idle, IDLE_SHARE),
    ):
        sys.stdout.write(f"{name:28} {value:8.3f}  limit {limit:8.3f}  ratio {value / limit:5.2f}\n")


def _until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(url, timeout=1.0).status_code == httpx2.codes.OK:
                return
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
