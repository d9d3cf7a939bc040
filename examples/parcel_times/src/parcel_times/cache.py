"""A small cache for answers that many clients ask for at once."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Cache(Generic[V]):
    """Keeps at most ``entries`` values for ``seconds`` each; the one that was used longest ago goes first."""

    def __init__(self, entries: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries, self._seconds, self._clock = entries, seconds, clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value kept for a key, else a new one; what ``make`` raises is not kept."""
        with self._lock:
            until, value = self._kept.get(key, (0.0, None))
            if value is not None and self._clock() < until:
                self._kept.move_to_end(key)
                self.hits += 1
                return value
            self.misses += 1
        made = make()  # outside the lock: two threads may make the same value, none waits for another
        with self._lock:
            self._kept[key] = (self._clock() + self._seconds, made)
            self._kept.move_to_end(key)
            while len(self._kept) > self._entries:
                self._kept.popitem(last=False)
        return made

    def __len__(self) -> int:
        return len(self._kept)
