"""Commands are bounded and leave nothing behind."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from agent.errors import Misconfigured, Permanent
from agent.kit.command import run

PYTHON = sys.executable


def _python(code, **options):
    return run([PYTHON, "-c", code], **{"timeout": 20, **options})


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_output_code_and_input_are_passed_through():
    """What the command prints, reads and ends with is what the caller gets."""
    done = _python(
        "import sys; print(sys.stdin.read()[::-1]); print('bad', file=sys.stderr); sys.exit(3)", stdin=b"abc"
    )
    assert (done.returncode, done.text, done.stderr, done.timed_out, done.truncated) == (
        3,
        "cba\n",
        b"bad\n",
        False,
        False,
    )
    assert done.problem == "bad"


def test_the_environment_is_minimal_unless_given(monkeypatch):
    """A secret in our environment does not reach a command."""
    monkeypatch.setenv("API_TOKEN", "hidden")
    code = "import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))"
    assert _python(code).text == "['HOME', 'LANG', 'PATH']\n"
    assert _python(code, env={"ONLY": "1"}).text == "['ONLY']\n"


def test_a_flood_is_cut_and_drained():
    """A command that prints more than is kept still ends by itself, and the cut is told."""
    done = _python("import sys; sys.stdout.write('x' * 5_000_000)", max_output=1000)
    assert (len(done.stdout), done.truncated, done.returncode) == (1000, True, 0)


def test_at_the_time_limit_the_whole_group_dies(tmp_path):
    """Children of a command that hangs are killed with it, and nothing stays as a zombie."""
    note = tmp_path / "pid"
    code = (
        "import subprocess, sys, pathlib, time;"
        f"child = subprocess.Popen(['sleep', '600']); pathlib.Path({str(note)!r}).write_text(str(child.pid));"
        "time.sleep(600)"
    )
    done = _python(code, timeout=1.5)
    assert done.timed_out
    assert done.returncode == -9
    child = int(note.read_text())
    for _ in range(100):
        if not _alive(child):
            break
        time.sleep(0.02)
    assert not _alive(child)


def test_what_a_command_leaves_running_is_killed():
    """A command that ends and leaves a child in its group does not hold us up."""
    done = run(["/bin/sh", "-c", "sleep 600 & echo $!"], timeout=20)
    assert done.returncode == 0
    assert not done.timed_out
    assert _ends_soon(int(done.text))


def _ends_soon(pid):
    """A killed process is gone once its new parent has taken note, which is not ours to hurry."""
    deadline = time.monotonic() + 10
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _alive(pid)


def test_input_that_nobody_reads_does_not_block():
    """A command that ignores its input ends as it would without."""
    assert _python("pass", stdin=b"x" * 5_000_000).returncode == 0


def test_what_cannot_be_started_is_a_clear_error(tmp_path):
    """A missing program, a missing folder and a zero byte are told apart."""
    with pytest.raises(Misconfigured, match="Install it"):
        run(["no-such-program"], timeout=5)
    with pytest.raises(Permanent, match="no such folder"):
        run(["true"], timeout=5, cwd=tmp_path / "gone")
    with pytest.raises(Permanent, match="null"):
        run(["true", "a\0b"], timeout=5)


def test_descriptors_are_not_inherited_unless_passed():
    """Only the descriptors that are named reach a command."""
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)  # noqa: FBT003 - the function takes no keyword
    try:
        code = f"import os\ntry:\n os.fstat({reading}); print('there')\nexcept OSError: print('not there')"
        assert _python(code).text == "not there\n"
        assert _python(code, pass_fds=(reading,)).text == "there\n"
    finally:
        os.close(reading)
        os.close(writing)


def test_a_command_is_ended_when_the_agent_ends():
    """It need not last as long as its time limit."""
    ending = threading.Event()
    threading.Timer(0.2, ending.set).start()
    done = run(["/bin/sleep", "60"], timeout=50, ending=ending)
    assert done.timed_out
    assert done.returncode < 0
