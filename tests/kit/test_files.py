"""Files are whole, private where they should be, and read within bounds; folders of dead processes are swept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.kit import files
from agent.kit.workspaces import Workspaces, remove


def test_a_file_is_replaced_as_a_whole(tmp_path):
    """The new content is there with its mode, and no temporary file stays."""
    path = tmp_path / "token"
    files.write_atomic(path, "old")
    files.write_atomic(path, b"new", mode=files.PRIVATE)
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_content(tmp_path):
    """A target that cannot be replaced keeps what it had, and the temporary file is gone."""
    path = tmp_path / "folder"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        files.write_atomic(path, "x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_one_line_stays_one_line(tmp_path):
    """A line break inside an appended line cannot make two of it."""
    path = tmp_path / "log"
    files.append_line(path, "one\n")
    files.append_line(path, "two\nthree\rfour")
    assert path.read_text() == "one\ntwo three four\n"


def test_the_tail_starts_at_a_line(tmp_path):
    """A cut tail leaves out the line that it cut."""
    path = tmp_path / "log"
    path.write_bytes(b"first\nsecond\nthird\n")
    assert files.tail(path, 100) == b"first\nsecond\nthird\n"
    assert files.tail(path, 10) == b"third\n"


def test_a_workspace_is_private_and_goes_away(tmp_path):
    """A fresh folder is its owner's only, and is removed also after an error."""
    workspaces = Workspaces(tmp_path / "work")
    error = RuntimeError("on purpose")
    with pytest.raises(RuntimeError, match="on purpose"), workspaces.fresh("A Replay/../x") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.is_relative_to(tmp_path / "work")
        locked = folder / "a" / "b"
        locked.mkdir(parents=True)
        (locked / "file").touch()
        locked.chmod(0)
        (folder / "a").chmod(0)
        raise error
    assert not folder.exists()


def test_removing_does_not_follow_links(tmp_path):
    """A link in a removed tree takes nothing else with it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    outside.chmod(0o555)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(outside)
    remove(tree)
    assert (outside / "kept").exists()
    assert outside.stat().st_mode & 0o777 == 0o555


HOLD = """
import sys
from pathlib import Path
from agent.kit.workspaces import Workspaces
kept = Workspaces(Path(sys.argv[1]))
print(kept.keep("tree"), flush=True)
sys.stdin.read()
"""


def test_a_sweep_removes_what_dead_processes_left_and_nothing_else(tmp_path):
    """The folder of a live process stays; after its kill the next sweep takes it."""
    root = tmp_path / "work"
    source = Path(files.__file__).parents[2]
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(source)},
    )  # fmt: skip
    try:
        theirs = Path(other.stdout.readline().strip())
        workspaces = Workspaces(root)
        mine = workspaces.keep("tree")
        (root / "left-by-an-older-version").mkdir()
        assert workspaces.sweep() == 1
        assert theirs.is_dir()
        assert mine.is_dir()
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert workspaces.sweep() == 1
        assert not theirs.exists()
        assert mine.is_dir()
    finally:
        other.kill()
        other.communicate()


PIECES = st.lists(st.binary(max_size=40).filter(lambda piece: b"\n" not in piece), max_size=30)


@given(PIECES, st.integers(0, 600), st.integers(1, 50))
def test_lines_come_backwards_whole_and_within_the_limit(tmp_path_factory, pieces, limit, block):
    """Whatever the blocks and the limit: the same lines as reading forwards, but for the one that was cut."""
    path = tmp_path_factory.mktemp("lines") / "log"
    path.write_bytes(b"\n".join(pieces))
    size = path.stat().st_size
    kept = path.read_bytes()[max(0, size - limit) :]
    whole = kept if size <= limit else kept.partition(b"\n")[2]
    expected = [each for each in whole.split(b"\n") if each][::-1]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(files, "BLOCK", block)
        assert list(files.lines_backwards(path, limit)) == expected
