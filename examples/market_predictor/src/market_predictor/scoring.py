"""Scores predictions once their horizon has passed, against what the market did and against the naive forecast."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from .feed import Feed, FeedUnavailable, TooFewBars, hour_of, time_of
from .journal import Prediction

MOST_PENDING = 5_000
LEAST_SCORED = 20
PATIENCE = 6


@dataclass(frozen=True)
class Score:
    """Rolling errors relative to the price (0.01 is 1%); None until enough predictions are scored."""

    n: int
    mae: float | None
    mae_naive: float | None
    ratio: float | None
    directional_accuracy: float | None
    directional_n: int


class Scorer:
    """Keeps the last ``window`` scored predictions. What has no target bar (a replay ended) is never scored.

    Requests and the scheduler use it side by side; no lock is held while the feed is read, which may take its time.
    """

    def __init__(self, feed: Feed, window: int) -> None:
        self._feed = feed
        self._pending: deque[Prediction] = deque(maxlen=MOST_PENDING)
        self._scored: deque[tuple[float, float, bool | None]] = deque(maxlen=window)
        self._lock = threading.Lock()
        self.total = 0
        self.invalid = 0

    def expect(self, prediction: Prediction) -> None:
        """Score this prediction later, or count it as invalid. Naive forecasts of a quarantine are not the model's."""
        with self._lock:
            if not math.isfinite(prediction.value):
                self.invalid += 1
            elif prediction.method == "model":
                self._pending.append(prediction)

    def settle(self, now: datetime) -> None:
        """Score every pending prediction whose target bar is complete. While the feed fails, they stay pending."""
        complete = hour_of(now) - 1
        closes: dict[tuple[str, int], float | None] = {}
        failing: set[str] = set()
        for prediction in self._due(complete):
            key = (prediction.symbol, prediction.target_hour)
            if prediction.symbol in failing:
                self._wait(prediction)
                continue
            try:
                realised = closes[key] if key in closes else closes.setdefault(key, self._realised(*key))
            except FeedUnavailable:
                failing.add(prediction.symbol)
                self._wait(prediction)
                continue
            if realised is not None:
                self._score(prediction, realised)
            elif complete - prediction.target_hour < PATIENCE:  # a bar may come late
                self._wait(prediction)

    def _due(self, complete: int) -> list[Prediction]:
        """Take out of the pending ones those whose target bar is complete."""
        with self._lock:
            due = [prediction for prediction in self._pending if prediction.target_hour <= complete]
            if due:
                waiting = [prediction for prediction in self._pending if prediction.target_hour > complete]
                self._pending.clear()
                self._pending.extend(waiting)
        return due

    def _wait(self, prediction: Prediction) -> None:
        with self._lock:
            self._pending.append(prediction)

    def _score(self, prediction: Prediction, realised: float) -> None:
        error, naive = abs(prediction.value / realised - 1), abs(prediction.naive / realised - 1)
        moved = realised != prediction.naive and prediction.value != prediction.naive
        right = ((realised > prediction.naive) == (prediction.value > prediction.naive)) if moved else None
        with self._lock:
            self._scored.append((error, naive, right))
            self.total += 1

    def _realised(self, symbol: str, hour: int) -> float | None:
        """The close of an hour; None while there is no such bar, or when its close is no price. Raises FeedUnavailable."""
        try:
            bar = self._feed.bars(symbol, time_of(hour) + timedelta(hours=1), 1)
        except TooFewBars:
            return None
        close = float(bar.close[-1])
        return close if bar.hours[-1] == hour and math.isfinite(close) and close > 0 else None

    def score(self) -> Score:
        """The rolling score."""
        with self._lock:
            scored = list(self._scored)
        n = len(scored)
        directions = [right for _, _, right in scored if right is not None]
        accuracy = sum(directions) / len(directions) if directions else None
        if n < LEAST_SCORED:
            return Score(n, None, None, None, accuracy, len(directions))
        errors = np.array([(error, naive) for error, naive, _ in scored]).mean(axis=0)
        ratio = float(errors[0] / errors[1]) if errors[1] > 0 else None
        return Score(n, float(errors[0]), float(errors[1]), ratio, accuracy, len(directions))
