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


def test_what_was_not_looked_at_is_said(tmp_path):
    """A drill without commits needs no repository; nobody may take it for checked on a stage."""
    (tmp_path / "drill.toml").write_text(QUIET)
    assert answers(tmp_path, tmp_path) == {
        "readable": True, "can be staged": True, "alarm, acceptance and reference": None,
    }  # fmt: skip


def test_a_patch_that_does_not_apply_is_no_drill(tmp_path):
    """It is tried at several places of the history."""
    for name in ("drill.toml", "change.patch"):
        text = (FAULTS / "batch-spread" / name).read_text()
        (tmp_path / name).write_text(text.replace("def ", "deaf "))
    assert answers(tmp_path, tmp_path)["commits apply"] is False


def test_a_kind_that_cannot_be_staged_is_no_drill_yet(tmp_path):
    """The contract knows more kinds than the range."""
    (tmp_path / "drill.toml").write_text(QUIET.replace('"none"', '"clock"', 1))
    assert answers(tmp_path, tmp_path)["can be staged"] is False


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
