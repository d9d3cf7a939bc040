"""Every prediction that was served, kept in SQLite, newest 50,000."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import astuple, dataclass, fields
from pathlib import Path

MOST_ROWS = 50_000
TRIM_EVERY = 1_000


@dataclass(frozen=True)
class Prediction:
    """One served prediction. ``target_hour`` counts hours since the feed's epoch; prices in dollars."""

    id: str
    as_of: str
    symbol: str
    horizon: int
    release: str
    model_version: str
    feature_hash: str
    data_snapshot: str
    value: float
    naive: float
    target_hour: int
    method: str


class Journal:
    """An append-only table in ``state_dir/predictions.sqlite``."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(state_dir / "predictions.sqlite", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        columns = ", ".join(field.name for field in fields(Prediction))
        self._db.execute(f"CREATE TABLE IF NOT EXISTS predictions ({columns})")
        self._insert = f"INSERT INTO predictions VALUES ({','.join('?' * len(fields(Prediction)))})"
        self._count = 0
        self._lock = threading.Lock()

    def add(self, prediction: Prediction) -> None:
        """Record one prediction."""
        with self._lock:
            self._db.execute(self._insert, astuple(prediction))
            self._count += 1
            full = self._count % TRIM_EVERY == 0
        if full:
            self.trim()

    def trim(self) -> None:
        """Forget all but the newest rows."""
        with self._lock:
            self._db.execute(
                "DELETE FROM predictions WHERE rowid < (SELECT max(rowid) FROM predictions) - ?", (MOST_ROWS,)
            )

    def newest(self, count: int) -> list[Prediction]:
        """The newest predictions, oldest first."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM predictions ORDER BY rowid DESC LIMIT ?", (count,)).fetchall()
        return [Prediction(*row) for row in reversed(rows)]

    def of(self, symbol: str, count: int) -> list[Prediction]:
        """The newest predictions of one symbol, oldest first."""
        query = "SELECT * FROM predictions WHERE symbol = ? ORDER BY rowid DESC LIMIT ?"
        with self._lock:
            rows = self._db.execute(query, (symbol, count)).fetchall()
        return [Prediction(*row) for row in reversed(rows)]

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()
