"""What a reference may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from drills.drill import Drill, Expect, Fault, Unusable
from drills.rehearsal import steps


def drill(folder: Path, text: str | None) -> Drill:
    (folder / "reference").mkdir()
    if text is not None:
        (folder / "reference" / "solution.toml").write_text(text)
    return Drill(folder, "t", "f", (Fault("process", 1.0),), Expect())


def test_steps_are_read_in_order(tmp_path):
    """With what they need."""
    found = steps(drill(tmp_path, '[[step]]\ndo = "restart"\n[[step]]\ndo = "wait"\nseconds = 3\n'))
    assert [(one["do"], one.get("seconds")) for one in found] == [("restart", None), ("wait", 3)]


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "solution.toml"), ("", "no .*step"), ('[[step]]\ndo = "pray"\n', "revert, patch"), ("[", "toml")],
)
def test_a_reference_that_says_nothing_usable_is_told(tmp_path, text, said):
    """Before anything is staged."""
    with pytest.raises(Unusable, match=said):
        steps(drill(tmp_path, text))
