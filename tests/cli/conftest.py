"""The command line in this process, in a folder of its own, with a real service to speak to where one is asked for."""

from __future__ import annotations

import socket
import sys
import threading
import time
from dataclasses import dataclass

import pytest
import uvicorn

from agent.app import App
from agent.cli.commands import main
from agent.settings import Settings, load
from agent.web.access import ensure_token
from agent.web.api import create_api


@dataclass
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder without a `.env`, with settings of its own and an address where nothing answers."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("API_PORT", str(probe.getsockname()[1]))
    monkeypatch.setenv("MPA_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def mpa(place, capsys, monkeypatch):
    """Runs one command as the console script does."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["mpa", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else 0, said.out, said.err)

    return run


@pytest.fixture
def service(place):
    """The real routes over a real agent that does not work by itself, at the address of the settings."""
    settings = load()
    agent = App(settings)
    ensure_token(settings)
    config = uvicorn.Config(
        create_api(lambda: agent, settings), port=settings.api_port, log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    yield agent
    server.should_exit = True
    thread.join()
    agent.store.close()
