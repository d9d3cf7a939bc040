"""The baselines' eyes: the newest traceback, and the newest commit that touched one of its files."""

from __future__ import annotations

import json

import pytest

from drills.drill import Unusable
from drills.players import newest_frames, newest_touching, player

OLD = 'Traceback (most recent call last):\n  File "/r/src/shop/old.py", line 1, in f\nKeyError: 1\n'
NEW = (
    "Traceback (most recent call last):\n"
    '  File "/r/src/shop/api.py", line 9, in price\n'
    '  File "/r/src/shop/rates.py", line 3, in rate\n'
    "ZeroDivisionError: division by zero\n"
)


def test_the_newest_traceback_counts_innermost_frame_first():
    """In plain text and inside JSON lines."""
    wanted = ("/r/src/shop/rates.py", "/r/src/shop/api.py")
    assert newest_frames(f"{OLD}INFO calm\n{NEW}INFO after\n") == wanted
    assert newest_frames(json.dumps({"traceback": OLD}) + "\n" + json.dumps({"traceback": NEW})) == wanted
    assert newest_frames("INFO all is well\n") == ()


def test_the_newest_commit_that_touched_a_frame_is_reverted():
    """Whether it is to blame or not: that is what makes it a baseline."""
    commits = [("c3", ("README.md",)), ("c2", ("src/shop/api.py",)), ("c1", ("src/shop/rates.py",))]
    assert newest_touching(commits, newest_frames(NEW)) == "c2"
    assert newest_touching(commits, ()) is None


def test_an_unknown_player_is_told():
    """With the names that there are."""
    with pytest.raises(Unusable, match="revert-frame"):
        player("wizard", None, None, None)
