"""The fake forge keeps the same promises as the real ones."""

import pytest

from agent.model.delivery import Commit
from fakes.forge import FakeForge
from forge.contract import ForgeContract


class TestFakeForge(ForgeContract):
    @pytest.fixture
    def history(self):
        return ("1" * 40, "2" * 40, "3" * 40)

    @pytest.fixture
    def forge(self, history):
        return FakeForge(history)

    @pytest.fixture
    def commits(self):
        return tuple(Commit(message=f"m{n}", diff=f"d{n}", author="A <a@b>") for n in range(2))

    @pytest.fixture
    def unfit(self):
        return Commit(message="m", diff="unfit", author="A <a@b>")

    @pytest.fixture
    def somebody_merges(self, forge):
        def merge():
            forge.history.append("4" * 40)
            return "4" * 40

        return merge
