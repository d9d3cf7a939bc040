"""From a request to a recorded prediction: bars, features, model, journal."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from . import features
from .clock import MarketClock
from .drift import Drift
from .feed import CsvFeed, Feed, SyntheticFeed, hour_of
from .journal import Journal, Prediction
from .model import MAX_HORIZON, HorizonUnavailable, Model
from .quarantine import Quarantine
from .registry import Registry
from .scoring import Scorer
from .settings import Settings
from .symbols import INSTRUMENTS, lookup


@dataclass(frozen=True)
class Forecast:
    """What the model says: ``value`` and ``naive`` in dollars."""

    value: float
    naive: float
    feature_hash: str
    data_snapshot: str
    last_end: datetime


class Predictor:
    """Holds the service's state."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = MarketClock.open(settings.hours_per_second, settings.market_start, settings.state_dir)
        self.feed: Feed = CsvFeed(settings.csv) if settings.csv else SyntheticFeed(settings.seed, settings.timezone)
        self.registry = Registry(settings.state_dir)
        self.journal = Journal(settings.state_dir)
        self.scorer = Scorer(self.feed, settings.scored_window)
        self.quarantine = Quarantine()
        self.model: Model = self.registry.serving()
        self.drift = Drift(self.model.reference)
        self.last_bar_end: datetime | None = None

    def replay_environment(self) -> dict[str, str]:
        """The environment that brings a process back to this moment."""
        return {
            "MP_SEED": str(self.settings.seed),
            "MP_MARKET_START": self.clock.now().isoformat(),
            "MP_HOURS_PER_SECOND": "0",
        }

    def predict(self, symbol: str, horizon: int) -> Prediction:
        """Predict, record and expect to score. Raises UnknownSymbol or HorizonUnavailable."""
        name = lookup(symbol).symbol
        if not 1 <= horizon <= MAX_HORIZON:
            raise HorizonUnavailable(f"horizon must be 1..{MAX_HORIZON} hours, not {horizon}")
        now = self.clock.now()
        forecast = self._forecast(name, horizon, now)
        naive = self.quarantine.covers(name)
        prediction = Prediction(
            id=uuid.uuid4().hex,
            as_of=now.isoformat(),
            symbol=name,
            horizon=horizon,
            release=self.settings.commit,
            model_version=self.model.version,
            feature_hash=forecast.feature_hash,
            data_snapshot=forecast.data_snapshot,
            value=forecast.naive if naive else forecast.value,
            naive=forecast.naive,
            target_hour=hour_of(forecast.last_end) - 1 + horizon,
            method="naive" if naive else "model",
        )
        self.journal.add(prediction)
        self.scorer.expect(prediction)
        return prediction

    def _forecast(self, symbol: str, horizon: int, now: datetime) -> Forecast:
        bars = self.feed.bars(symbol, now, features.BARS_NEEDED)
        vector = features.build(bars, now, horizon, self.settings.timezone)
        scale = features.volatility(np.diff(np.log(bars.close)))
        change = self.model.predict(symbol, horizon, vector, scale)
        self.drift.add(vector)
        self.last_bar_end = bars.last_end
        last = float(bars.close[-1])
        return Forecast(last * float(np.exp(change)), last, features.digest(vector), features.snapshot(bars), bars.last_end)

    def data_age(self) -> timedelta | None:
        """Market time between now and the newest bar that the pipeline used; None before the first prediction."""
        return None if self.last_bar_end is None else self.clock.now() - self.last_bar_end

    def symbols(self) -> list[str]:
        """What the desk follows."""
        return sorted(INSTRUMENTS)
