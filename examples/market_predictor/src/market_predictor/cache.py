"""Keeps the exchange's bars: every symbol's newest window until the next market hour begins, and some older answers.

When the exchange fails, the newest window is served on while its bars are young enough; `FeedUnavailable` after that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from .feed import Bars, FeedUnavailable, TooFewBars, hour_of
from .vendor import VendorFeed

WINDOW = 72  # what one prediction needs, see features.py
MOST_SYMBOLS = 64
MOST_OLDER = 256
RETRY_SECONDS = 0.5

logger = logging.getLogger("market_predictor.cache")


@dataclass(frozen=True)
class _Window:
    """What the exchange gave when it was ``asked`` for so many bars that end before hour ``end``."""

    bars: Bars
    end: int
    asked: int

    def part(self, end: int, count: int) -> Bars | None:
        """The newest ``count`` bars before ``end``; None when this window cannot know them all."""
        if end > self.end:
            return None
        stop = int(np.searchsorted(self.bars.hours, end))
        if stop < count and not (end == self.end and self.asked >= count):
            return None
        return _cut(self.bars, stop, count)


class CachedFeed:
    """The vendor's bars, asked for as seldom as can be. ``grace`` is in market hours."""

    def __init__(self, vendor: VendorFeed, grace: int) -> None:
        self.vendor, self._grace = vendor, grace
        self._lock = threading.Lock()
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._older: OrderedDict[tuple[str, int, int], Bars] = OrderedDict()
        self._asking: dict[str, threading.Lock] = {}
        self._failed: dict[str, tuple[float, FeedUnavailable]] = {}
        self.symbols, self.name, self.target_hour = vendor.symbols, vendor.name, vendor.target_hour

    def bars(self, symbol: str, until: datetime, count: int, least: int | None = None) -> Bars:
        """The newest ``count`` complete bars, or ``least`` at least. Raises FeedUnavailable or TooFewBars."""
        name, end = self.name(symbol), hour_of(until)
        found = self._kept(name, end, count)
        if found is None:
            # One thread asks for a symbol; those that waited for it find what it got.
            with self._asking_for(name):
                found = self._kept(name, end, count)
                if found is None:
                    found = self._ask(name, until, count)
        if len(found.hours) < max(needed := count if least is None else least, 1):
            raise TooFewBars(f"{name}: {len(found.hours)} bars at market time {until.isoformat()}, {needed} are needed")
        return found

    def warm(self, now: datetime) -> None:
        """Have every symbol's newest window. Raises FeedUnavailable when one cannot be had, after all were tried."""
        problem: FeedUnavailable | None = None
        for symbol in self.symbols():
            try:
                self.bars(symbol, now, WINDOW, 0)
            except FeedUnavailable as error:
                problem = error
            except TooFewBars as error:
                logger.info("exchange: %s", error)
        if problem is not None:
            raise problem

    def state(self) -> dict[str, Any]:
        """What /status says about the exchange."""
        with self._lock:
            kept, failing = sorted(self._windows), sorted(self._failed)
        return {"url": self.vendor.url, "cached": kept, "failing": failing, "grace_hours": self._grace}

    def _kept(self, name: str, end: int, count: int) -> Bars | None:
        with self._lock:
            window = self._windows.get(name)
            part = window.part(end, count) if window else None
            if part is None and (name, end, count) in self._older:
                self._older.move_to_end((name, end, count))
                part = self._older[name, end, count]
            return part

    def _asking_for(self, name: str) -> threading.Lock:
        with self._lock:
            return self._asking.setdefault(name, threading.Lock())

    def _ask(self, name: str, until: datetime, count: int) -> Bars:
        end, asked = hour_of(until), max(count, WINDOW)
        try:
            self._pause_after_failure(name)
            bars = self.vendor.bars(name, until, asked, 1)
        except FeedUnavailable as error:
            return self._graced(name, end, count, error)
        with self._lock:
            self._failed.pop(name, None)
            self._keep(name, _Window(bars, end, asked), count)
        return _cut(bars, len(bars.hours), count)

    def _keep(self, name: str, window: _Window, count: int) -> None:
        known = self._windows.get(name)
        if known is not None and known.end > window.end:
            self._older[name, window.end, count] = _cut(window.bars, len(window.bars.hours), count)
            while len(self._older) > MOST_OLDER:
                self._older.popitem(last=False)
            return
        self._windows[name] = window
        self._windows.move_to_end(name)
        while len(self._windows) > MOST_SYMBOLS:
            self._windows.popitem(last=False)

    def _pause_after_failure(self, name: str) -> None:
        """Raise the last failure again while it is young: not every request shall wait for a timeout of its own."""
        with self._lock:
            when, error = self._failed.get(name, (0.0, None))
        if error is not None and time.monotonic() - when < RETRY_SECONDS:
            raise FeedUnavailable(str(error))

    def _graced(self, name: str, end: int, count: int, error: FeedUnavailable) -> Bars:
        with self._lock:
            when, _ = self._failed.get(name, (0.0, None))
            first = time.monotonic() - when >= RETRY_SECONDS
            if first:
                self._failed[name] = (time.monotonic(), error)
            window = self._windows.get(name)
        age = end - 1 - int(window.bars.hours[-1]) if window else None
        if window is None or age is None or not 0 <= age <= self._grace:
            raise error
        if first:
            logger.warning("exchange: bars of %s that are %d h old are served on: %s", name, age, error)
        return _cut(window.bars, len(window.bars.hours), count)


def _cut(bars: Bars, stop: int, count: int) -> Bars:
    part = slice(max(stop - count, 0), stop)
    return Bars(bars.hours[part], bars.open[part], bars.high[part], bars.low[part], bars.close[part], bars.volume[part])
