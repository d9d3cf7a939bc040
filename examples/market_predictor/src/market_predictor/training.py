"""Training. Run ``python -m market_predictor.training OUT.json`` to make the artefact that is shipped."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from . import features
from .feed import EPOCH, Bars, Feed, SyntheticFeed, TooFewBars
from .model import MAX_HORIZON, Model, save

HOURS = 1500
RETRAIN_HOURS = 400
LEAST_HOURS = 168
PENALTY = 3.0


def train(feed: Feed, until: datetime, version: str, timezone: str, hours: int = HOURS) -> Model:
    """Fit one ridge regression per symbol and horizon on the ``hours`` bars before ``until`` (market time).

    Symbols that have not even ``LEAST_HOURS`` are left out. Raises TooFewBars when that leaves none.
    """
    from sklearn.linear_model import Ridge

    coefficients: dict[str, dict[str, list[float]]] = {}
    seen: list[np.ndarray] = []
    short: list[str] = []
    for symbol in feed.symbols():
        try:
            bars = feed.bars(symbol, until, hours + features.BARS_NEEDED, LEAST_HOURS + features.BARS_NEEDED)
        except TooFewBars as error:
            short.append(str(error))
            continue
        coefficients[symbol] = {}
        for horizon in range(1, MAX_HORIZON + 1):
            rows, targets = _examples(bars, horizon, timezone)
            fitted = Ridge(alpha=PENALTY).fit(rows, targets)
            weights = [float(fitted.intercept_), *map(float, fitted.coef_)]
            coefficients[symbol][str(horizon)] = [round(weight, 6) for weight in weights]
            if horizon == 1:
                seen.append(rows)
    if not seen:
        raise TooFewBars("too little data to train on: " + "; ".join(short))
    table = np.concatenate(seen)
    edges = [np.quantile(column, np.linspace(0, 1, 11)[1:-1]).round(6).tolist() for column in table.T]
    reference = {name: quantiles for name, quantiles in zip(features.names(), edges, strict=True) if "season" not in name}
    return Model(version, until.isoformat(), features.names(), coefficients, reference)


def untrained(until: datetime) -> Model:
    """A model that knows no symbol: the naive forecast is served."""
    return Model("untrained", until.isoformat(), features.names(), {}, {})


def _examples(bars: Bars, horizon: int, timezone: str) -> tuple[np.ndarray, np.ndarray]:
    level = np.log(bars.close)
    rows, targets = [], []
    for end in range(features.BARS_NEEDED, len(level) - horizon, 1 + horizon // 4):
        part = Bars(*(getattr(bars, name)[end - features.BARS_NEEDED : end] for name in _COLUMNS))
        rows.append(features.build(part, part.last_end, horizon, timezone))
        targets.append((level[end - 1 + horizon] - level[end - 1]) / features.volatility(np.diff(np.log(part.close))))
    return np.array(rows), np.array(targets)


_COLUMNS = ("hours", "open", "high", "low", "close", "volume")


def main() -> None:
    """Train on the synthetic market before its first served hour."""
    until = EPOCH + timedelta(days=420)
    model = train(SyntheticFeed(7, "America/New_York"), until.astimezone(UTC), "v1", "America/New_York")
    save(model, Path(sys.argv[1]))


if __name__ == "__main__":
    main()
