"""Author: undo the culprit. The best first guess for a regression."""

from __future__ import annotations

from collections.abc import Callable

from ...errors import Conflict
from ...kit.redact import fence
from ...model.diagnosis import Diagnosis
from ...model.patches import join, split
from ...model.repair import Patch
from ...model.target import Target
from ...ports import History


class RevertAuthor:
    """Reverts the culprit on the head of main; its tests are left alone."""

    name = "revert"

    def __init__(self, history: Callable[[Target], History]) -> None:
        self._history = history

    def patches(self, target: Target, diagnosis: Diagnosis, try_patch: Callable[[str], bool]) -> tuple[Patch, ...]:
        """The full revert, or nothing when it conflicts with later work."""
        del try_patch  # one candidate: the judge tries it
        if diagnosis.culprit is None:
            return ()
        history = self._history(target)
        base = history.branch_head()
        try:
            whole = history.revert(base, diagnosis.culprit)
        except Conflict:
            return ()
        diff = join([piece for piece in split(whole) if not piece.is_test])
        if not diff:
            return ()
        title = next((guess.title for guess in diagnosis.hypotheses if guess.change == diagnosis.culprit), "")
        return (
            Patch(
                base=base,
                diff=diff,
                author=self.name,
                title=f"Revert {diagnosis.culprit[:10]}",
                rationale=f"An experiment found it red, and its parent green.\n\nReverted: {fence(title, 150)}",
            ),
        )
