"""Approvals: one person, one subject, once, in time."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Conflict
from agent.model.incident import Incident
from agent.model.policy import Approval, Decision, Rider
from agent.policy.approvals import EXPIRY, approval_subject, ask, current, decide, request, use
from fakes.clock import NOON

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def asked():
    return request("a-1", "i-1", 1, action="merge_and_deploy", subject="s", now=NOON)


def test_a_yes_is_written_and_spent_once(asked):
    """Approved by name, then used; a second use is refused."""
    approved = decide(asked, "ada", yes=True, subject="s", now=LATER, comment="fine")
    assert (approved.state, approved.by, approved.decided_at, approved.comment) == ("approved", "ada", LATER, "fine")
    used = use(approved, "s", LATER)
    assert used.state == "used"
    with pytest.raises(Conflict):
        use(used, "s", LATER)


@pytest.mark.parametrize("verdict", ["needs_approval", "allow"])
def test_the_record_names_what_would_also_ship(verdict):
    """Riders stand on the record itself, with their titles, whoever says yes."""
    incident = Incident(
        id="i-1", target="shop", component="api", signal="error_ratio", title="t", phase="repair", opened_at=NOON
    )
    decision = Decision(verdict=verdict, action="merge_and_deploy", subject="s", reasons=())
    asked = ask("a-1", incident, decision, now=NOON, expiry=EXPIRY, riders={"b" * 40: "Faster", "a" * 40: ""})
    assert asked.riders == (Rider(commit="b" * 40, title="Faster"), Rider(commit="a" * 40))


def test_a_record_from_before_there_were_riders_can_be_read(asked):
    """What an older version stored is not lost."""
    stored = asked.model_dump(mode="json", exclude={"riders"})
    assert Approval.model_validate(stored) == asked


def test_a_no_allows_nothing(asked):
    """Rejected stays rejected."""
    rejected = decide(asked, "ada", yes=False, subject="s", now=LATER)
    assert rejected.state == "rejected"
    with pytest.raises(Conflict):
        use(rejected, "s", LATER)
    with pytest.raises(Conflict, match="answered already"):
        decide(rejected, "bob", yes=True, subject="s", now=LATER)


def test_silence_means_no(asked):
    """After 24 hours neither a late yes nor an unspent one counts."""
    late = NOON + EXPIRY
    assert current(asked, late).state == "expired"
    assert current(asked, late - timedelta(seconds=1)).state == "pending"
    with pytest.raises(Conflict, match="expired"):
        decide(asked, "ada", yes=True, subject="s", now=late)
    approved = decide(asked, "ada", yes=True, subject="s", now=LATER)
    with pytest.raises(Conflict, match="expired"):
        use(approved, "s", late)


def test_an_answer_about_something_else_is_refused(asked):
    """The subject is checked when it is given and again when it is carried out."""
    with pytest.raises(Conflict, match="another patch"):
        decide(asked, "ada", yes=True, subject="other", now=LATER)
    with pytest.raises(Conflict, match="something else"):
        use(decide(asked, "ada", yes=True, subject="s", now=LATER), "other", LATER)


def test_nobody_cannot_approve(asked):
    """A name is needed, and an unanswered approval cannot be spent."""
    with pytest.raises(Conflict):
        decide(asked, "  ", yes=True, subject="s", now=LATER)
    with pytest.raises(Conflict):
        use(asked, "s", LATER)


def test_names_and_comments_are_cleaned(asked):
    """They are shown to people later."""
    approved = decide(asked, "a\x1b[31mda", yes=True, subject="s", now=LATER, comment="password=hunter22")
    assert approved.by == "ada"
    assert "hunter22" not in approved.comment


WORDS = st.text(max_size=6)
PARTS = st.tuples(WORDS, WORDS, WORDS, st.lists(WORDS, max_size=3).map(tuple))


@given(one=PARTS, other=PARTS)
def test_different_subjects_have_different_hashes(one, other):
    """Patch, base, head and the set of riders are all bound; the riders' order is not."""
    same = (*one[:3], tuple(sorted(one[3]))) == (*other[:3], tuple(sorted(other[3])))
    assert (approval_subject(*one) == approval_subject(*other)) is same
