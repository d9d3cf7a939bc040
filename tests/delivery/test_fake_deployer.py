"""The fake deployer keeps the same promises as the real one."""

import pytest

from agent.model.target import Target
from delivery.contract import DeployerContract
from fakes.deployer import FakeDeployer


class TestFakeDeployer(DeployerContract):
    @pytest.fixture
    def good(self):
        return ("a" * 40, "b" * 40)

    @pytest.fixture
    def broken(self):
        return "c" * 40

    @pytest.fixture
    def deployer(self, good, broken):
        return FakeDeployer((*good, broken), broken=(broken,))

    @pytest.fixture
    def target(self, tmp_path):
        return Target(name="shop", url="http://127.0.0.1:1", repository=tmp_path)
