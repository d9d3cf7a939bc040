"""From a request to a recorded prediction: bars, features, model, journal."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from . import features, providers
from .clock import FIRST_MARKET_TIME, MarketClock
from .drift import Drift
from .feed import HOUR, CsvFeed, Feed, SyntheticFeed, TooFewBars, hour_of
from .journal import Journal, Prediction
from .model import MAX_HORIZON, HorizonUnavailable, Model, NotTrained
from .quarantine import Quarantine
from .registry import Registry
from .scoring import Scorer
from .settings import Settings


@dataclass(frozen=True)
class Forecast:
    """What the model says: ``value`` and ``naive`` in dollars; ``model`` is False when it could say nothing."""

    value: float
    naive: float
    feature_hash: str
    data_snapshot: str
    last_end: datetime
    model: bool = True


class Predictor:
    """Holds the service's state. A replay keeps its own in a folder of the state folder: other data, other state."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.replayed = CsvFeed(settings.csv) if settings.csv else None
        self.exchange = providers.exchange(settings)
        market = self.exchange or SyntheticFeed(settings.seed, settings.timezone)
        self.feed: Feed = self.replayed or providers.adjusted(market)
        state = settings.state_dir / f"csv-{self.replayed.id}" if self.replayed else settings.state_dir
        first = self.replayed.start() if self.replayed else FIRST_MARKET_TIME
        self.clock = MarketClock.open(settings.hours_per_second, settings.market_start, state, first)
        self.registry = Registry(state)
        self.journal = Journal(state)
        self.scorer = Scorer(self.feed, settings.scored_window)
        self.quarantine = Quarantine()
        self.model: Model = self._own_model() if self.replayed else self.registry.serving()
        self.drift = Drift(self.model.reference)
        self.last_bar_end: datetime | None = None

    def replay_environment(self) -> dict[str, str]:
        """The environment that brings a process back to this moment.

        The exchange is not in it: where requests are replayed there is no network, and the synthetic market of the
        same seed has the same bars.
        """
        data = {"MP_CSV": str(self.settings.csv.resolve())} if self.settings.csv else {}
        return {
            **data,
            "MP_SEED": str(self.settings.seed),
            "MP_MARKET_START": self.clock.now().isoformat(),
            "MP_HOURS_PER_SECOND": "0",
        }

    def predict(self, symbol: str, horizon: int) -> Prediction:
        """Predict, record and expect to score. Raises UnknownSymbol, HorizonUnavailable or TooFewBars (none at all)."""
        name = self.feed.name(symbol)
        if not 1 <= horizon <= MAX_HORIZON:
            raise HorizonUnavailable(f"horizon must be 1..{MAX_HORIZON} hours, not {horizon}")
        now = self.clock.now()
        forecast = self._forecast_or_last(name, horizon, now)
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
            target_hour=self.feed.target_hour(name, hour_of(forecast.last_end) - 1, horizon),
            method="naive" if naive else "model" if forecast.model else "fallback",
        )
        self.journal.add(prediction)
        self.scorer.expect(prediction)
        return prediction

    def _forecast_or_last(self, symbol: str, horizon: int, now: datetime) -> Forecast:
        try:
            return self._forecast(symbol, horizon, now)
        except (NotTrained, TooFewBars):
            bars = self.feed.bars(symbol, now, features.BARS_NEEDED, 1)
            self.last_bar_end, last = bars.last_end, float(bars.close[-1])
            return Forecast(last, last, "", features.snapshot(bars), bars.last_end, model=False)

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
        """The symbols that have bars."""
        return self.feed.symbols()

    def about_feed(self) -> dict[str, Any]:
        """Where bars come from: ``kind`` is synthetic, csv or exchange."""
        if self.exchange is not None:
            return {"kind": "exchange", **self.exchange.state()}
        return {"kind": "csv" if self.replayed else "synthetic"}

    def settle(self) -> None:
        """Score what is due, for who reads the score now. With an exchange the scheduler alone does: nobody waits for it."""
        if self.exchange is None:
            self.scorer.settle(self.clock.now())

    def close(self) -> None:
        """Close the journal and the connections."""
        self.journal.close()
        if self.exchange is not None:
            self.exchange.vendor.close()

    def serve(self, model: Model) -> None:
        """Serve with a model from now on; drift is measured against what it was trained on."""
        self.model, self.drift = model, Drift(model.reference)

    def _own_model(self) -> Model:
        """The promoted model, or one trained on the user's data before now: the shipped one knows other data."""
        from .training import RETRAIN_HOURS, train, untrained

        now = self.clock.now()
        try:
            return self.registry.promoted() or train(
                self.feed, now, f"s{now:%Y%m%d%H%M}", self.settings.timezone, RETRAIN_HOURS
            )
        except TooFewBars:
            return untrained(now)

    def replay(self) -> dict[str, str | bool] | None:
        """Where the user's data lies and whether market time has left it; None for the synthetic market."""
        if self.replayed is None:
            return None
        first, end = self.replayed.first(), self.replayed.end()
        return {"from": first.isoformat(), "until": end.isoformat(), "ended": self.clock.now() >= end + HOUR}

    def about_replay(self) -> list[str]:
        """What to log at start about the user's data."""
        data = self.replay()
        if data is None:
            return []
        state = f"market time is {self.clock.now().isoformat()}" + (", the data has ended" if data["ended"] else "")
        lines = [f"replaying {', '.join(self.symbols())}: {data['from']} to {data['until']}; {state}"]
        missing = [symbol for symbol in self.symbols() if symbol not in self.model.coefficients]
        return [*lines, f"too little data to train on, naive forecast for: {', '.join(missing)}"] if missing else lines

    def note(self, prediction: Prediction) -> str | None:
        """What a client should know about a prediction; None when it is as usual."""
        notes = []
        if prediction.method == "fallback":
            notes.append(f"naive forecast: {self._why_no_model(prediction.symbol)}")
        if self.replayed and datetime.fromisoformat(prediction.as_of) >= (end := self.replayed.end(prediction.symbol)) + HOUR:
            notes.append(f"the data of {prediction.symbol} ended at {end.isoformat()}, this starts from its last bar")
        return "; ".join(notes) or None

    def _why_no_model(self, symbol: str) -> str:
        if symbol not in self.model.coefficients:
            return f"model {self.model.version} was not trained on {symbol}, which had too little data; see POST /retrain"
        return f"{symbol} has less than {features.BARS_NEEDED} bars so far"
