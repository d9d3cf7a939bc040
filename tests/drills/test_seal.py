"""Sealed drills stay as they were sealed."""

from __future__ import annotations

from pathlib import Path

import pytest

from drills.drill import Unusable
from drills.drill import read as read_drill
from drills.range import main
from drills.seal import FILE, broken, read, seal
from drills.stage import PROJECT


@pytest.fixture
def folder(tmp_path):
    """Two drills."""
    for name in ("a-drill", "b-drill"):
        (tmp_path / name / "acceptance").mkdir(parents=True)
        (tmp_path / name / "drill.toml").write_text(f'title = "{name}"\n')
    return tmp_path


def test_a_seal_holds_everything_in_the_folder(folder):
    """A file changed, added or renamed breaks it; what Python compiled does not."""
    assert [one.name for one in seal(folder)] == ["a-drill", "b-drill"]
    assert (broken(folder), seal(folder)) == ([], [])
    compiled = folder / "a-drill" / "acceptance" / "__pycache__"
    compiled.mkdir()
    (compiled / "x.pyc").write_bytes(b"1")
    assert broken(folder) == []
    (folder / "a-drill" / "acceptance" / "test_more.py").write_text("")
    assert broken(folder) == ["a-drill"]


def test_a_seal_is_never_renewed(folder):
    """Only drills without one get a line."""
    seal(folder)
    (folder / "a-drill" / "drill.toml").write_text("easier")
    with pytest.raises(Unusable, match="a-drill"):
        seal(folder)
    (folder / FILE).write_text("what is this\nline\n")
    with pytest.raises(Unusable, match="digest"):
        read(folder)


def test_a_drill_is_sealed_when_the_seal_beside_it_lists_it(folder, monkeypatch):
    """Whatever its folder is called, and from wherever it is read."""
    quiet = 'title = "t"\nfamily = "f"\n[[fault]]\nkind = "none"\n'
    (folder / "a-drill" / "drill.toml").write_text(quiet)
    assert not read_drill(folder / "a-drill").sealed
    seal(folder)
    late = folder / "sealed"
    late.mkdir()
    (late / "drill.toml").write_text(quiet)
    monkeypatch.chdir(folder / "a-drill")
    assert [read_drill(path).sealed for path in (folder / "a-drill", folder / "a-drill" / ".", late)] == [
        True,
        True,
        False,
    ]
    assert read_drill(Path()).sealed


def test_the_command_seals_and_says_so(folder, capsys):
    """``mpa drill seal FOLDER``; a second time there is nothing to do."""
    assert main(["seal", str(folder)]) == 0
    assert "a-drill" in capsys.readouterr().out
    (folder / "b-drill" / "drill.toml").write_text("easier")
    assert main(["seal", str(folder)]) == 2
    assert "b-drill" in capsys.readouterr().err


def test_where_there_is_no_drill_there_is_nothing_to_seal(folder, capsys):
    """A slip of the pen is told; a drill's own folder is one, too."""
    (folder / "empty").mkdir()
    for name, said in (("empty", "nothing to seal"), ("nowhere", "no such folder"), ("a-drill", f"name {folder}")):
        assert main(["seal", str(folder / name)]) == 2
        assert said in capsys.readouterr().err
    assert not list(folder.rglob(FILE))


def test_the_project_s_sealed_drills_are_as_they_were_sealed():
    """Nobody made them easier, or added one later without a seal of its own."""
    assert broken(PROJECT / "drills" / "sealed") == []
