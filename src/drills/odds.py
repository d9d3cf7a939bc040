"""Small exact statistics for the report: differences of shares, sign tests, medians. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

from .score import LEVEL

_TAIL: Final = (1 - LEVEL) / 2


def wilson(hits: int, count: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927, JASA 22), two-sided at ``level``; 0..1 when nothing was counted."""
    if not count:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, wide = hits / count, z * z / count
    middle = (share + wide / 2) / (1 + wide)
    half = z * math.sqrt(share * (1 - share) / count + wide / (4 * count)) / (1 + wide)
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def difference(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float, float] | None:
    """The first share less the second, with its two-sided 90% interval; each is (hits, count). None when one is empty.

    Method 10 of Newcombe 1998, "Interval estimation for the difference between independent proportions", Statistics in
    Medicine 17:873-890: the distances of both shares to their Wilson bounds are added as squares.
    """
    if not first[1] or not second[1]:
        return None
    one, two = first[0] / first[1], second[0] / second[1]
    (one_low, one_high), (two_low, two_high) = wilson(*first), wilson(*second)
    gap = one - two
    return gap, gap - math.hypot(one - one_low, two_high - two), gap + math.hypot(one_high - one, two - two_low)


def sign_test(wins: int, losses: int) -> float:
    """The two-sided exact probability of so uneven a split, were both equally likely; 1 when there is none.

    On pairs that differ this is McNemar's exact test (McNemar 1947, Psychometrika 12).
    """
    count = wins + losses
    tail = sum(math.comb(count, k) for k in range(min(wins, losses) + 1))
    return min(1.0, 2.0 * tail / float(2**count))


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which ``share`` of them lie, between two neighbours by their distance; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Two order statistics with the median between them, at least 90% sure whatever the distribution; None of too few.

    The number of values below the median is binomial with 1/2 (David and Nagaraja 2003, Order Statistics, 7.1).
    """
    count, below, rank = len(values), 0.0, 0
    while rank <= count and below + math.comb(count, rank) / 2**count <= _TAIL:
        below += math.comb(count, rank) / 2**count
        rank += 1
    ordered = sorted(values)
    return (ordered[rank - 1], ordered[count - rank]) if rank else None
