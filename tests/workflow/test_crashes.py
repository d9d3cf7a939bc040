"""Killed at any moment, and called twice: every effect once, and nobody works on what has moved on."""

from __future__ import annotations

import pytest

from agent.errors import Superseded, Unreachable
from agent.model.delivery import Deployment, PullRequest
from agent.model.incident import Outcome, Phase
from agent.model.policy import Rider
from fakes.shop import BAD
from fakes.steps import FakeSteps, Killed

EFFECTS = ("pull-request", "merge", "deploy")


def killed(shop, moments, name):
    """Run until the process dies at that moment."""
    moments.add(name)
    with pytest.raises(Killed):
        shop.run()


def live_on(shop):
    """The next process: it approves when it is asked, and runs to the end."""
    if shop.run().waiting == "approval":
        shop.answer(yes=True)
        shop.run()
    return shop.incident().outcome


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_made_before_the_crash_is_found_and_not_made_again(shop, effect):
    """The process dies when the effect is there and nothing is written down: one of each at the end."""
    shop.alert()
    name = f"{effect}-{shop.incident().id}-1"
    if effect != "pull-request":
        shop.run()
        shop.answer(yes=True)
    killed(shop, shop.memory.kill_after, f"made {name}")
    assert live_on(shop) is Outcome.FIXED
    assert len(shop.forge.pull_requests) == 1
    assert shop.forge.merges == 1
    assert (len(shop.deployer.finished), shop.deployer.restarts) == (1, 1)


@pytest.mark.parametrize("moment", ["kill_before", "kill_after"])
@pytest.mark.parametrize("step", ["collect", "observe before", "diagnose", "repair", "report the proof as a check"])
def test_a_crash_before_the_question_changes_nothing(shop, step, moment):
    """Whatever step was under way, it is run again and the same thing is asked, once."""
    shop.alert()
    killed(shop, getattr(shop.memory, moment), step)
    assert shop.run().waiting == "approval"
    assert len(shop.approvals()) == len(shop.forge.pull_requests) == 1
    assert live_on(shop) is Outcome.FIXED


@pytest.mark.parametrize("step", ["observe", "capsule on both releases"])
def test_a_crash_after_the_yes_changes_nothing(asked, step):
    """The yes stands, and the former release that would be put back is still the one before the deploy."""
    asked.answer(yes=True)
    killed(asked, asked.memory.kill_after, step)
    assert live_on(asked) is Outcome.FIXED
    assert asked.forge.merges == asked.deployer.restarts == 1
    kept = asked.store.document(asked.incident().id, "deployment", Deployment)
    assert kept.previous == BAD


def test_a_roll_back_is_made_once(asked):
    """Killed when the former release runs again and nothing is written down."""
    asked.answer(yes=True)
    asked.run(until=Phase.VERIFY)
    asked.production.ill.add(asked.deployer.current)
    killed(asked, asked.memory.kill_after, f"made rollback-{asked.incident().id}-1")
    assert live_on(asked) is Outcome.ESCALATED
    assert asked.deployer.current == BAD
    assert [done.kind for done in asked.deployer.finished] == ["deploy", "rollback"]


def test_finished_steps_are_not_run_again(shop):
    """The expensive investigation of a killed phase is remembered."""
    shop.alert()
    killed(shop, shop.memory.kill_before, "repair")
    assert shop.run().waiting == "approval"
    assert shop.investigator.asked == 1


def test_a_forge_that_is_away_for_a_moment_is_asked_again(asked, monkeypatch):
    """A transient failure inside a step ends in one merge."""
    merge, away = asked.forge.merge, [Unreachable("gone"), Unreachable("gone")]

    def sometimes(name, head, main):
        if away:
            raise away.pop()
        return merge(name, head, main)

    monkeypatch.setattr(asked.forge, "merge", sometimes)
    asked.answer(yes=True)
    asked.run()
    assert asked.incident().outcome is Outcome.FIXED
    assert asked.forge.merges == 1


def test_a_branch_that_moved_after_the_yes_is_not_merged(asked):
    """Somebody pushed to the agent's branch: what was approved is not there any more."""
    asked.answer(yes=True)
    draft = asked.pull_request()
    asked.forge.pull_requests[draft.name] = draft.model_copy(update={"head": "e" * 40})
    asked.run()
    assert asked.forge.merges == 0
    assert asked.deployer.finished == []


# -- the fencing token -------------------------------------------------------------------------------------------------


def steps(shop, name="another process"):
    return FakeSteps(shop.memory, name)


@pytest.mark.parametrize(
    "other", [{"turn": 7}, {"attempt": 2}, {"phase": Phase.DELIVER}, {"phase": Phase.CLOSED}], ids=str
)
def test_a_phase_that_is_no_longer_current_does_not_begin(shop, other):
    """Another phase, attempt or turn than the row's is somebody else's."""
    shop.alert()
    now = shop.incident()
    with shop.store.begin() as tx:
        tx.save(now.model_copy(update=other))
    with pytest.raises(Superseded):
        shop.workflow.run(now.id, now.phase.value, now.attempt, now.turn, steps(shop))
    assert shop.investigator.asked == 0


def test_a_phase_that_is_overtaken_writes_nothing(shop):
    """A retry while it investigates: its diagnosis is dropped, its next phase never queued."""
    shop.alert()
    now = shop.incident()
    investigate = shop.investigator.investigate

    def overtaken(*args):
        with shop.store.begin() as tx:
            tx.save(now.model_copy(update={"attempt": 2, "turn": 9}))
        return investigate(*args)

    shop.investigator.investigate = overtaken
    with pytest.raises(Superseded):
        shop.workflow.run(now.id, now.phase.value, now.attempt, now.turn, steps(shop))
    after = shop.incident()
    assert (after.phase, after.attempt, after.turn) == (Phase.INVESTIGATE, 2, 9)
    assert "diagnosis.made" not in shop.kinds()


def test_a_delivery_that_is_overtaken_spends_no_approval(asked):
    """The second of two processes that deliver the same turn stops before it merges."""
    asked.answer(yes=True)
    now = asked.incident()
    asked.phase(now)
    assert asked.forge.merges == 1
    with pytest.raises(Superseded):
        asked.workflow.run(now.id, "deliver", now.attempt, now.turn, steps(asked))
    assert (asked.forge.merges, asked.deployer.restarts) == (1, 1)


def test_an_unknown_phase_name_is_nobodys(shop):
    """A name from another version of the program runs nothing."""
    shop.alert()
    now = shop.incident()
    with pytest.raises(Superseded):
        shop.workflow.run(now.id, "mitigate", now.attempt, now.turn, steps(shop))


# -- what a yes is bound to --------------------------------------------------------------------------------------------


def somebody_merges(shop, commit="c" * 40):
    shop.forge.history.append(commit)


def test_a_yes_is_not_used_when_main_has_moved(asked):
    """Another commit would be shipped with it: the approval is left alone, and a new attempt asks again."""
    asked.answer(yes=True)
    somebody_merges(asked)
    again = asked.run()
    assert (again.attempt, again.waiting) == (2, "approval")
    first, second = asked.approvals()
    assert (first.state, second.state) == ("approved", "pending")
    assert first.subject != second.subject
    assert (first.riders, second.riders) == ((), (Rider(commit="c" * 40, title="c2"),))
    assert (asked.forge.merges, asked.deployer.finished) == (0, [])
    assert "approval.stale" in asked.kinds()


def test_the_next_attempt_needs_its_own_yes(asked):
    """The old yes does not count for the new patch; a new one does, on the new base."""
    asked.answer(yes=True)
    somebody_merges(asked)
    asked.run()
    assert asked.run().waiting == "approval"
    assert asked.forge.merges == 0
    asked.answer(yes=True)
    asked.run()
    assert asked.incident().outcome is Outcome.FIXED
    assert asked.pull_request(2).base == "c" * 40
    assert [approval.state for approval in asked.approvals()] == ["approved", "used"]
    assert asked.investigator.asked == 2


def test_a_yes_is_not_used_when_another_release_runs(asked):
    """Somebody rolled back by hand: the deploy would ship other riders than were shown."""
    asked.deployer.current = asked.forge.history[0]
    asked.answer(yes=True)
    assert asked.run().attempt == 2
    assert asked.forge.merges == 0


def test_a_yes_is_not_used_when_the_pull_request_is_gone(asked):
    """What was shown to the person is not there any more."""
    asked.answer(yes=True)
    del asked.forge.pull_requests[asked.pull_request().name]
    asked.run()
    assert asked.forge.merges == 0
    assert asked.deployer.finished == []


def test_documents_are_those_of_the_attempt(asked):
    """The second attempt's pull request is on record under its own name."""
    asked.answer(yes=True)
    somebody_merges(asked)
    asked.run()
    incident = asked.incident().id
    names = [asked.store.document(incident, "pull_request", PullRequest, attempt=n).name for n in (1, 2)]
    assert names == [f"pull-request-{incident}-1", f"pull-request-{incident}-2"]
