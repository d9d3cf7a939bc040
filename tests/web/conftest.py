"""The real agent behind its real routes: a SQLite store in a temporary folder, no target, nothing started."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from agent.app import App
from agent.settings import Settings
from agent.web.access import ensure_token
from agent.web.api import create_api


@pytest.fixture
def settings(tmp_path):
    config = tmp_path / "agent.toml"
    config.write_text("")
    return Settings(_env_file=None, mpa_state=tmp_path / "state", mpa_config=config)


@pytest.fixture
def agent(settings):
    app = App(settings)
    yield app
    app.monitoring.stop()
    app.store.close()


@pytest.fixture
def client(agent):
    """Somebody on this machine, without a token."""
    api = create_api(lambda: agent, agent.settings)
    return TestClient(
        api,
        base_url="http://127.0.0.1",
        client=("127.0.0.1", 1),
        raise_server_exceptions=False,
        follow_redirects=False,
    )


@pytest.fixture
def person(agent):
    """The headers of a named person."""
    return {"authorization": f"Bearer {ensure_token(agent.settings)}", "x-principal": "ines"}
