"""Market time: runs faster than the wall clock, and goes on where it was after a restart."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

FIRST_MARKET_TIME = datetime(2025, 3, 3, 9, tzinfo=UTC)


class MarketClock:
    """``hours_per_second`` market hours pass in one wall second; 0 holds the clock still."""

    def __init__(self, hours_per_second: float, start: datetime, wall: float) -> None:
        self._rate, self._start, self._wall = hours_per_second, start, wall

    @classmethod
    def open(
        cls, hours_per_second: float, start: datetime | None, state_dir: Path, first: datetime = FIRST_MARKET_TIME
    ) -> MarketClock:
        """A clock from an explicit start, or from the anchor in the state folder (made from ``first`` when missing)."""
        if start is not None:
            return cls(hours_per_second, start.astimezone(UTC), time.time())
        anchor = state_dir / "clock.json"
        if not anchor.exists():
            state_dir.mkdir(parents=True, exist_ok=True)
            anchor.write_text(json.dumps({"market": first.isoformat(), "wall": time.time()}))
        kept = json.loads(anchor.read_text())
        return cls(hours_per_second, datetime.fromisoformat(kept["market"]), kept["wall"])

    def now(self) -> datetime:
        """Market time, UTC."""
        return self._start + timedelta(hours=(time.time() - self._wall) * self._rate)
