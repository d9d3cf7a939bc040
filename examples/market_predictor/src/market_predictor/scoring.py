"""Scores predictions once their horizon has passed, against what the market did and against the naive forecast."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from .feed import Feed, hour_of, time_of
from .journal import Prediction

MOST_PENDING = 5_000
LEAST_SCORED = 20


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
    """Keeps the last ``window`` scored predictions. What has no target bar (a replay ended) is never scored."""

    def __init__(self, feed: Feed, window: int) -> None:
        self._feed = feed
        self._pending: deque[Prediction] = deque(maxlen=MOST_PENDING)
        self._scored: deque[tuple[float, float, bool | None]] = deque(maxlen=window)
        self.total = 0
        self.invalid = 0

    def expect(self, prediction: Prediction) -> None:
        """Score this prediction later, or count it as invalid. Naive forecasts of a quarantine are not the model's."""
        if not math.isfinite(prediction.value):
            self.invalid += 1
        elif prediction.method == "model":
            self._pending.append(prediction)

    def settle(self, now: datetime) -> None:
        """Score every pending prediction whose target bar is complete."""
        complete = hour_of(now) - 1
        waiting = []
        while self._pending:
            prediction = self._pending.popleft()
            if prediction.target_hour <= complete:
                self._score(prediction)
            else:
                waiting.append(prediction)
        self._pending.extend(waiting)

    def _score(self, prediction: Prediction) -> None:
        realised = self._realised(prediction.symbol, prediction.target_hour)
        if realised is None:
            return
        error, naive = abs(prediction.value / realised - 1), abs(prediction.naive / realised - 1)
        moved = realised != prediction.naive and prediction.value != prediction.naive
        right = ((realised > prediction.naive) == (prediction.value > prediction.naive)) if moved else None
        self._scored.append((error, naive, right))
        self.total += 1

    def _realised(self, symbol: str, hour: int) -> float | None:
        bar = self._feed.bars(symbol, time_of(hour) + timedelta(hours=1), 1)
        return float(bar.close[-1]) if bar.hours[-1] == hour else None

    def score(self) -> Score:
        """The rolling score."""
        n = len(self._scored)
        directions = [right for _, _, right in self._scored if right is not None]
        accuracy = sum(directions) / len(directions) if directions else None
        if n < LEAST_SCORED:
            return Score(n, None, None, None, accuracy, len(directions))
        errors = np.array([(error, naive) for error, naive, _ in self._scored]).mean(axis=0)
        ratio = float(errors[0] / errors[1]) if errors[1] > 0 else None
        return Score(n, float(errors[0]), float(errors[1]), ratio, accuracy, len(directions))
