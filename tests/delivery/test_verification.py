"""Did it help? Every answer needs evidence; silence is none."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.delivery.verification import MOST_OBSERVATIONS, VerificationRules
from agent.model.delivery import Observation, Verification
from fakes.clock import NOON

RULES = VerificationRules(window_seconds=10, max_wait_seconds=60)
COMMIT = "c" * 40
BEFORE = Observation(at=NOON, commit="b" * 40, signals={"error_ratio": 0.3}, firing=("error_ratio", "latency_p95"))


def seen(second, *, requests=100, failing=10, firing=(), commit=COMMIT, signals=None, window=0.0):
    return Observation(
        at=NOON + timedelta(seconds=second),
        commit=commit,
        signals={"error_ratio": 0.0} if signals is None else signals,
        requests=requests,
        failing_kind_requests=failing,
        firing=firing,
        window_seconds=window,
    )


def watch(observations, *, rules=RULES, before=BEFORE, signal="error_ratio", resolved=True):
    """Judge one observation after the other until there is an answer."""
    verification = Verification(state="watching", since=NOON, before=before)
    for observation in observations:
        verification = rules.judge(verification, observation, signal, observation.at, resolved=resolved, commit=COMMIT)
    return verification


def test_a_quiet_window_with_enough_traffic_confirms():
    """Not before the window is over; then with the numbers in the reasons."""
    assert watch([seen(second) for second in range(10)]).state == "watching"
    done = watch([seen(second) for second in range(11)])
    assert (done.state, done.requests, done.failing_kind_requests) == ("confirmed", 100, 10)
    assert "100 requests, 10 of the failing kind" in done.reasons


def test_a_breach_that_comes_back_and_stays_is_failure():
    """Quiet at first, like a leak after a restart; as long as two windows, because a signal may be noisy for one."""
    relapse = [seen(second, firing=("error_ratio",) if second >= 8 else ()) for second in range(60)]
    assert watch(relapse[:28]).state == "watching"
    done = watch(relapse[:29])
    assert (done.state, done.reasons) == ("failed", ("error_ratio was quiet after the deploy and is in breach again",))


def test_an_alert_that_still_fires_keeps_the_answer_open():
    """Whoever raised it may measure what we cannot, or with a stricter limit."""
    quiet = [seen(second) for second in range(61)]
    done = watch(quiet, resolved=False)
    assert done.state == "inconclusive"
    assert "not every alert of this incident has resolved" in done.reasons


@pytest.mark.parametrize(("requests", "failing"), [(0, 0), (49, 10), (100, 2)])
def test_silence_is_inconclusive(requests, failing):
    """Too few requests, or too few of the failing kind, never confirm; at the end of the wait that is the answer."""
    quiet = [seen(second, requests=requests, failing=failing) for second in range(61)]
    assert watch(quiet[:60]).state == "watching"
    done = watch(quiet)
    assert done.state == "inconclusive"
    assert any("of at least" in reason for reason in done.reasons)


def test_a_signal_that_stays_in_breach_fails():
    """Continuously since the deploy settled, over the whole window."""
    loud = [seen(second, firing=("error_ratio",)) for second in range(11)]
    assert watch(loud[:10]).state == "watching"
    done = watch(loud)
    assert done.state == "failed"
    assert "error_ratio" in done.reasons[0]


def test_a_signal_in_breach_needs_no_traffic_to_fail():
    """A service that is down answers nobody."""
    down = [seen(second, requests=0, failing=0, firing=("up",), signals={}) for second in range(11)]
    assert watch(down, signal="up").state == "failed"


def test_a_late_breach_starts_the_window_again():
    """A blip is neither success nor failure: the signal must be quiet for a whole window."""
    blip = [seen(second, firing=("error_ratio",) if second == 8 else ()) for second in range(30)]
    assert watch(blip[:18]).state == "watching"
    assert watch(blip[:20]).state == "confirmed"


def test_a_golden_signal_that_breaks_anew_fails():
    """The fix cured the alert and broke something else."""
    traded = [seen(second, firing=("memory_growth",)) for second in range(6)]
    done = watch(traded)
    assert done.state == "failed"
    assert "memory_growth" in done.reasons[0]


def test_what_was_in_breach_before_is_named_and_not_held_against_the_fix():
    """Another signal's old breach is another incident's matter."""
    done = watch([seen(second, firing=("latency_p95",)) for second in range(11)])
    assert done.state == "confirmed"
    assert any("latency_p95" in reason for reason in done.reasons)


def test_another_commit_running_fails():
    """A verification of what is not running proves nothing."""
    foreign = [seen(second, commit="d" * 40) for second in range(11)]
    assert watch(foreign[:10]).state == "watching"
    assert "dddddddddd" in watch(foreign).reasons[0]
    assert watch(foreign).state == "failed"


def test_a_short_or_missing_commit_is_not_another_one():
    """Targets may shorten their commit or not tell it."""
    assert watch([seen(second, commit=COMMIT[:12]) for second in range(11)]).state == "confirmed"
    assert watch([seen(second, commit=None) for second in range(11)]).state == "confirmed"


def test_a_signal_that_vanished_is_not_quiet():
    """What was measured before and is not measured now keeps the question open."""
    gone = watch([seen(second, signals={}) for second in range(61)])
    assert gone.state == "inconclusive"
    assert "error_ratio cannot be measured now" in gone.reasons


def test_measurements_that_reach_back_before_the_deploy_do_not_count():
    """A trailing window of 30 s still shows the old release's errors for 30 s; they are nobody's failure."""
    stale = [seen(second, window=30, firing=("error_ratio",) if second < 28 else ()) for second in range(45)]
    assert watch(stale[:28]).state == "watching"
    assert watch(stale).state == "confirmed"


def test_an_answer_is_final():
    """Later observations do not change it."""
    done = watch([seen(second) for second in range(11)])
    assert (
        RULES.judge(done, seen(20, firing=("error_ratio",)), "error_ratio", NOON, resolved=True, commit=COMMIT) is done
    )


def test_what_is_kept_is_bounded():
    """However long the wait."""
    rules = VerificationRules(window_seconds=10, max_wait_seconds=10_000)
    done = watch([seen(second, requests=1) for second in range(MOST_OBSERVATIONS + 50)], rules=rules)
    assert len(done.observations) == MOST_OBSERVATIONS


OBSERVATIONS = st.lists(
    st.builds(
        dict,
        requests=st.integers(0, 200),
        failing=st.integers(0, 20),
        firing=st.lists(st.sampled_from(["error_ratio", "up", "latency_p95"]), max_size=2, unique=True).map(tuple),
        commit=st.sampled_from([COMMIT, None, "d" * 40]),
    ),
    max_size=70,
)


@given(raw=OBSERVATIONS)
def test_nothing_is_confirmed_without_traffic_and_quiet(raw):
    """Whatever production says: confirmed means enough requests, the right commit, and a quiet last observation."""
    done = watch([seen(second, **fields) for second, fields in enumerate(raw)])
    if done.state == "confirmed":
        last = done.observations[-1]
        assert done.requests >= 50
        assert done.failing_kind_requests >= 3
        assert "error_ratio" not in last.firing
        assert last.commit in (COMMIT, None)
    if len(raw) > 60:
        assert done.state != "watching"
