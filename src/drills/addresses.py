"""Loopback ports, socket files, and whether somebody answers."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import Final

import httpx2

_LONGEST_SOCKET: Final = 90  # bytes of a unix socket's path, less the pid that the supervisor appends at first


def answers(url: str) -> bool:
    """Whether a GET of ``url`` is answered with 200."""
    try:
        return httpx2.get(url, timeout=2.0).status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody uses now, all different."""
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in held]
    finally:
        for each in held:
            each.close()


def socket_file(folder: Path) -> Path:
    """Where the supervisor's socket goes: beside the run, or in a short place when that path is too long for one."""
    path = folder / "supervisor.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET:
        return path
    return Path(tempfile.mkdtemp(prefix="mpa-demo-")) / "s.sock"
