"""Feature drift: the population stability index against the training data's deciles."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

WINDOW = 500
LEAST = 100


class Drift:
    """Mean PSI over features; values above 0.25 are usually read as a shift of the population."""

    def __init__(self, reference: dict[str, list[float]]) -> None:
        self._edges = [np.array(edges) for edges in reference.values()]
        self._rows: deque[np.ndarray] = deque(maxlen=WINDOW)
        self._lock = threading.Lock()

    def add(self, features: np.ndarray) -> None:
        """Take one served feature vector into account."""
        with self._lock:
            self._rows.append(features)

    def psi(self) -> float | None:
        """Sum over deciles of (p - q) ln(p / q), averaged over features; None until 100 rows were seen."""
        with self._lock:
            rows = list(self._rows)
        if len(rows) < LEAST:
            return None
        table = np.array(rows)
        return float(np.mean([_index(table[:, column], edges) for column, edges in enumerate(self._edges)]))


def _index(values: np.ndarray, edges: np.ndarray) -> float:
    bins = np.unique(edges)
    counts = np.bincount(np.searchsorted(bins, values), minlength=len(bins) + 1)
    below = np.searchsorted(edges, bins, side="right") / (len(edges) + 1)
    actual = np.clip(counts / counts.sum(), 1e-3, None)
    expected = np.clip(np.diff(np.concatenate([[0.0], below, [1.0]])), 1e-3, None)
    return float(((actual - expected) * np.log(actual / expected)).sum())
