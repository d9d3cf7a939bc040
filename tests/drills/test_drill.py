"""What a drill folder may say, and how a wrong one is told."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from drills.drill import NOBODY, Unusable, distinct, read
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
        ("[[fault]]", "[[falt]]", "there is no key 'falt'; there are title, family"),
        ("\n[[fault]]", "fault = []\n[else]", "there is no key 'else'"),
        ('[[fault]]\nkind = "commit"\nafter = 2.5', "", "there is no [[fault]]"),
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
    """Each asks for a change or for none, but where the fault is older than the history."""
    drill = read(path.parent)
    assert drill.expect.change in {"fault", "none"} or not drill.released
    assert FAULTS.is_dir()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('[[fault]]\nkind = "process"\nsecond = 4', "kind process: there is no key 'second'; there are kind, after"),
        ('[[fault]]\nkind = "process"\ntimes = 1.5', "'times' is a whole number"),
        ('[[fault]]\nkind = "process"\naction = "hide"', "'action' is one of stop, kill, freeze"),
        ('[[fault]]\nkind = "model"\naction = "melt"', "'action' is one of scale, truncate"),
        ('[[fault]]\nkind = "model"\nfactor = "two"', "'factor' is a number"),
        ('[[fault]]\nkind = "configuration"', "'env' is missing"),
        ('[[fault]]\nkind = "configuration"\nenv = {}', "'env' is a table that is not empty"),
        ('[[fault]]\nkind = "traffic"\nrequests = [{ body = "x" }]', "'requests' is a list"),
        ('[[fault]]\nkind = "traffic"\nrate = true', "'rate' is a number above 0"),
        ('[[fault]]\nkind = "dependency"\nseconds = 3', "'action' is missing"),
        ('[[fault]]\nkind = "data"\naction = "corrupt"\nvalue = "much"', "'value' is a number"),
        ('[[fault]]\nkind = "data"\naction = "revised"\nfactor = -1', "'factor' is above 0"),
        ('[[fault]]\nkind = "data"\naction = "corrupt"\ndepot = "OPO"', "there is no key 'depot'"),
        ('[[fault]]\nkind = "clock"', "'market' is missing"),
        ('[[fault]]\nkind = "clock"\nmarket = 3', "'market' is a time"),
        ("[[fault]]\nkind = []", "a fault's kind is one of"),
        ('fault = ["commit"]', "'fault' is one or more tables"),
        ('[release]\nafter = "soon"\n[[fault]]\nkind = "none"', "'after' is a number of seconds"),
        ('[target]\nexmple = "x"\n[[fault]]\nkind = "none"', "[target] there is no key 'exmple'; there are example"),
        ('target = "parcel-times"\n[[fault]]\nkind = "none"', "'target' is a table"),
        ('twin = 3\n[[fault]]\nkind = "none"', "'twin' is a text"),
        ('bare_request = "no"\n[[fault]]\nkind = "none"', "'bare_request' is true or false"),
        ('[place]\nbetween = [7, 2]\n[[fault]]\nkind = "none"', "'between' is two whole numbers"),
        ('[tests]\npasses = false\n[[fault]]\nkind = "none"', "[tests] there is no key 'passes'"),
        ('[expect]\ncause = {}\n[[fault]]\nkind = "none"', "'cause' is a text or a list"),
        ('[signal]\nrule = "x"\n[[fault]]\nkind = "none"', "there is no key 'signal'"),
        ('[expect]\nchange = "fault"\n[[fault]]\nkind = "process"', "no fault is a commit"),
        ('[expect]\nchange = "fault"\n[[fault]]\nkind = "commit"\nwhere = "origin"', "brings it to light"),
        (
            '[expect]\nchange = "fault"\n[[fault]]\nkind = "commit"\nwhere = "origin"\n[[fault]]\nkind = "process"',
            "no fault is a commit",
        ),
    ],
)
def test_what_nobody_reads_or_could_stage_is_refused(folder, lines, said):
    """With the keys that there are, or what the value has to be; never with a traceback."""
    (folder / "drill.toml").write_text(f'title = "t"\nfamily = "f"\n{lines}\n')
    with pytest.raises(Unusable) as told:
        read(folder)
    assert said in str(told.value)


def test_the_carriers_files_have_options_of_their_own(folder):
    """Another column holds another value."""
    text = '[target]\nexample = "parcel-times"\n[[fault]]\nkind = "data"\naction = "corrupt"\nvalue = "?"\ncolumn = "weight"'
    (folder / "drill.toml").write_text(f'title = "t"\nfamily = "f"\n{text}\n')
    assert read(folder).faults[0].options["column"] == "weight"


def test_two_drills_of_one_name_are_refused(folder, tmp_path):
    """Their results could not be told apart; the same folder twice is one drill."""
    other = tmp_path / "elsewhere" / folder.name
    shutil.copytree(folder, other)
    assert distinct([read(folder), read(folder)]) == [read(folder)]
    with pytest.raises(Unusable, match=rf"{folder} and {other}"):
        distinct([read(folder), read(other)])
