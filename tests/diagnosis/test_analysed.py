"""A model's claims meet the engine's diagnosis; with none, or when it fails, the diagnosis stands."""

from __future__ import annotations

import pytest

from agent.diagnosis.analysed import AnalysedInvestigator, analysed, readings_of
from agent.evidence.history import GitHistory
from agent.llm.analyst import LangChainAnalyst, NoAnalyst, open_analyst
from agent.model.analysis import Claim
from agent.model.case import Readings
from agent.model.diagnosis import Diagnosis
from agent.model.experiment import Experiment, Run, Verdict
from agent.model.language import LanguageModel, Usage
from agent.model.target import Target
from agent.model.wording import usage_line
from fakes import records
from fakes.analyst import FakeAnalyst
from fakes.clock import FakeClock
from fakes.repository import Repository
from fakes.trail import FakeTrail

COMMIT, OTHER = "a" * 40, "b" * 40
FOR_SECOND = Claim(about="H2", stance="for", statement="41 times", cites=("E1", "E2"), carried=("E1", "E2"))


EXPERIMENT = Experiment(
    id="exp-1",
    question="does it happen again?",
    runs=(Run(commit=COMMIT, verdict=Verdict.GREEN, reason="200", seconds=1.0),),
    conclusion="green",
    seconds=1.0,
)


def two(**fields):
    """Two candidates close to each other."""
    first = records.diagnosis(COMMIT, None).hypotheses[0].model_copy(update={"confidence": 0.4, "title": "first"})
    second = first.model_copy(update={"confidence": 0.35, "title": "second", "change": OTHER, "rank": 2})
    return records.diagnosis(None, None, hypotheses=(first, second), experiments=(EXPERIMENT,), **fields)


def test_claims_are_weighed_in_and_kept():
    """Ranking and confidence are ours; the record is stored with the diagnosis and can be read back."""
    who = FakeAnalyst(FOR_SECOND, origins={"E1": "log", "E2": "metrics"})
    after = analysed(two(), records.evidence(), who, records.incident())
    assert [each.title for each in after.hypotheses] == ["second", "first"]
    assert after.analysis == who.analysis
    assert Diagnosis.model_validate_json(after.model_dump_json()) == after


def test_an_analyst_gets_all_that_has_an_id():
    """Evidence, experiments, changes once each with the blamed ones first, gaps, and where to look further."""
    who, readings = FakeAnalyst(), Readings(logs=lambda *_: "")
    changes = tuple(records.change(str(n) * 40) for n in range(3))
    evidence = records.evidence(commits=(*changes, records.change(OTHER)), reported=(changes[0],))
    analysed(two(), evidence, who, records.incident(), readings)
    [case] = who.cases
    assert [fact.id for fact in case.evidence] == ["exp-1"]
    assert f"{COMMIT} green: 200" in case.evidence[0].summary
    assert case.changes[0].id == OTHER
    assert len(case.changes) == 4
    assert case.readings is readings


@pytest.mark.parametrize(("outcome", "gaps"), [("limit", 1), ("failed", 1), ("no_answer", 1), ("no_model", 0)])
def test_without_a_result_the_diagnosis_stands(outcome, gaps):
    """And says why the model was not used; that none is set is no gap."""
    before = two()
    after = analysed(before, records.evidence(), FakeAnalyst(outcome=outcome, reason="because"), records.incident())
    assert after.hypotheses == before.hypotheses
    assert (after.analysis.usage.outcome, after.analysis.usage.reason) == (outcome, "because")
    assert [gap.reason for gap in after.gaps] == ["not used: because"] * gaps


def test_a_confirmed_cause_is_not_put_up_for_discussion():
    """No call is made for it, and none where there is nothing to weigh."""
    who = FakeAnalyst(FOR_SECOND)
    for before in (records.diagnosis(COMMIT, None), records.diagnosis(None, None, hypotheses=())):
        after = analysed(before, records.evidence(), who, records.incident())
        assert after.hypotheses == before.hypotheses
        assert after.analysis.usage.outcome == "not_needed"
    assert who.cases == []


def test_no_analyst_says_so():
    """The port's simplest implementation."""
    after = analysed(two(), records.evidence(), NoAnalyst(), records.incident())
    assert after.analysis.usage.reason == "LLM_MODEL is not set"


def test_what_a_model_took_is_one_sentence():
    """For people, whether it was used or not."""
    usage = Usage(
        outcome="used", model="openai:gpt-4o", calls=2, tokens_in=900, tokens_out=100, money=0.0125, seconds=4.0
    )
    assert usage_line(usage) == "openai:gpt-4o was asked (2 calls, 1000 tokens, 4.0 s, 0.0125 USD)"
    unused = Usage(outcome="failed", reason="no answer within 45 s", calls=1, money=None, seconds=45.0)
    said = "no language model was used: no answer within 45 s (1 calls, 0 tokens, 45.0 s, no price known)"
    assert usage_line(unused) == said
    assert usage_line(NoAnalyst().analyse(None).usage) == "no language model was used: LLM_MODEL is not set"


def test_files_and_diffs_are_read_from_git(tmp_path):
    """At commits of the case, and from each change's parent; a first commit has no diff."""
    repository = Repository(tmp_path / "shop")
    first = repository.commit({"shop.py": "a = 1\n"})
    second = repository.commit({"shop.py": "a = 2\n"})
    found = readings_of(GitHistory(repository.path, "main"), Readings(logs=lambda *_: "kept"))
    assert found.source(first, "shop.py") == "a = 1\n"
    assert found.source(first, "nothing.py") is None
    assert "+a = 2" in found.diff(records.change(second))
    assert found.diff(records.change(first)) is None
    assert found.logs("", None) == "kept"


def test_the_settings_choose_the_analyst():
    """None without a model; with one nothing is opened before there is a case."""
    assert isinstance(open_analyst(None, None, None), NoAnalyst)
    assert isinstance(open_analyst(LanguageModel(model="nobody:knows"), None, None), LangChainAnalyst)


class Ready:
    """An investigation that is done."""

    def __init__(self, diagnosis):
        self.diagnosis = diagnosis

    def investigate(self, *_case):
        """What it found."""
        return self.diagnosis


def test_an_investigation_ends_with_what_the_analyst_found(tmp_path):
    """The claims are weighed in, and the trail says what the model took."""
    who, trail = FakeAnalyst(FOR_SECOND, origins={"E1": "log", "E2": "metrics"}), FakeTrail(FakeClock())
    investigator = AnalysedInvestigator(Ready(two()), who, lambda _target: GitHistory(tmp_path, "main"), trail)
    after = investigator.investigate(
        records.incident(), Target(name="shop", url="http://127.0.0.1:1", repository=tmp_path), records.evidence()
    )
    assert [each.title for each in after.hypotheses] == ["second", "first"]
    assert [entry.kind for entry in trail.entries()] == ["analysis.made"]


def test_without_a_model_nothing_is_said_and_nothing_changes(tmp_path):
    """The diagnosis stands as it is."""
    trail = FakeTrail(FakeClock())
    investigator = AnalysedInvestigator(Ready(two()), NoAnalyst(), lambda _target: GitHistory(tmp_path, "main"), trail)
    after = investigator.investigate(
        records.incident(), Target(name="shop", url="http://127.0.0.1:1", repository=tmp_path), records.evidence()
    )
    assert after.hypotheses == two().hypotheses
    assert trail.entries() == ()
