"""Finds the first red commit between a green and a red one, two commits at a time, with *untestable* as third answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, combinations, pairwise

from ..model.experiment import Run, Verdict

Look = Callable[[Sequence[str]], Sequence[Run]]
MOST_ROUNDS = 16


@dataclass
class Search:
    """What the search found: ``culprit`` and its green neighbour, or the candidates that could not be told apart.

    ``beside`` says that culprit and parent were run side by side in one round, the parent not for the first time.
    ``newer`` is a green release that came after what runs, so that nothing needs to be searched for.
    """

    culprit: str | None = None
    parent: str | None = None
    candidates: tuple[str, ...] = ()
    runs: list[Run] = field(default_factory=list)
    reason: str = ""
    newer: str | None = None
    beside: bool = False


def bisect(commits: Sequence[str], green: str, look: Look, weights: Sequence[float] | None = None) -> Search:
    """``commits`` oldest first, the last one known red, all after the known ``green`` one.

    ``weights`` say how much each commit is suspected (all alike when left out). Each round asks the two commits that
    split the suspicion best: a commit that stands out is asked at once, together with the one before it. A contradiction
    (green after red) ends the search with the candidates that are left.
    """
    search = Search()
    low, high = -1, len(commits) - 1
    closed: set[int] = set()
    suspicion = list(weights) if weights is not None else [1.0] * len(commits)
    for _ in range(MOST_ROUNDS):
        points = _points(low, high, closed, suspicion)
        if not points:
            break
        # The last commit leaves a core free: its neighbour is run again beside it, which confirms the one or the other.
        again = [low] if len(points) == 1 and points[0] == low + 1 else []
        runs = look([commits[point] if point >= 0 else green for point in (*points, *again)])
        for point, run in zip((*points, *again), runs, strict=True):
            search.runs.append(run)
            if run.verdict is Verdict.RED:
                high = min(high, point)
            elif run.verdict is Verdict.GREEN:
                low = max(low, point)
            else:
                closed.add(point)
        if low >= high:
            search.candidates = tuple(commits)
            search.reason = "runs contradict each other: the fault comes and goes"
            return search
        search.beside = bool(again) and high == points[0] and runs[-1].verdict is Verdict.GREEN
    if high - low == 1:
        search.culprit, search.parent = commits[high], commits[low] if low >= 0 else green
        search.reason = "the first red commit"
    else:
        search.candidates = tuple(commits[low + 1 : high + 1])
        search.reason = f"{len(search.candidates)} commits cannot be told apart: those between could not be tested"
    return search


def _points(low: int, high: int, closed: set[int], weights: Sequence[float]) -> list[int]:
    """The next one or two commits to ask: they cut the suspects into parts whose squared weights sum to the least.

    That sum is the suspicion expected to be left after the round (two answers tell three parts apart).
    """
    candidates = [point for point in range(low + 1, high) if point not in closed]
    if len(candidates) <= 1:
        return candidates
    heap = list(accumulate(weights, initial=0.0))

    def left(pair: tuple[int, int]) -> float:
        edges = (low + 1, pair[0] + 1, pair[1] + 1, high + 1)
        return sum((heap[end] - heap[begin]) ** 2 for begin, end in pairwise(edges))

    best = min(combinations(candidates, 2), key=left)
    return list(best)
