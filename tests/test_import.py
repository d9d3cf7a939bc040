"""What happens when the service's module is imported, and when a server starts what it holds."""

from __future__ import annotations

import fcntl
import json
import os
import socket
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


def test_no_language_model_library_is_imported_before_a_model_is_asked(tmp_path):
    """They take seconds and a hundred megabytes: the service is up before them, and without."""
    looks = (
        "import sys; import agent.main, agent.app, agent.cli; from agent.llm.analyst import LangChainAnalyst; "
        "from agent.model.language import LanguageModel; LangChainAnalyst(LanguageModel(model='openai:gpt-4'), None, None); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'langchain', 'langchain_core', 'langchain_openai', 'langgraph', 'langsmith', 'openai', 'mcp', 'tiktoken'}))"
    )
    done = python("-c", looks, folder=tmp_path)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")


@pytest.mark.parametrize("module", ["agent.main", "src.agent.main"])
def test_a_server_does_not_start_on_a_wrong_setting(tmp_path, module):
    """It ends, and says which setting it is and what to write; no traceback."""
    done = python("-m", "uvicorn", f"{module}:app", "--port", "0", folder=tmp_path, SAFETY_MODE="perhaps")
    assert done.returncode != 0
    assert "SAFETY_MODE: read 'perhaps'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("start", [("agent.cli", "serve", "--port", "0"), ("uvicorn", "agent.main:app", "--port", "0")])
def test_a_second_server_on_one_state_folder_ends_at_once(tmp_path, start):
    """One sentence that says what to do, no traceback, and no exit code that reads as success or as a negative result."""
    (tmp_path / ".mpa").mkdir()
    with (tmp_path / ".mpa" / "service.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = python("-m", *start, folder=tmp_path)
    assert done.returncode == (2 if start[0] == "agent.cli" else 3)
    assert f"another service runs on {tmp_path / '.mpa'}: stop it, or set MPA_STATE" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("given", "caution"),
    [
        ({}, "until API_TOKEN and WEBHOOK_SECRET is set"),
        ({"API_TOKEN": "t"}, "until WEBHOOK_SECRET is set"),
        ({"API_TOKEN": "t", "WEBHOOK_SECRET": "s"}, ""),
    ],
)
def test_a_server_tells_that_other_machines_are_refused(tmp_path, given, caution):
    """It listens for them, and answers 403 until both secrets are set: whoever starts it should know."""
    start = "from agent import main; main.app._built(main.load())"
    done = python("-c", start, folder=tmp_path, API_HOST="0.0.0.0", **given)  # noqa: S104 - what is tested
    assert done.returncode == 0, done.stderr
    assert (caution in done.stderr) if caution else done.stderr == ""


def test_a_server_says_what_it_looks_after(tmp_path):
    """In its log, with the file that says so; a port that is taken ends it with 2."""
    (tmp_path / "agent.toml").write_text(
        '[[target]]\nname = "shop"\nurl = "http://127.0.0.1:1"\nrepository = "shop.git"\n'
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = python("-m", "agent.cli", "serve", "--port", port, folder=tmp_path)
    assert done.returncode == 2
    assert f"targets: shop (http://127.0.0.1:1); configuration: {tmp_path / 'agent.toml'}" in done.stderr


def test_a_server_tells_of_settings_that_do_nothing_yet(tmp_path):
    """In its log, before it serves anything; the log is JSON from the first line of ours."""
    (tmp_path / "agent.toml").write_text('[policy]\nautonomy = "autonomous"\n')
    start = "from agent import main; main.app._built(main.load())"
    done = python("-c", start, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    [line] = [json.loads(line) for line in done.stderr.splitlines()]
    assert line["level"] == "warning"
    assert 'it acts as "approve"' in line["event"]
