"""The world that the tests of the real service share."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.sandbox.environment import Environments
from durable.small_target import LOCK
from durable.small_world import World


@pytest.fixture
def world(tmp_path_factory) -> Iterator[World]:
    """A broken release is in production, the release before it was well, and the agent is up."""
    environments = tmp_path_factory.getbasetemp() / "environments"
    made = World(environments)
    try:
        with ThreadPoolExecutor(1) as pool:
            built = pool.submit(Environments(environments).build, LOCK)  # some seconds; the rest goes on beside it
            made.deploy("ci-baseline", made.history.baseline)
            made.deploy("ci-broken", made.history.broken)
            made.service.start()
            built.result()
        yield made
    finally:
        made.close()
