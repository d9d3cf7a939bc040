"""Share splits: bars from before a split are told in today's shares, so that its day is no jump."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from .feed import Bars, Feed, hour_of

SHIPPED = Path(__file__).parent / "splits.json"


@dataclass(frozen=True)
class Split:
    """From ``hour`` on (since EPOCH) one old share is ``ratio`` new ones."""

    hour: int
    ratio: float


def load(path: Path = SHIPPED) -> dict[str, list[Split]]:
    """The splits by symbol. Raises ValueError for a ratio that is not above 0."""
    found: dict[str, list[Split]] = {}
    for entry in json.loads(path.read_text()):
        if not entry["ratio"] > 0:
            raise ValueError(f"{path.name}: {entry['symbol']}: ratio must be above 0, not {entry['ratio']}")
        hour = hour_of(datetime.fromisoformat(entry["date"]).replace(tzinfo=UTC))
        found.setdefault(entry["symbol"], []).append(Split(hour, float(entry["ratio"])))
    return found


def adjust(bars: Bars, splits: list[Split]) -> Bars:
    """Divide prices before each split by its ratio, and multiply their volumes."""
    for split in splits:
        if len(bars.hours) == 0 or bars.hours[0] >= split.hour:
            continue
        ratio = np.where(bars.hours < split.hour, split.ratio, 1.0)
        prices = (bars.open / ratio, bars.high / ratio, bars.low / ratio, bars.close / ratio)
        bars = Bars(bars.hours, *prices, bars.volume * ratio)
    return bars


class AdjustedFeed:
    """Another feed's bars in today's shares."""

    def __init__(self, feed: Feed, splits: dict[str, list[Split]]) -> None:
        self._feed, self._splits = feed, splits
        self.symbols, self.name, self.target_hour = feed.symbols, feed.name, feed.target_hour

    def bars(self, symbol: str, until: datetime, count: int, least: int | None = None) -> Bars:
        """The newest complete bars of the other feed, adjusted. Raises what it raises."""
        bars = self._feed.bars(symbol, until, count, least)
        splits = self._splits.get(symbol)
        return adjust(bars, splits) if splits else bars
