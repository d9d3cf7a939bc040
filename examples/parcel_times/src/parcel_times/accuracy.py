"""How far estimates were from what came true, over the newest reports."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

LEAST_REPORTS = 20  # below that a mean says nothing


@dataclass(frozen=True)
class Score:
    """Mean absolute errors in minutes; ``ratio`` is the model's over the naive one's, None while too few."""

    n: int
    mae: float | None = None
    mae_naive: float | None = None
    ratio: float | None = None


class Accuracy:
    """A rolling window of reported deliveries."""

    def __init__(self, window: int) -> None:
        self._lock = threading.Lock()
        self._errors: deque[tuple[str, float, float]] = deque(maxlen=window)
        self.total = 0

    def report(self, parcel_id: str, took: float, estimated: float, naive: float) -> bool:
        """Take in one delivery (all in minutes); False for one that was reported before."""
        with self._lock:
            if any(known == parcel_id for known, _, _ in self._errors):
                return False
            self._errors.append((parcel_id, abs(took - estimated), abs(took - naive)))
            self.total += 1
            return True

    def score(self) -> Score:
        """The errors over the window."""
        with self._lock:
            errors = list(self._errors)
        n = len(errors)
        if n < LEAST_REPORTS:
            return Score(n)
        mae, naive = (sum(error[place] for error in errors) / n for place in (1, 2))
        return Score(n, mae, naive, mae / naive if naive else None)
