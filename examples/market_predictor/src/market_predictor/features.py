"""Features of one prediction: what the bars say at a moment, and what the clock will say at the horizon."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import numpy as np

from . import calendar
from .feed import Bars

BARS_NEEDED = 72
HARMONICS = 3
VOLATILITY_FLOOR = 1e-4


def names() -> tuple[str, ...]:
    """Feature names, in order."""
    waves = [f"{kind}{k}" for k in range(1, HARMONICS + 1) for kind in ("sin", "cos")]
    base = ("return_1", "return_2", "return_3", "deviation_6", "deviation_24", "detrended")
    return (*base, "relative_volume", *(f"season_{wave}" for wave in waves))


def build(bars: Bars, moment: datetime, horizon: int, timezone: str) -> np.ndarray:
    """The feature vector, scaled by recent volatility; ``moment`` is market time, ``horizon`` in hours."""
    level = np.log(bars.close)
    returns = np.diff(level)
    scale = volatility(returns)
    now = bars.last_end
    values = [
        returns[-1],
        returns[-2],
        returns[-3],
        level[-1] - level[-6:].mean(),
        level[-1] - level[-24:].mean(),
        level[-1] - same_hour_mean(level),
    ]
    season = waves(now + timedelta(hours=horizon), timezone) - waves(now, timezone)
    return np.concatenate([np.array(values) / scale, [relative_volume(bars.volume)], season])


def volatility(returns: np.ndarray) -> float:
    """Standard deviation of the last two days' hourly log returns, never below a floor."""
    return max(float(returns[-48:].std()), VOLATILITY_FLOOR)


def same_hour_mean(level: np.ndarray) -> float:
    """Mean log price at this hour of the last days."""
    return float(level[-1::-24][:3].mean())


def relative_volume(volume: np.ndarray) -> float:
    """Volume of the last bar against the day's mean, 0 when the day had none."""
    mean = float(volume[-24:].mean())
    return min(float(volume[-1]) / mean, 10.0) if mean > 0 else 0.0


def waves(moment: datetime, timezone: str) -> np.ndarray:
    """The session pattern's basis: sines and cosines of the exchange's hour of the day."""
    angle = 2 * np.pi * calendar.local_hour(moment, timezone) / 24
    return np.array([wave(k * angle) for k in range(1, HARMONICS + 1) for wave in (np.sin, np.cos)])


def digest(features: np.ndarray) -> str:
    """A short hash that names a feature vector."""
    return hashlib.blake2b(np.round(features, 9).tobytes(), digest_size=8).hexdigest()


def snapshot(bars: Bars) -> str:
    """A short hash that names the data a prediction was made from."""
    return hashlib.blake2b(bars.close.tobytes() + bars.volume.tobytes(), digest_size=8).hexdigest()
