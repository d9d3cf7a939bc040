"""Author: the smallest set of the culprit's hunks whose reversal turns the reproduction green.

Delta debugging, ddmin (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002), over the hunks of
the culprit. Used when the whole revert conflicts with later work, or breaks the suite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ...errors import Conflict
from ...kit.redact import fence
from ...model.diagnosis import Diagnosis
from ...model.patches import Piece, join, split
from ...model.repair import Patch
from ...model.target import Target
from ...ports import History

T = TypeVar("T")
MOST_RUNS = 40


class PartialRevertAuthor:
    """Reverts a part of the culprit on the head of main."""

    name = "partial-revert"

    def __init__(self, history: Callable[[Target], History]) -> None:
        self._history = history

    def patches(self, target: Target, diagnosis: Diagnosis, try_patch: Callable[[str], bool]) -> tuple[Patch, ...]:
        """One minimal patch, or nothing when no set of hunks helps."""
        if diagnosis.culprit is None:
            return ()
        history = self._history(target)
        base, parent = history.branch_head(), history.parent(diagnosis.culprit)
        if parent is None:
            return ()
        hunks = [piece for piece in split(history.diff(diagnosis.culprit, parent)) if piece.body and not piece.is_test]
        usable = [hunk for hunk in hunks if _applies(history, base, [hunk]) is not None]
        tried: dict[str, bool] = {}

        def helps(chosen: Sequence[Piece]) -> bool:
            if len(tried) >= MOST_RUNS:
                return False
            diff = _applies(history, base, chosen)
            if diff is None:
                return False
            if diff not in tried:
                tried[diff] = try_patch(diff)
            return tried[diff]

        if not usable or not helps(usable):
            return ()
        fewest = ddmin(usable, helps)
        diff = _applies(history, base, fewest)
        if diff is None:
            return ()
        title = next((guess.title for guess in diagnosis.hypotheses if guess.change == diagnosis.culprit), "")
        return (
            Patch(
                base=base,
                diff=diff,
                author=self.name,
                title=f"Revert a part of {diagnosis.culprit[:10]}",
                rationale=(
                    f"{len(fewest)} of {len(hunks)} hunks are enough to make the reproduction green; the rest stays.\n\n"
                    f"Partly reverted: {fence(title, 150)}"
                ),
            ),
        )


def _applies(history: History, base: str, chosen: Sequence[Piece]) -> str | None:
    try:
        return history.apply(base, join(chosen)) or None
    except Conflict:
        return None


def ddmin(items: Sequence[T], works: Callable[[Sequence[T]], bool]) -> list[T]:
    """A 1-minimal subset that works: removing any single item of it breaks it. ``items`` itself must work."""
    current, parts = list(items), 2
    while len(current) > 1:
        size = max(1, len(current) // parts)
        chunks = [current[start : start + size] for start in range(0, len(current), size)]
        smaller = next((chunk for chunk in chunks if len(chunk) < len(current) and works(chunk)), None)
        if smaller is not None:
            current, parts = list(smaller), 2
            continue
        rests = ([item for chunk in chunks if chunk is not left for item in chunk] for left in chunks)
        rest = next((rest for rest in rests if rest and works(rest)), None)
        if rest is not None:
            current, parts = rest, max(parts - 1, 2)
        elif size == 1:
            break
        else:
            parts = min(len(current), parts * 2)
    return current
