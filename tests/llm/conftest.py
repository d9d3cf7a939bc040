"""A scripted model, an account in a database, and no way to any other server."""

from __future__ import annotations

import pytest

from agent.kit.clock import SystemClock
from agent.store.audit import Chain
from agent.store.store import Store
from llm import model_server


@pytest.fixture
def server():
    """A scripted model."""
    with model_server.running() as started:
        yield started


@pytest.fixture
def store(tmp_path):
    """A database of its own."""
    opened = Store(f"sqlite:///{tmp_path}/agent.db", SystemClock(), Chain(b"key"))
    yield opened
    opened.close()


@pytest.fixture
def analyse(server, store):
    """Let an analyst look at a case while the server plays a script."""
    from llm.cases import analyst, case

    def run(*script, given=None, **settings):
        server.script = list(script)
        return analyst(store.purse, SystemClock(), server.url, **settings).analyse(given or case())

    return run
