"""The autonomy ladder and the circuit breaker."""

from datetime import timedelta

import pytest

from agent.model.experiment import Oracle
from agent.model.incident import Incident
from agent.model.policy import Autonomy
from agent.model.repair import Patch, Proof, Proposal, Trial
from agent.policy.breaker import CircuitBreaker, PastAction
from agent.policy.policy import SafetyPolicy
from fakes.clock import NOON, FakeClock

INCIDENT = Incident(id="i-1", target="shop", component="shop", signal="error_ratio", title="errors", opened_at=NOON)
PATCH = Patch(base="a" * 40, diff="d", author="revert", title="t")
ACTIONS = ("draft", "merge_and_deploy", "rollback", "restart")


def proposal(*, strength="strong", accepted=True, notes=(), patch_hash=PATCH.hash, passed=True):
    return Proposal(
        patch=PATCH,
        proof=Proof(
            id="p-1",
            patch_hash=patch_hash,
            capsule_id="c",
            oracle=Oracle(strength=strength, name="answers", description="d"),
            trials=(Trial(name="red before", passed=passed, detail=""),),
            accepted=accepted,
            notes=notes,
            created_at=NOON,
        ),
    )


def policy(*, safety=False, stop=False, autonomy=Autonomy.AUTONOMOUS, granted=True, past=(), drafts=True):
    pairs = frozenset(("error_ratio", action) for action in ACTIONS) if granted else frozenset()
    return SafetyPolicy(
        FakeClock(),
        safety_mode=lambda: safety,
        emergency_stop=lambda: stop,
        autonomy=autonomy,
        granted=pairs,
        history=lambda _target: past,
        drafts=drafts,
    )


def decide(made, action="merge_and_deploy", incident=INCIDENT, of=None):
    return made.decide(action, incident, "subject", of if of is not None else proposal())


def test_by_default_a_person_decides():
    """Safety on, nothing granted: a proven patch may be drafted, and needs a yes for anything outside."""
    made = SafetyPolicy(FakeClock(), safety_mode=lambda: True, emergency_stop=lambda: False)
    assert decide(made, "draft").verdict == "allow"
    for action in ("merge_and_deploy", "rollback", "restart"):
        decision = decide(made, action)
        assert decision.verdict == "needs_approval"
        assert any("safety mode" in reason for reason in decision.reasons)


def test_what_was_granted_is_allowed_without_safety_mode():
    """Autonomous, granted, strong oracle, nothing against it."""
    assert decide(policy()).verdict == "allow"


@pytest.mark.parametrize("action", ACTIONS[1:])
def test_safety_mode_caps_what_was_granted(action):
    """Even fully autonomous, safety mode asks."""
    assert decide(policy(safety=True), action).verdict == "needs_approval"


@pytest.mark.parametrize("action", ACTIONS[1:])
def test_what_was_not_granted_is_asked(action):
    """A grant is per signal and action; none by default."""
    assert decide(policy(granted=False), action).verdict == "needs_approval"
    other = INCIDENT.model_copy(update={"signal": "data_age"})
    assert decide(policy(), action, other).verdict == "needs_approval"


@pytest.mark.parametrize("action", ACTIONS)
def test_emergency_stop_beats_everything(action):
    """Nothing at all is done."""
    assert decide(policy(stop=True), action).verdict == "deny"


def test_flags_are_asked_anew_each_time():
    """A stop works at once, on the same policy."""
    flags = {"stop": False}
    made = SafetyPolicy(FakeClock(), safety_mode=lambda: True, emergency_stop=lambda: flags["stop"])
    assert decide(made).verdict == "needs_approval"
    flags["stop"] = True
    assert decide(made).verdict == "deny"


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_done_to_an_unassigned_target(action):
    """Alerts of nobody's target are diagnosed at most."""
    unknown = INCIDENT.model_copy(update={"target": "unassigned"})
    assert decide(policy(), action, unknown).verdict == "deny"


@pytest.mark.parametrize("action", ["draft", "merge_and_deploy"])
@pytest.mark.parametrize(
    "unproven",
    [
        Proposal(patch=None, proof=None),
        Proposal(patch=PATCH, proof=None),
        proposal(accepted=False),
        proposal(passed=False),
        proposal(patch_hash="another"),
        proposal().model_copy(update={"proof": proposal().proof.model_copy(update={"trials": ()})}),
    ],
)
def test_nothing_unproven_is_pushed_or_merged(action, unproven):
    """No patch, no proof, a failed trial, an empty proof, or the proof of another patch."""
    assert decide(policy(), action, of=unproven).verdict == "deny"
    assert policy().decide(action, INCIDENT, "subject", None).verdict == "deny"


@pytest.mark.parametrize("weak", [proposal(strength="weak"), proposal(notes=("tests from the culprit's parent",))])
def test_a_weak_proof_needs_a_person_even_when_granted(weak):
    """A weak oracle, or anything the judge wants a person to see."""
    assert decide(policy(), of=weak).verdict == "needs_approval"


@pytest.mark.parametrize(
    ("autonomy", "allowed", "asked"),
    [
        (Autonomy.OBSERVE, set(), set()),
        (Autonomy.DIAGNOSE, set(), set()),
        (Autonomy.PROPOSE, {"draft"}, set()),
        (Autonomy.APPROVE, {"draft"}, {"merge_and_deploy", "rollback", "restart"}),
        (Autonomy.AUTONOMOUS, set(ACTIONS), set()),
    ],
)
def test_the_ladder(autonomy, allowed, asked):
    """Each level allows what is written for it, and nothing of the next one."""
    verdicts = {action: decide(policy(autonomy=autonomy), action).verdict for action in ACTIONS}
    assert {action for action, verdict in verdicts.items() if verdict == "allow"} == allowed
    assert {action for action, verdict in verdicts.items() if verdict == "needs_approval"} == asked


def test_a_draft_that_runs_ci_is_outside():
    """Where a draft is an effect outside, safety mode asks."""
    assert decide(policy(safety=True, drafts=False), "draft").verdict == "needs_approval"


def past(count, *, helped=False, hours=1.0):
    return tuple(
        PastAction(at=NOON - timedelta(hours=hours), action="merge_and_deploy", helped=helped) for _ in range(count)
    )


def test_ineffective_actions_trip_the_breaker():
    """The third action without help within the window denies merging and restarting; a roll back is never held up."""
    assert decide(policy(past=past(2))).verdict == "allow"
    tripped = policy(past=past(3))
    assert "did not help" in decide(tripped).reasons[0]
    assert [decide(tripped, action).verdict for action in ACTIONS] == ["allow", "deny", "allow", "deny"]


def test_repeated_actions_trip_the_breaker():
    """Even when each one seemed to help."""
    assert CircuitBreaker(repeated=6).reasons(past(6, helped=True), NOON) == ()
    assert CircuitBreaker(repeated=6).reasons(past(7, helped=True), NOON) != ()


def test_the_breaker_closes_with_time():
    """What is older than the window does not count, nor what is still open."""
    assert CircuitBreaker().reasons(past(9, hours=7), NOON) == ()
    assert CircuitBreaker().reasons(past(5, helped=None), NOON) == ()
