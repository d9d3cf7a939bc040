"""Approvals: one person, one subject, once, in time."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Conflict
from agent.policy.approvals import EXPIRY, approval_subject, current, decide, request, use
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
