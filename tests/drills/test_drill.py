"""What a drill folder may say, and how a wrong one is told."""

from __future__ import annotations

import subprocess

import pytest

from drills.drill import NOBODY, Unusable, read
from drills.history import FAULTS, PROJECT

DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
PLAIN = """
title = "A value changes"
family = "wrong results with no exception"

[[fault]]
kind = "commit"
after = 2.5

[expect]
cause = "code"
component = "model"
change = "fault"
outcome = "fixed"
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "a-drill"
    made.mkdir()
    (made / "drill.toml").write_text(PLAIN)
    (made / "change.patch").write_text(DIFF)
    return made


def test_a_folder_is_read_whole(folder):
    """Faults, what is expected, decoys in the order of their names, acceptance and reference where they are."""
    (folder / "decoys").mkdir()
    for name in ("b-second", "a-first"):
        (folder / "decoys" / f"{name}.patch").write_text(DIFF)
    (folder / "acceptance").mkdir()
    drill = read(folder)
    assert (drill.name, drill.title, drill.faults[0].after) == ("a-drill", "A value changes", 2.5)
    assert (drill.expect.change, drill.expect.outcome) == ("fault", ("fixed",))
    assert [decoy.title for decoy in drill.decoys] == ["A first", "B second"]
    assert (drill.acceptance, drill.reference) == (folder / "acceptance", None)
    assert drill.faults[0].commit.author == NOBODY


@pytest.mark.parametrize("body", ["Because they asked.", ""])
def test_a_mail_of_git_brings_author_and_message(folder, tmp_path, body):
    """As ``git format-patch`` writes it, long and foreign names too, with a body or none."""
    work = tmp_path / "work"
    title = "Give the desk what it asks for every morning, and a little more than that so that the line is long"
    message = f"{title}\n\n{body}"
    author = "Zoë Müller <zoe@desk.invalid>"

    def git(*args):
        base = ("git", "-c", "user.name=x", "-c", "user.email=x@x")
        return subprocess.run([*base, *args], cwd=work, check=True, capture_output=True, text=True).stdout

    work.mkdir()
    git("init", "-q")
    for text in ("x = 1\n", "x = 2\n"):
        (work / "a.py").write_text(text)
        git("add", ".")
        git("commit", "-q", "-m", message, "--author", author)
    (folder / "change.patch").write_text(git("format-patch", "-1", "--stdout"))
    commit = read(folder).faults[0].commit
    assert (commit.author, commit.title) == (author, message.splitlines()[0])
    assert commit.body == body
    assert commit.patch.startswith("diff --git a/a.py b/a.py")
    assert commit.patch.endswith("+x = 2\n")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "A value changes"', "", "'title' is missing"),
        ('kind = "commit"', 'kind = "commti"', "a fault's kind is one of"),
        ("after = 2.5", 'after = "soon"', "'after' is a number of seconds"),
        ('cause = "code"', 'cause = "bug"', "cause is one of"),
        ('outcome = "fixed"', 'outcome = "well"', "outcome is one of"),
        ("[[fault]]", "[[falt]]", "there is no [[fault]]"),
        ("[expect]", "[expect", "drill.toml"),
    ],
)
def test_a_wrong_word_is_told_with_its_place(folder, old, new, said):
    """Which file, which key, what may stand there."""
    (folder / "drill.toml").write_text(PLAIN.replace(old, new))
    with pytest.raises(Unusable) as told:
        read(folder)
    assert said in str(told.value)


def test_a_missing_or_empty_patch_is_told(folder):
    """A fault that is a commit needs one."""
    (folder / "change.patch").write_text("nothing here\n")
    with pytest.raises(Unusable, match="holds no diff"):
        read(folder)
    (folder / "change.patch").unlink()
    with pytest.raises(Unusable, match="cannot be read"):
        read(folder)


@pytest.mark.parametrize("path", sorted(PROJECT.glob("drills/*/*/drill.toml")), ids=lambda path: path.parent.name)
def test_every_drill_of_the_project_can_be_read(path):
    """Also those that no demo stages."""
    assert read(path.parent).expect.change in {"fault", "none"}
    assert FAULTS.is_dir()
