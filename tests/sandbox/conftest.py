"""The small target in a repository, and the real laboratory to run it in."""

from __future__ import annotations

import pytest
from sums_target import GOOD, SERVICE, TESTS, Repository

from agent.kit.workspaces import Workspaces
from agent.model.experiment import Capsule, Oracle
from agent.model.target import Target
from agent.sandbox.bubblewrap import Bubblewrap, Limits
from agent.sandbox.environment import Environments
from agent.sandbox.laboratory import SandboxLaboratory


@pytest.fixture
def repository(tmp_path):
    """A repository with the good service in its first commit."""
    repository = Repository(tmp_path / "origin")
    files = {"app__service_py": SERVICE, "app__sums_py": GOOD, "requirements_txt": "# nothing\n", "tests_py": TESTS}
    repository.first = repository.commit(**files)
    return repository


@pytest.fixture
def target(repository):
    """The target as `agent.toml` would describe it."""
    return Target(
        name="sums",
        url="http://127.0.0.1:1",
        repository=repository.path,
        serve=("{python}", "-m", "app.service", "{host}", "{port}"),
        test=("{python}", "tests.py"),
        source="app",
        env={"PYTHONPATH": "."},
        replay_env=("SEED",),
        soak_env={"SOAKING": "1"},
        log_env="SERVICE_LOG",
    )


@pytest.fixture(scope="session")
def environments(tmp_path_factory):
    """Environments that all tests share, so that one is built once."""
    return Environments(tmp_path_factory.mktemp("environments"))


@pytest.fixture
def laboratory(environments, tmp_path):
    """The real laboratory."""
    limits = Limits(wall=60, memory_mib=512)
    laboratory = SandboxLaboratory(Bubblewrap(), environments, Workspaces(tmp_path / "work"), limits=limits, cores=2)
    yield laboratory
    laboratory.close()


@pytest.fixture
def capsule():
    """Makes capsules of requests."""

    def make(*failing, healthy=(), **more):
        oracle = Oracle(strength="weak", name="no exception", description="")
        basis = {
            "id": "c",
            "target": "sums",
            "signal": "errors",
            "commit": "0" * 40,
            "oracle": oracle,
            "lock_hash": "x",
        }
        return Capsule(**basis, failing=failing, healthy=healthy, **more)

    return make
