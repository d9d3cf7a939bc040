"""Finds the first red commit between a green and a red one, two commits at a time, with *untestable* as third answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..model.experiment import Run, Verdict

Look = Callable[[Sequence[str]], Sequence[Run]]
MOST_ROUNDS = 16


@dataclass
class Search:
    """What the search found: ``culprit`` and its green neighbour, or the candidates that could not be told apart."""

    culprit: str | None = None
    parent: str | None = None
    candidates: tuple[str, ...] = ()
    runs: list[Run] = field(default_factory=list)
    reason: str = ""


def bisect(commits: Sequence[str], green: str, look: Look, first: int | None = None) -> Search:
    """``commits`` oldest first, the last one known red, all after the known ``green`` one.

    ``first`` is the index of the most suspected commit: it and its neighbour are asked first. Each round asks two
    commits at once. A contradiction (green after red) ends the search with the candidates that are left.
    """
    search = Search()
    low, high = -1, len(commits) - 1
    closed: set[int] = set()
    for _ in range(MOST_ROUNDS):
        points = _points(low, high, closed, first)
        first = None
        if not points:
            break
        for point, run in zip(points, look([commits[point] for point in points]), strict=True):
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
    if high - low == 1:
        search.culprit, search.parent = commits[high], commits[low] if low >= 0 else green
        search.reason = "the first red commit"
    else:
        search.candidates = tuple(commits[low + 1 : high + 1])
        search.reason = f"{len(search.candidates)} commits cannot be told apart: those between could not be tested"
    return search


def _points(low: int, high: int, closed: set[int], first: int | None) -> list[int]:
    """The next one or two commits to ask: around the suspect, else at the thirds."""
    open_points = [point for point in range(low + 1, high) if point not in closed]
    if not open_points:
        return []
    if first is not None:
        near = [point for point in (first - 1, first) if point in open_points]
        if near:
            return near
    count = len(open_points)
    return sorted({open_points[count // 3], open_points[(2 * count) // 3]})
