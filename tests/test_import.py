"""What happens when the service's module is imported, and when a server starts what it holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WRONG = {"SAFETY_MODE": "perhaps", "MPA_CONFIG": "nowhere.toml"}


def python(*words, folder, **environment):
    """A Python of its own in an empty folder."""
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=folder, env={**known, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("module", ["agent.main", "src.agent.main"])
def test_importing_reads_no_setting(tmp_path, module):
    """A wrong one is no obstacle, a right one is not remembered, and no file is written."""
    done = python("-c", f"from {module} import app", folder=tmp_path, **WRONG)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", ["agent.main", "src.agent.main"])
def test_a_server_does_not_start_on_a_wrong_setting(tmp_path, module):
    """It ends, and says which setting it is and what to write; no traceback."""
    done = python("-m", "uvicorn", f"{module}:app", "--port", "0", folder=tmp_path, SAFETY_MODE="perhaps")
    assert done.returncode != 0
    assert "SAFETY_MODE: read 'perhaps'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_tells_of_settings_that_do_nothing_yet(tmp_path):
    """In its log, before it serves anything; the log is JSON from the first line of ours."""
    (tmp_path / "agent.toml").write_text('[policy]\nautonomy = "autonomous"\n')
    start = "from agent import main; main.app._built(main.load())"
    done = python("-c", start, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    [line] = [json.loads(line) for line in done.stderr.splitlines()]
    assert line["level"] == "warning"
    assert 'it acts as "approve"' in line["event"]
