"""Price feeds: a seeded synthetic market, and a replay of a user's own OHLCV files.

The synthetic market is a pure function of (seed, symbol, hour): a process started at any market time sees the same
bars. The log price is a slow drift in regimes, a daily session pattern, and mean-reverting noise.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from . import calendar, ohlcv
from .symbols import INSTRUMENTS, Instrument, UnknownSymbol, lookup

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WARM_UP = 480
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


class TooFewBars(LookupError):
    """There are fewer bars at this market time than are needed."""


class FeedUnavailable(Exception):
    """The exchange gives no bars, and none that are young enough are known."""


class Feed(Protocol):
    """Where bars come from."""

    def symbols(self) -> list[str]:
        """The symbols that have bars."""
        ...

    def name(self, symbol: str) -> str:
        """The symbol as the feed calls it. Raises UnknownSymbol."""
        ...

    def bars(self, symbol: str, until: datetime, count: int, least: int | None = None) -> Bars:
        """The newest ``count`` complete bars at market time ``until``, or ``least`` at least. Raises TooFewBars."""
        ...

    def target_hour(self, symbol: str, hour: int, horizon: int) -> int:
        """The hour of the bar that comes ``horizon`` bars after the one of ``hour``."""
        ...


def hour_of(moment: datetime) -> int:
    """Whole hours since EPOCH, rounded down before it, too."""
    return (moment - EPOCH) // HOUR


def time_of(hour: int) -> datetime:
    """The start of an hour."""
    return EPOCH + timedelta(hours=int(hour))


class SyntheticFeed:
    """The seeded synthetic market."""

    def __init__(self, seed: int, timezone: str) -> None:
        self._seed, self._timezone = seed, timezone
        self._blocks: OrderedDict[tuple[str, int], np.ndarray] = OrderedDict()
        self._hours: OrderedDict[int, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def symbols(self) -> list[str]:
        """What the desk follows."""
        return sorted(INSTRUMENTS)

    def name(self, symbol: str) -> str:
        """The desk's symbol. Raises UnknownSymbol."""
        return lookup(symbol).symbol

    def target_hour(self, symbol: str, hour: int, horizon: int) -> int:
        """The hour ``horizon`` hours later: this market never rests."""
        return hour + horizon

    def bars(self, symbol: str, until: datetime, count: int, least: int | None = None) -> Bars:
        """The newest ``count`` complete bars at market time ``until``; there are always enough."""
        instrument = lookup(symbol)
        last = hour_of(until) - 1
        hours = np.arange(last - count + 1, last + 1)
        with self._lock:  # the scheduler reads beside the requests
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
    """Replays a user's own hourly OHLCV files, see ohlcv.py. Nights, weekends and other holes are no bars."""

    def __init__(self, folder: Path) -> None:
        self._bars = {symbol: _hourly(path) for symbol, path in ohlcv.files(folder).items()}
        first = min(int(bars.hours[0]) for bars in self._bars.values())
        self.id = hashlib.blake2b(f"{folder.resolve()}|{first}".encode(), digest_size=6).hexdigest()

    def symbols(self) -> list[str]:
        """The symbols that have bars."""
        return list(self._bars)

    def name(self, symbol: str) -> str:
        """The symbol as its file tells it, whatever its case. Raises UnknownSymbol."""
        name = symbol.strip().upper()
        if name not in self._bars:
            raise UnknownSymbol(symbol)
        return name

    def bars(self, symbol: str, until: datetime, count: int, least: int | None = None) -> Bars:
        """The newest ``count`` complete bars at market time ``until``, or ``least`` at least. Raises TooFewBars."""
        name = self.name(symbol)
        known = self._bars[name]
        end = int(np.searchsorted(known.hours, hour_of(until) - 1, side="right"))
        if end < (needed := count if least is None else least):
            raise TooFewBars(f"{name}: {end} bars at market time {until.isoformat()}, {needed} are needed")
        part = slice(max(end - count, 0), end)
        return Bars(*(getattr(known, column)[part] for column in ("hours", "open", "high", "low", "close", "volume")))

    def target_hour(self, symbol: str, hour: int, horizon: int) -> int:
        """The hour of the bar that comes ``horizon`` bars after ``hour``; behind the last bar hours are counted on."""
        hours = self._bars[symbol].hours
        index = int(np.searchsorted(hours, hour)) + horizon
        return int(hours[index]) if index < len(hours) else int(hours[-1]) + index - len(hours) + 1

    def end(self, symbol: str | None = None) -> datetime:
        """When the last bar of a symbol's file (or of all files) is complete."""
        known = self._bars.values() if symbol is None else [self._bars[symbol]]
        return max(bars.last_end for bars in known)

    def first(self) -> datetime:
        """When the oldest bar began."""
        return time_of(min(int(bars.hours[0]) for bars in self._bars.values()))

    def start(self) -> datetime:
        """Where a replay starts: after the warm-up of as many files as are ready in the first half of the data."""
        ready = [time_of(bars.hours[_warm_up(len(bars.hours)) - 1]) + HOUR for bars in self._bars.values()]
        half = self.first() + (min(bars.last_end for bars in self._bars.values()) - self.first()) / 2
        return max((moment for moment in ready if moment <= half), default=min(ready))


def _warm_up(count: int) -> int:
    return min(WARM_UP, count - count // 4)


def _hourly(path: Path) -> Bars:
    """A bar lasts an hour, or until the next one begins. It belongs to the hour in which it ends: nobody looks ahead."""
    rows = ohlcv.read(path)
    begins = [moment for _, moment, _ in rows]
    step = min((after - before for before, after in pairwise(begins)), default=HOUR)
    if step > HOUR:
        raise ValueError(f"{path.name}: hourly bars are needed, the closest ones here are {step} apart")
    ends = [min(begin + HOUR, after) for begin, after in zip(begins, [*begins[1:], begins[-1] + HOUR], strict=True)]
    hours = np.array([-((EPOCH - end) // HOUR) - 1 for end in ends])
    for index in np.flatnonzero(np.diff(hours) == 0)[:1] + 1:
        at = begins[index].isoformat()
        raise ValueError(f"{path.name} line {rows[index][0]}: hourly bars are needed, {at} is the second one in its hour")
    return Bars(hours, *np.array([values for _, _, values in rows]).T.copy())
