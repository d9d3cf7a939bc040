"""What can be wrong with market data: pure functions from the bars of an answer to other bars.

A bar is what the exchange sends: ``hour`` (when it begins, UTC) and open, high, low, close, volume. An order's
``moment`` is the market hour from which on it holds; its ``anchor`` is the close of the last bar before that.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

Bar = dict[str, Any]
Options = Mapping[str, Any]

HOUR: Final = timedelta(hours=1)
PRICES: Final = ("open", "high", "low", "close")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Asked:
    """One request for bars, and what an order needs to know of it; ``nth`` numbers the requests."""

    symbol: str
    until: datetime
    moment: datetime
    nth: int = 0
    anchor: float | None = None


def time_of(text: str) -> datetime:
    """The moment of an ISO 8601 text, UTC. Raises `ValueError`."""
    return datetime.fromisoformat(text).astimezone(UTC)


def stamp(moment: datetime) -> str:
    """A moment as the exchange writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def newest_given(action: str, asked: Asked, options: Options) -> datetime:
    """Until when bars are given: a stale feed ends at its moment, a late one lags ``hours`` behind."""
    if action == "stale":
        return min(asked.until, asked.moment)
    if action == "late":
        return asked.until - float(options.get("hours", 3)) * HOUR
    return asked.until


def changed(action: str, bars: Sequence[Bar], asked: Asked, options: Options) -> list[Bar]:
    """The bars after one fault. Raises `KeyError` for an action that is none of `ACTIONS`."""
    return ACTIONS[action](bars, asked, options)


def _unchanged(bars: Sequence[Bar], _asked: Asked, _options: Options) -> list[Bar]:
    """What a stale or late feed gives is right, only old: see `newest_given`."""
    return list(bars)


def _missing(bars: Sequence[Bar], asked: Asked, options: Options) -> list[Bar]:
    """A ``share`` of the hours has no bar, always the same ones."""
    return [bar for bar in bars if not _chosen(asked.symbol, bar, options, 0.2)]


def _duplicated(bars: Sequence[Bar], _asked: Asked, _options: Options) -> list[Bar]:
    """Each bar comes twice."""
    return [dict(bar) for bar in bars for _ in range(2)]


def _corrupt(bars: Sequence[Bar], asked: Asked, options: Options) -> list[Bar]:
    """A ``share`` of the closes is ``value``: nan (also as text), 0, or a negative number."""
    value = float(options.get("value", "nan"))
    return [{**bar, "close": value} if _chosen(asked.symbol, bar, options, 0.1) else dict(bar) for bar in bars]


def _revised(bars: Sequence[Bar], asked: Asked, options: Options) -> list[Bar]:
    """The prices of the past day are others at each request, by up to ``factor``."""
    most = math.log(float(options.get("factor", 1.01)))

    def revision(bar: Bar) -> float:
        if time_of(bar["hour"]) < asked.until - _DAY:
            return 1.0
        return math.exp(most * random.Random(f"{asked.nth}:{asked.symbol}:{bar['hour']}").uniform(-1, 1))

    return [_scaled(bar, revision(bar)) for bar in bars]


def _units(bars: Sequence[Bar], _asked: Asked, options: Options) -> list[Bar]:
    """All prices come in another unit: ``factor`` 0.01 for what should be cents, say."""
    return [_scaled(bar, float(options.get("factor", 0.01))) for bar in bars]


def _split(bars: Sequence[Bar], asked: Asked, options: Options) -> list[Bar]:
    """From the moment on prices are in new shares, ``ratio`` for an old one; those before it are not adjusted."""
    ratio = float(options.get("ratio", 4))
    return [
        _scaled(bar, 1 / ratio) | {"volume": bar["volume"] * ratio} if _steps(bar, asked) > 0 else dict(bar)
        for bar in bars
    ]


def _halt(bars: Sequence[Bar], asked: Asked, _options: Options) -> list[Bar]:
    """From the moment on nothing is traded: the last price stands."""
    still = {**dict.fromkeys(PRICES, _anchor(asked)), "volume": 0.0}
    return [{**bar, **still} if _steps(bar, asked) > 0 else dict(bar) for bar in bars]


def _regime(bars: Sequence[Bar], asked: Asked, options: Options) -> list[Bar]:
    """From the moment on log returns are multiplied by ``factor`` and get a ``drift`` an hour.

    The sum over hours is closed: price' = anchor * (price / anchor) ** factor * exp(drift * hours). So every request,
    also one for a realised bar alone, sees the same market.
    """
    anchor, factor = _anchor(asked), float(options.get("factor", 2.0))
    drift = float(options.get("drift", 0.0))

    def price(value: float, steps: int) -> float:
        return float(anchor * (value / anchor) ** factor * math.exp(drift * steps))

    def moved(bar: Bar, steps: int) -> Bar:
        opened, close = price(bar["open"], steps - 1), price(bar["close"], steps)
        high = max(opened, close, price(bar["high"], steps))
        return {
            **bar,
            "open": opened,
            "high": high,
            "low": min(opened, close, price(bar["low"], steps)),
            "close": close,
        }

    return [moved(bar, steps) if (steps := _steps(bar, asked)) > 0 else dict(bar) for bar in bars]


ACTIONS: Final[Mapping[str, Callable[[Sequence[Bar], Asked, Options], list[Bar]]]] = {
    "stale": _unchanged,
    "late": _unchanged,
    "missing": _missing,
    "duplicated": _duplicated,
    "corrupt": _corrupt,
    "revised": _revised,
    "units": _units,
    "regime": _regime,
    "halt": _halt,
    "split": _split,
}
ANCHORED: Final = frozenset({"regime", "halt"})


def _steps(bar: Bar, asked: Asked) -> int:
    """How many hours after the moment's anchor a bar is; 0 or less for those before the moment."""
    return (time_of(bar["hour"]) - asked.moment) // HOUR + 1


def _anchor(asked: Asked) -> float:
    if asked.anchor is None:
        raise ValueError(f"{asked.symbol}: the close before {asked.moment.isoformat()} is needed")
    return asked.anchor


def _scaled(bar: Bar, factor: float) -> Bar:
    return {**bar, **{name: bar[name] * factor for name in PRICES}}


def _chosen(symbol: str, bar: Bar, options: Options, usual: float) -> bool:
    return random.Random(f"{symbol}:{bar['hour']}").random() < float(options.get("share", usual))
