"""Is a drill a fair question, as far as can be said without staging it?"""

from __future__ import annotations

import json

import pytest

from drills.history import FAULTS
from drills.range import main
from drills.validity import check

QUIET = """title = "Nothing breaks"
family = "flapping and false alarms"
[[fault]]
kind = "none"
[expect]
cause = "none"
change = "none"
"""


def answers(folder, environments):
    return {one.name: one.valid for one in check(folder, environments)}


def test_a_drill_without_commits_needs_no_repository(tmp_path):
    """It can be read; the rest needs a stage."""
    (tmp_path / "drill.toml").write_text(QUIET)
    assert answers(tmp_path, tmp_path) == {"readable": True}


def test_a_patch_that_does_not_apply_is_no_drill(tmp_path):
    """It is tried at several places of the history."""
    for name in ("drill.toml", "change.patch"):
        text = (FAULTS / "batch-spread" / name).read_text()
        (tmp_path / name).write_text(text.replace("def ", "deaf "))
    assert answers(tmp_path, tmp_path)["commits apply"] is False


def test_a_fault_that_the_target_cannot_have_is_told(tmp_path):
    """The second target has no clock of its own; and there are two targets only."""
    target = '[target]\nexample = "parcel-times"\n'
    (tmp_path / "drill.toml").write_text(QUIET.replace('"none"', '"clock"', 1) + target)
    (told,) = check(tmp_path, tmp_path)
    assert told.valid is False
    assert "clock" in told.detail
    (tmp_path / "drill.toml").write_text(QUIET + target.replace("parcel", "letter"))
    (told,) = check(tmp_path, tmp_path)
    assert "letter-times" in told.detail


def test_a_reference_that_cannot_be_read_is_told(tmp_path):
    """Before anything is staged."""
    (tmp_path / "drill.toml").write_text(QUIET)
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "solution.toml").write_text('[[step]]\ndo = "hope"\n')
    assert [one.valid for one in check(tmp_path, tmp_path)] == [True, False]


def test_a_new_drill_says_what_is_missing(tmp_path, capsys):
    """The skeleton can be read as soon as its patch is there; an existing folder is left alone."""
    made = tmp_path / "mine"
    assert main(["new", str(made)]) == 0
    assert main(["check", str(made), "--root", str(tmp_path / "root")]) == 1
    assert "change.patch" in capsys.readouterr().out
    assert main(["new", str(made)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_drills_are_listed(capsys):
    """Those of the project, with their families."""
    assert main(["list", "--json"]) == 0
    names = [one["name"] for one in json.loads(capsys.readouterr().out)["drills"]]
    assert {"batch-spread", "killed-process"} <= set(names)


@pytest.mark.parametrize("words", [["list", "nowhere"], ["check"], []])
def test_bad_usage_ends_with_two(words, capsys):
    """A folder without drills, or no folder at all."""
    try:
        code = main(words)
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert capsys.readouterr().err
