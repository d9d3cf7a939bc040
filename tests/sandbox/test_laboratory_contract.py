"""The real laboratory and the fake one keep the same promises."""

import pytest
from laboratory_contract import LaboratoryContract
from sums_target import BAD, UNABLE

from agent.model.evidence import Signature
from agent.model.target import Target
from fakes.laboratory import Behaviour, FakeLaboratory

UNFIT = "--- a/app/sums.py\n+++ b/app/sums.py\n@@ -1 +1 @@\n-unfit\n+x\n"


class TestSandboxLaboratory(LaboratoryContract):
    @pytest.fixture
    def good(self, repository):
        return repository.first

    @pytest.fixture
    def bad(self, repository):
        return repository.commit(app__sums_py=BAD)

    @pytest.fixture
    def unable(self, repository):
        return repository.commit(app__sums_py=UNABLE)

    @pytest.fixture
    def cure(self, repository, good, bad):
        return repository.diff(bad, good)

    @pytest.fixture
    def unfit(self):
        return UNFIT


class TestFakeLaboratory(LaboratoryContract):
    @pytest.fixture
    def good(self):
        return "a" * 40

    @pytest.fixture
    def bad(self):
        return "b" * 40

    @pytest.fixture
    def unable(self):
        return "c" * 40

    @pytest.fixture
    def cure(self):
        return "--- a/app/sums.py\n+++ b/app/sums.py\n@@ -1 +1 @@\n-n / (n % 2)\n+n / 2\n"

    @pytest.fixture
    def unfit(self):
        return UNFIT

    @pytest.fixture
    def target(self, tmp_path):
        return Target(name="sums", url="http://127.0.0.1:1", repository=tmp_path)

    @pytest.fixture
    def laboratory(self, good, bad, unable):
        well = Behaviour(answers={"/half?n=4": {"n": 4, "half": 2.0}})
        fault = Signature(exception="ZeroDivisionError", frames=("app/sums.py:answer",))
        releases = {
            good: well,
            bad: Behaviour(fails={"/half?n=4": fault}, broken=("tests.test_app::test_it",)),
            unable: Behaviour(unable=Signature(exception="RuntimeError", frames=("sums.py:<module>",))),
        }
        return FakeLaboratory(releases, {"+n / 2": well})
