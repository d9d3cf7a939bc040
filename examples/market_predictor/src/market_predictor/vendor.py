"""The exchange's bars over HTTP, see exchange.py. Connections are kept alive; one client serves all threads.

The form of an answer is checked: its status, its shape, the right symbol, the order of the hours. The prices in it are
the vendor's word.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import numpy as np

from .feed import Bars, FeedUnavailable, TooFewBars, hour_of, time_of
from .symbols import INSTRUMENTS, lookup

MOST_BARS = 2_000
COLUMNS = ("open", "high", "low", "close", "volume")

logger = logging.getLogger("market_predictor.vendor")


class _Failed(Exception):
    """One request that brought no bars; ``outcome`` is its label in the metrics."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


def _ignored(_outcome: str, _seconds: float) -> None:
    """Nobody counts the requests."""


class VendorFeed:
    """Asks the exchange for every bar. ``observe`` is told the outcome and the seconds of each request."""

    def __init__(self, url: str, timeout: float) -> None:
        self.url, self._timeout = url.rstrip("/"), timeout
        self._client = httpx2.Client(timeout=timeout, trust_env=False)
        self.observe: Callable[[str, float], None] = _ignored

    def symbols(self) -> list[str]:
        """What the desk follows; the exchange has more."""
        return sorted(INSTRUMENTS)

    def name(self, symbol: str) -> str:
        """The desk's symbol. Raises UnknownSymbol."""
        return lookup(symbol).symbol

    def target_hour(self, symbol: str, hour: int, horizon: int) -> int:
        """The hour ``horizon`` hours later: this market never rests."""
        return hour + horizon

    def bars(self, symbol: str, until: datetime, count: int, least: int | None = None) -> Bars:
        """The newest ``count`` complete bars, or ``least`` at least. Raises FeedUnavailable or TooFewBars."""
        name, end, began = self.name(symbol), hour_of(until), time.perf_counter()
        outcome = "ok"
        try:
            bars = self._ask(name, end, min(count, MOST_BARS))
        except _Failed as error:
            outcome = error.outcome
            logger.warning("exchange: no bars of %s: %s", name, error)
            raise FeedUnavailable(f"the exchange gave no bars of {name}: {error}") from error
        finally:
            self.observe(outcome, time.perf_counter() - began)
        if (given := len(bars.hours)) < max(needed := count if least is None else least, 1):
            raise TooFewBars(f"{name}: {given} bars at market time {until.isoformat()}, {needed} are needed")
        return bars

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, name: str, end: int, count: int) -> Bars:
        query = {"symbol": name, "until": f"{time_of(end):%Y-%m-%dT%H:%M:%SZ}", "count": count}
        try:
            response = self._client.get(f"{self.url}/bars", params=query)
        except httpx2.TimeoutException as error:
            raise _Failed("timeout", f"no answer within {self._timeout:g} s") from error
        except httpx2.HTTPError as error:
            raise _Failed("unreachable", str(error) or type(error).__name__) from error
        if response.status_code != httpx2.codes.OK:
            raise _Failed("status", f"HTTP {response.status_code}")
        try:
            return _read(response.json(), name, end, count)
        except (ValueError, TypeError, KeyError) as error:
            raise _Failed("malformed", f"the answer is not what was agreed: {type(error).__name__}: {error}") from error


def _read(answer: Any, name: str, end: int, count: int) -> Bars:
    """Raises ValueError, TypeError or KeyError for an answer of another shape."""
    if not isinstance(answer, dict) or not isinstance(answer["bars"], list):
        raise ValueError("no list of bars")
    if answer["symbol"] != name:
        raise ValueError(f"symbol {str(answer['symbol'])[:40]!r} instead of {name}")
    rows = answer["bars"][-count:]
    hours = np.array([_hour(row["hour"]) for row in rows], dtype=int)
    if (np.diff(hours) < 0).any():
        raise ValueError("the bars are not oldest first")
    if len(hours) and hours[-1] >= end:
        raise ValueError(f"the bar of {rows[-1]['hour']} is not complete yet")
    return Bars(hours, *(np.array([float(row[column]) for row in rows]) for column in COLUMNS))


def _hour(text: str) -> int:
    return hour_of(datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC))
