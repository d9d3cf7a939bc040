"""Is a drill a fair question, as far as can be said without staging it?"""

from __future__ import annotations

import difflib
import json
import shutil
from argparse import Namespace
from dataclasses import replace

import pytest

from drills.drill import read
from drills.ground import Ground
from drills.history import FAULTS, MARKET, try_places
from drills.load import Load
from drills.range import main
from drills.rehearsal import Checked
from drills.store import Store
from drills.validity import PLACES, _Checking, check

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


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Sam Okafor", "Alex Moreau", "Alex Moreau <sam@desk.invalid>; there are Ines Duarte"),
        ('title = "Tell', 'body = "', "no title"),
        ("author", "#", "no author"),
    ],
)
def test_a_planted_commit_is_signed_by_the_team(tmp_path, old, new, said):
    """A stranger's commit, or one without a title, gives itself away; so does a decoy's."""
    text = (FAULTS / "batch-spread" / "drill.toml").read_text().replace('body = "The desk', '# "The desk')
    shutil.copy(FAULTS / "batch-spread" / "change.patch", tmp_path)
    (tmp_path / "drill.toml").write_text(text.replace(old, new, 1))
    told = list(check(tmp_path, tmp_path))[-1]
    assert (told.name, told.valid) == ("commits are signed by the team", False)
    assert said in told.detail
    (tmp_path / "drill.toml").write_text(QUIET)
    (tmp_path / "decoys").mkdir()
    shutil.copy(FAULTS / "batch-spread" / "change.patch", tmp_path / "decoys" / "tidy-up.patch")
    assert list(check(tmp_path, tmp_path))[-1].detail.startswith("'Tidy up' has no title and author")


def test_commits_are_tried_wherever_a_repetition_may_put_them(tmp_path):
    """A patch that stands on one of the team's waiting commits fails before it, and the seed is told."""
    path = "src/market_predictor/features.py"
    final = (MARKET.folder / path).read_text()
    changed = final.replace("digest_size=8", "digest_size=6")
    texts = (text.splitlines(keepends=True) for text in (final, changed))
    lines = difflib.unified_diff(*texts, f"a/{path}", f"b/{path}")
    for name, text in (
        ("drill.toml", (FAULTS / "batch-spread" / "drill.toml").read_text()),
        ("change.patch", "".join(lines)),
    ):
        (tmp_path / name).write_text(text)
    drill = read(tmp_path)
    with pytest.raises(RuntimeError, match=r"seed \d+: git apply"):
        try_places(replace(drill, places=(0, 12)), PLACES)
    assert try_places(replace(drill, places=(7, 12)), PLACES) > 1


def test_what_was_found_is_kept_once(tmp_path, capsys):
    """Also of a drill that is not worth a stage; one that cannot be read has no name to keep it by."""
    for name in ("drill.toml", "change.patch"):
        text = (FAULTS / "batch-spread" / name).read_text()
        (tmp_path / "spoilt").mkdir(exist_ok=True)
        (tmp_path / "spoilt" / name).write_text(text.replace("def ", "deaf "))
    words = ["check", str(tmp_path), str(tmp_path / "spoilt"), "--root", str(tmp_path / "root")]
    assert main(words) == 1
    assert capsys.readouterr().out.count("commits apply") == 1
    (kept,) = (tmp_path / "root" / "valid").iterdir()
    found = Store(tmp_path / "root").validity(read(tmp_path / "spoilt"))
    assert (kept.name.startswith("spoilt-"), found.valid, found.why[:21]) == (True, False, "commits apply: seed 1")


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
    shutil.copy(FAULTS / "batch-spread" / "change.patch", made)
    cheap = [one for _, one in zip(range(3), check(made, tmp_path), strict=False)]
    assert [one.name for one in cheap if one.valid] == ["readable", "commits are signed by the team", "commits apply"]
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


def quiet(root):
    """The folder of a drill in which nothing breaks; results lie outside of it."""
    folder = root / "quiet"
    folder.mkdir()
    (folder / "drill.toml").write_text(QUIET)
    return folder


def test_quick_leaves_the_target_s_own_tests_out(tmp_path, capsys):
    """They take a minute; what is done in the full check is told before it begins."""
    for name in ("drill.toml", "change.patch"):
        shutil.copy(FAULTS / "batch-spread" / name, tmp_path)
    assert main(["check", "--quick", str(tmp_path), "--root", str(tmp_path / "root")]) == 0
    assert [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()] == [
        "ok readable",
        "ok commits are signed by the team",
        "ok commits apply",
    ]
    said = []
    for one in check(tmp_path, tmp_path / "environments", said.append):
        if one.name == "commits apply":
            assert said == []
            break
    (tmp_path / "environments").write_text("no environment can be built here")
    with pytest.raises(NotADirectoryError):
        list(check(tmp_path, tmp_path / "environments", said.append))
    assert said == ["the target's own tests are run with the fault in place"]


def test_a_second_range_is_refused_before_anything_is_looked_at(tmp_path, capsys):
    """By its right name; without a stage nothing stands in the way."""
    (tmp_path / "drill.toml").write_text(QUIET)
    words = ["check", str(tmp_path), "--root", str(tmp_path / "root")]
    with Ground(tmp_path / "root").locked():
        assert main(words) == 2
        told = capsys.readouterr()
        assert "another demo or drill range" in told.err
        assert "--root" in told.err
        assert told.out == ""
        assert main([*words, "--quick"]) == 0


@pytest.mark.parametrize(("found", "looked_at_again"), [(True, False), (False, True)])
def test_missing_looks_again_at_what_failed(tmp_path, capsys, found, looked_at_again):
    """Perhaps it was the machine; what was found valid is left out."""
    folder = quiet(tmp_path)
    Store(tmp_path / "root").keep_validity(read(folder), [{"name": "x", "valid": found, "detail": ""}], valid=found)
    assert main(["check", "--quick", "--missing", str(folder), "--root", str(tmp_path / "root")]) == 0
    told = capsys.readouterr().out
    assert ("readable" in told, "was checked before" in told) == (looked_at_again, not looked_at_again)


@pytest.mark.parametrize(("valid", "busiest", "kept"), [(False, 0.9, False), (False, 0.2, True), (True, 0.9, True)])
def test_that_a_drill_is_invalid_is_not_kept_of_a_busy_machine(tmp_path, capsys, valid, busiest, kept):
    """It is told, and checked again; what a busy machine found valid is valid."""
    folder = quiet(tmp_path)
    load = Load(2, 0.1, busiest)
    checking = _Checking(Namespace(root=tmp_path / "root", folders=[folder], json=False), Ground(tmp_path / "root"))
    checking._tell(folder, Checked("the alarm comes", valid=valid, detail="TargetDown on x after 1.0 s"))
    checking._keep(folder, load)
    found = Store(tmp_path / "root").validity(read(folder))
    assert (found is not None) is kept
    assert ("check it again on a quiet machine" in capsys.readouterr().out) is not kept
    if found is not None:
        assert (found.load, found.goes_down, found.valid) == (load, True, valid)
