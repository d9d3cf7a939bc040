"""Loopback ports, socket files, and whether somebody answers."""

from __future__ import annotations

import itertools
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import Final, Self

import httpx2

SHORT: Final = "short"  # in a run's folder: a link to its short place elsewhere, where it needs one
_SHORT_PREFIX: Final = "mpa-demo-"
_LONGEST_SOCKET: Final = 90  # bytes of a unix socket's path, less the pid that the supervisor appends at first
_LOWEST: Final = 20_000
_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LEAST: Final = 1000  # ports to choose from; where the system's own range leaves fewer, they are taken from it


def answers(url: str) -> bool:
    """Whether a GET of ``url`` is answered with 200."""
    try:
        return httpx2.get(url, timeout=2.0).status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False


class HeldPorts:
    """Loopback ports that nobody uses now, all different, and that no other holder gets until `close`.

    They lie below the range that the system gives to connections, so that none of these takes one while its server
    restarts. Each is held by a socket of its name in the abstract namespace, which ends with this process, however that
    ends.
    """

    def __init__(self, count: int) -> None:
        self._locks: list[socket.socket] = []
        self.numbers: list[int] = []
        for port in _candidates():
            if len(self.numbers) == count:
                return
            self._try(port)
        self.close()
        raise OSError(f"there are no {count} free ports on 127.0.0.1")

    def _try(self, port: int) -> None:
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0mpa-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()  # in use, or held by another
            return
        self._locks.append(lock)
        self.numbers.append(port)

    def close(self) -> None:
        """Let go of them."""
        for lock in self._locks:
            lock.close()

    def __enter__(self) -> Self:
        """The ports themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of them."""
        self.close()


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody uses now, all different; for who starts servers on them at once."""
    with HeldPorts(count) as held:
        return held.numbers


def _candidates() -> list[int]:
    """The ports to try, from a random one on, each once."""
    first = int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    ports = range(_LOWEST, first) if first - _LOWEST >= _LEAST else range(_LOWEST, 2**16)
    start = random.randrange(len(ports))
    return list(itertools.chain(ports[start:], ports[:start]))


def socket_file(folder: Path) -> Path:
    """Where the supervisor's socket goes: beside the run, or in a short place when that path is too long for one.

    A short place is linked from the run's folder, so that it is removed with it.
    """
    path = folder / "supervisor.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET:
        return path
    short = Path(tempfile.mkdtemp(prefix=_SHORT_PREFIX))
    (folder / SHORT).symlink_to(short)
    return short / "s.sock"


def is_short(path: Path) -> bool:
    """Whether a path can be a short place: what a run links may be anything."""
    return path.name.startswith(_SHORT_PREFIX) and path.is_dir() and not path.is_symlink()
