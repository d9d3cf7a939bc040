"""Price feeds: a seeded synthetic market, and a replay of a user's own OHLCV files.

The synthetic market is a pure function of (seed, symbol, hour): a process started at any market time sees the same
bars. The log price is a slow drift in regimes, a daily session pattern, and mean-reverting noise.
"""

from __future__ import annotations

import csv
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import numpy as np

from . import calendar
from .symbols import Instrument, lookup

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
BLOCK = 256
REVERSION = 0.25
MEMORY = 12
PATTERN = 1.6
BLOCKS_KEPT = 64


@dataclass(frozen=True)
class Bars:
    """Hourly bars, oldest first. ``hours`` count from EPOCH; a bar is complete at ``hour + 1``."""

    hours: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray

    @property
    def last_end(self) -> datetime:
        """When the newest bar was complete."""
        return EPOCH + timedelta(hours=int(self.hours[-1]) + 1)


class Feed(Protocol):
    """Where bars come from."""

    def bars(self, symbol: str, until: datetime, count: int) -> Bars:
        """The newest ``count`` complete bars at market time ``until``."""
        ...


def hour_of(moment: datetime) -> int:
    """Whole hours since EPOCH."""
    return int((moment - EPOCH) / timedelta(hours=1))


def time_of(hour: int) -> datetime:
    """The start of an hour."""
    return EPOCH + timedelta(hours=int(hour))


class SyntheticFeed:
    """The seeded synthetic market."""

    def __init__(self, seed: int, timezone: str) -> None:
        self._seed, self._timezone = seed, timezone
        self._blocks: OrderedDict[tuple[str, int], np.ndarray] = OrderedDict()
        self._hours: OrderedDict[int, np.ndarray] = OrderedDict()

    def bars(self, symbol: str, until: datetime, count: int) -> Bars:
        """The newest ``count`` complete bars at market time ``until``."""
        instrument = lookup(symbol)
        last = hour_of(until) - 1
        hours = np.arange(last - count + 1, last + 1)
        columns = self._columns(instrument, hours)
        return Bars(hours, *columns)

    def _columns(self, instrument: Instrument, hours: np.ndarray) -> list[np.ndarray]:
        first, last = int(hours[0]) // BLOCK, int(hours[-1]) // BLOCK
        table = np.concatenate([self._block(instrument, number) for number in range(first, last + 1)], axis=1)
        start = int(hours[0]) - first * BLOCK
        return list(table[:, start : start + len(hours)])

    def _block(self, instrument: Instrument, number: int) -> np.ndarray:
        key = (instrument.symbol, number)
        if key not in self._blocks:
            self._blocks[key] = self._make(instrument, number)
            if len(self._blocks) > BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        return self._blocks[key]

    def _make(self, instrument: Instrument, number: int) -> np.ndarray:
        hours = np.arange(number * BLOCK - 1, (number + 1) * BLOCK)
        level = self._log_price(instrument, number, hours)
        close, opened = np.exp(level[1:]), np.exp(level[:-1])
        noise = self._noise(instrument, number, "range")[: 2 * BLOCK].reshape(2, BLOCK)
        reach = instrument.volatility * np.abs(noise) * close
        activity = self._activity(instrument, hours[1:])
        volume = np.round(1e5 * activity * np.exp(0.3 * noise[0]))
        top, bottom = np.maximum(opened, close) + reach[0], np.minimum(opened, close) - reach[1]
        return np.stack([opened, top, bottom, close, volume])

    def _log_price(self, instrument: Instrument, number: int, hours: np.ndarray) -> np.ndarray:
        before, here = self._noise(instrument, number - 1, "price"), self._noise(instrument, number, "price")
        noise = np.concatenate([before[:BLOCK], here[:BLOCK]])
        weights = REVERSION ** np.arange(MEMORY)
        reverting = np.convolve(noise, weights)[BLOCK - 1 : 2 * BLOCK]
        phase = self._phase(instrument)
        regime = 0.02 * np.sin(2 * np.pi * hours / 1130 + phase) + 0.01 * np.sin(2 * np.pi * hours / 311 + 2 * phase)
        daily = 2 * np.pi * (self._local_hours(hours) + phase % 3) / 24
        pattern = np.sin(daily) + 0.6 * np.cos(2 * daily)
        return np.log(instrument.price) + regime + instrument.volatility * (reverting + PATTERN * pattern)

    def _local_hours(self, hours: np.ndarray) -> np.ndarray:
        number = int(hours[0])
        if number not in self._hours:
            self._hours[number] = np.array(
                [calendar.local_hour(time_of(int(hour)) + timedelta(hours=1), self._timezone) for hour in hours]
            )
            if len(self._hours) > BLOCKS_KEPT:
                self._hours.popitem(last=False)
        return self._hours[number]

    def _activity(self, instrument: Instrument, hours: np.ndarray) -> np.ndarray:
        shares = {calendar.REGULAR: 1.0, calendar.EXTENDED: 0.2, calendar.OVERNIGHT: 0.02}
        if not instrument.quiet_overnight:
            return np.ones(len(hours))
        names = [calendar.session(time_of(int(hour)), self._timezone) for hour in hours]
        activity = np.array([shares[name] for name in names])
        thin = instrument.price < 5
        return np.where(thin & (activity < 0.1), 0.0, activity)

    def _noise(self, instrument: Instrument, number: int, purpose: str) -> np.ndarray:
        return np.random.default_rng(self._digest(instrument, f"{number}:{purpose}")).standard_normal(2 * BLOCK)

    def _phase(self, instrument: Instrument) -> float:
        return self._digest(instrument, "phase") % 628 / 100

    def _digest(self, instrument: Instrument, text: str) -> int:
        name = f"{self._seed}:{instrument.symbol}:{text}".encode()
        return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")


class CsvFeed:
    """Replays OHLCV files: one ``SYMBOL.csv`` each, columns timestamp,open,high,low,close,volume, hourly."""

    def __init__(self, folder: Path) -> None:
        self._bars = {path.stem.upper(): _read(path) for path in sorted(folder.glob("*.csv"))}
        if not self._bars:
            raise ValueError(f"MP_CSV: no .csv file in {folder}")

    def bars(self, symbol: str, until: datetime, count: int) -> Bars:
        """The newest ``count`` complete bars at market time ``until``. Raises LookupError when there are too few."""
        known = self._bars.get(symbol.upper())
        if known is None:
            raise LookupError(f"no file for {symbol}")
        end = int(np.searchsorted(known.hours, hour_of(until) - 1, side="right"))
        if end < count:
            raise LookupError(f"{symbol}: {end} bars before {until.isoformat()}, {count} are needed")
        part = slice(end - count, end)
        return Bars(*(getattr(known, name)[part] for name in ("hours", "open", "high", "low", "close", "volume")))


def _read(path: Path) -> Bars:
    with path.open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["timestamp"])
    moments = [datetime.fromisoformat(row["timestamp"].replace("Z", "+00:00")) for row in rows]
    hours = np.array([hour_of(moment) for moment in moments])
    columns = [np.array([float(row[name]) for row in rows]) for name in ("open", "high", "low", "close", "volume")]
    return Bars(hours, *columns)
