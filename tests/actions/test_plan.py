"""What is chosen, and what is said about the rest."""

from __future__ import annotations

from datetime import timedelta

from agent.actions.plan import Situation, make_plan
from agent.model.alert import Alert, Episode
from agent.model.delivery import Observation
from agent.model.evidence import Change
from agent.model.experiment import Experiment, Run, Verdict
from agent.model.plan import Abilities
from fakes import records
from fakes.clock import NOON

RUNNING, BEFORE = "b" * 40, "a" * 40
ABLE = Abilities(actions=frozenset({"quarantine", "retrain", "promote"}), restarts=True)


def episode(minute, *, resolved):
    at = NOON + timedelta(minutes=minute)
    alert = Alert(
        status="resolved" if resolved else "firing", labels={"alertname": "High"}, annotations={}, starts_at=at,
        ends_at=None, generator_url="", fingerprint="f" * 16,
    )  # fmt: skip
    return Episode(
        fingerprint="f" * 16, starts_at=at, ends_at=None, alert=alert, target="shop", signal="error_ratio",
        component="shop", resolved=resolved,
    )  # fmt: skip


def guess(cause, confidence, change=None):
    made = records.diagnosis(None, None).hypotheses[0]
    return made.model_copy(
        update={"cause": cause, "confidence": confidence, "change": change, "title": f"{cause} it is"}
    )


def situation(*guesses, signal="error_ratio", firing=True, resolved=False, episodes=(), able=ABLE, tried=(), **fields):
    diagnosis = records.diagnosis(None, None, hypotheses=guesses)
    shown = {"commits": (), "running": RUNNING, "last_good": BEFORE} | {
        key: fields.pop(key) for key in ("commits",) if key in fields
    }
    return Situation(
        incident=records.incident(signal=signal, all_resolved=resolved),
        evidence=records.evidence(**shown),
        diagnosis=diagnosis.model_copy(update=fields),
        now=Observation(at=NOON, commit=RUNNING, firing=(signal,) if firing else ()),
        episodes=episodes,
        abilities=able,
        tried=frozenset(tried),
    )


def option(plan, remedy):
    return next(one for one in plan.options if one.remedy == remedy)


def compared():
    runs = tuple(
        Run(commit=commit, verdict=verdict, reason="", seconds=0.1)
        for commit, verdict in ((RUNNING, Verdict.RED), (BEFORE, Verdict.GREEN))
    )
    return Experiment(id="e", question="", runs=runs, conclusion="", seconds=0.1)


def test_no_code_is_changed_that_no_experiment_convicts():
    """However sure a ranking is of a commit."""
    plan = make_plan(situation(guess("code", 0.93, "c" * 40)))
    assert plan.way.remedy == "escalate"
    assert "reproduced" in option(plan, "repair").against[0]


def test_every_option_is_weighed_and_says_why_not():
    plan = make_plan(situation(guess("dependency", 0.8)))
    assert plan.way.remedy == "escalate"
    assert {one.remedy for one in plan.options} == {
        "repair", "rollback", "restart", "configuration_revert", "quarantine", "retrain", "wait", "escalate",
    }  # fmt: skip
    assert all(one.against for one in plan.options if not one.available)


def test_a_release_that_is_blamed_as_a_whole_is_rolled_back_without_an_experiment():
    """Three commits of one release share the blame; none of them alone would be enough."""
    commits = tuple(records.change(letter * 40, "shop.py") for letter in "bcda")
    plan = make_plan(situation(*(guess("code", 0.3, letter * 40) for letter in "bcd"), commits=commits))
    assert (plan.way.remedy, plan.way.detail) == ("rollback", BEFORE)
    assert "2 other commits" in " ".join(plan.way.against)


def test_what_was_not_shipped_with_the_release_rolls_nothing_back():
    commits = (
        records.change(RUNNING, "shop.py"),
        records.change(BEFORE, "shop.py"),
        records.change("e" * 40, "shop.py"),
    )
    plan = make_plan(situation(guess("code", 0.9, "e" * 40), commits=commits))
    assert plan.way.remedy == "escalate"


def test_a_target_that_is_down_is_rolled_back_before_it_is_repaired():
    """A proven release change and a proven commit: users first."""
    capsule = records.capsule(RUNNING, starts=True)
    plan = make_plan(
        situation(
            guess("code", 0.97, RUNNING), signal="down", culprit=RUNNING, capsule=capsule, experiments=(compared(),)
        )
    )
    assert (plan.first.remedy, plan.way.remedy) == ("rollback", "repair")


def test_settings_that_changed_before_it_began_are_taken_back():
    able = Abilities(restarts=True, settings="abc", settings_replaced_at=NOON - timedelta(seconds=5))
    plan = make_plan(situation(guess("configuration", 0.7, "cfg"), able=able))
    assert (plan.way.remedy, plan.way.detail) == ("configuration_revert", "abc")
    late = able.model_copy(update={"settings_replaced_at": NOON + timedelta(seconds=5)})
    assert make_plan(situation(guess("configuration", 0.7, "cfg"), able=late)).way.remedy == "escalate"


def test_an_alert_that_comes_and_goes_is_flapping():
    """Three times the same, two of them over: watched, whatever is suspected."""
    spells = [episode(0, resolved=True), episode(1, resolved=True), episode(2, resolved=False)]
    plan = make_plan(situation(guess("infrastructure", 0.9), episodes=spells))
    assert (plan.standing, plan.way.remedy) == ("flapping", "wait")
    assert make_plan(situation(guess("infrastructure", 0.9), episodes=spells[1:])).way.remedy == "restart"


def test_what_has_recovered_is_left_alone():
    plan = make_plan(situation(guess("infrastructure", 0.9), resolved=True, firing=False))
    assert (plan.standing, plan.way.remedy) == ("recovered", "none")


def test_wrong_values_without_another_way_are_quarantined():
    """And on suspect data nothing is trained."""
    plan = make_plan(situation(guess("data", 0.8), signal="mae_ratio"))
    assert (plan.way.remedy, plan.first) == ("quarantine", None)
    assert "suspect" in option(plan, "retrain").against[0]


def test_a_deploy_that_is_blamed_counts_as_what_the_release_brought():
    made = situation(guess("code", 0.8, "deploy-9"))
    deploy = Change(
        id="deploy-9", kind="deploy", timestamp=NOON, component="shop", author="", title="deploy", commit=RUNNING
    )
    shown = Situation(**{**vars(made), "evidence": made.evidence.model_copy(update={"deploys": (deploy,)})})
    assert make_plan(shown).way.remedy == "rollback"
