"""What a running service costs, read from outside at intervals."""

from __future__ import annotations

import os
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from statistics import median

import httpx2

from durable.service_process import Rows, Service

TABLES = ("incidents", "documents", "episodes", "deliveries", "approvals", "effects", "audit")
MIB = 2**20
MOST_RSS, RSS_GROWTH, MOST_WAL = 220.0, 15.0, 16.0  # MiB
STEADY = 8  # descriptors or threads that come and go with the work at hand
HEALTH_SECONDS = 1.0


@dataclass(frozen=True)
class Sample:
    """One look: ``seconds`` since the first; sizes in MiB; ``health`` is its answer time in seconds."""

    seconds: float
    rss: float
    fds: int
    threads: int
    health: float
    agent_db: float
    agent_wal: float
    durable_db: float
    durable_wal: float
    log: float
    incidents: int
    audit: int
    deliveries: int


class Figures:
    """Samples of one service."""

    def __init__(self, service: Service, rows: Rows) -> None:
        self._service, self._rows = service, rows
        self._began, self._next = time.monotonic(), 0.0
        self.samples: list[Sample] = []

    def take(self, *, every: float) -> None:
        """Look, unless the last look was less than ``every`` seconds ago."""
        now = time.monotonic()
        if now < self._next and every:
            return
        self._next = now + every
        self.samples.append(self._look(now - self._began))

    def tables(self) -> dict[str, int]:
        """Rows of every table."""
        return {name: self._rows.ask(f"SELECT count(*) FROM {name}")[0][0] for name in TABLES}  # noqa: S608 - our names

    def table(self) -> str:
        """All samples, a line each."""
        names = [field.name for field in fields(Sample)]
        rows = [
            [f"{value:.3f}" if isinstance(value, float) else str(value) for value in astuple(s)] for s in self.samples
        ]
        return "\n".join("".join(f"{cell:>12}" for cell in row) for row in [names, *rows])

    def check(self) -> None:
        """What must hold: bounded memory, descriptors, threads and logs of changes, and quick answers."""
        third = len(self.samples) // 3
        middle, last = self.samples[third : 2 * third], self.samples[2 * third :]
        assert max(s.rss for s in self.samples) < MOST_RSS
        assert median(s.rss for s in last) - median(s.rss for s in middle) < RSS_GROWTH
        for count in ("fds", "threads"):
            assert max(getattr(s, count) for s in last) <= max(getattr(s, count) for s in middle) + STEADY, count
        assert max(s.health for s in self.samples) < HEALTH_SECONDS
        assert max(max(s.agent_wal, s.durable_wal) for s in self.samples) < MOST_WAL

    def _look(self, seconds: float) -> Sample:
        process, state = Path(f"/proc/{self._service.pid}"), self._service.state
        began = time.monotonic()
        answer = httpx2.get(f"{self._service.door.url}/health", timeout=10)
        health = time.monotonic() - began
        assert answer.status_code == httpx2.codes.OK
        counts = self.tables()
        return Sample(
            seconds=seconds,
            rss=int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB,
            fds=len(list((process / "fd").iterdir())),
            threads=len(list((process / "task").iterdir())),
            health=health,
            agent_db=_size(state / "agent.db"),
            agent_wal=_size(state / "agent.db-wal"),
            durable_db=_size(state / "durable.sqlite"),
            durable_wal=_size(state / "durable.sqlite-wal"),
            log=_size(self._service.folder / "agent.log"),
            incidents=counts["incidents"],
            audit=counts["audit"],
            deliveries=counts["deliveries"],
        )


def _size(path: Path) -> float:
    return path.stat().st_size / MIB if path.exists() else 0.0
