"""Quarantine: while it lasts, a symbol (or all) is served the labelled naive forecast instead of the model's."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

EVERYTHING = "*"
MOST = 100


@dataclass(frozen=True)
class Order:
    """One quarantine; ``until`` is wall time in seconds since the epoch."""

    scope: str
    reason: str
    until: float


class Quarantine:
    """The orders in force."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._lock = threading.Lock()

    def impose(self, scope: str, reason: str, seconds: float) -> Order:
        """Start or extend a quarantine. Raises ValueError when too many are in force."""
        order = Order(scope, reason, time.time() + seconds)
        with self._lock:
            self._expire()
            if len(self._orders) >= MOST and scope not in self._orders:
                raise ValueError("too many quarantines in force")
            self._orders[scope] = order
        return order

    def covers(self, symbol: str) -> bool:
        """Whether a symbol is to be served the naive forecast."""
        with self._lock:
            self._expire()
            return EVERYTHING in self._orders or symbol in self._orders

    def orders(self) -> list[Order]:
        """What is in force now."""
        with self._lock:
            self._expire()
            return list(self._orders.values())

    def _expire(self) -> None:
        now = time.time()
        self._orders = {scope: order for scope, order in self._orders.items() if order.until > now}
