"""How far claims move a ranking: little, by origins, and never by their number."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.analysis import Analysis, Claim, Suggestion
from agent.model.language import Usage
from agent.model.weighing import MOST_SHIFT, STEP, SUGGESTED, shift_of, weighed
from llm.cases import guess

SOURCES = ("metrics", "alert", "log", "changes", "git", "experiment", "traces", "status")
ORIGINS = {f"E{n}": source for n, source in enumerate(SOURCES)}


def said(about, *carried, stance="for", dropped=""):
    return Claim(about=about, stance=stance, statement="a fact", cites=carried, carried=carried, dropped=dropped)


def analysis(*claims, suggestions=()):
    return Analysis(usage=Usage(outcome="used"), claims=claims, suggestions=suggestions, origins=ORIGINS)


def odds(p):
    return log(p / (1 - p))


def test_each_origin_is_one_step_of_log_odds():
    """An alert and a metric are one origin, a commit and its file too."""
    assert shift_of("H1", analysis(said("H1", "E0"))) == STEP
    assert shift_of("H1", analysis(said("H1", "E0", "E1"), said("H1", "E1"), said("H1", "E0"))) == STEP
    assert shift_of("H1", analysis(said("H1", "E0", "E2"), said("H1", "E4", "E3"))) == pytest.approx(3 * STEP)
    assert shift_of("H1", analysis(said("H1", "E0"), said("H1", "E2", stance="against"))) == 0
    assert shift_of("H1", analysis(said("H1", *ORIGINS))) == MOST_SHIFT
    [moved] = weighed([guess(1, 0.4)], analysis(said("H1", "E0")))
    assert odds(moved.confidence) - odds(0.4) == pytest.approx(STEP)


def test_nothing_said_changes_nothing():
    """Neither do claims that were dropped, or about nobody."""
    prior = (guess(1, 0.999), guess(2, 0.001))
    assert weighed(prior, analysis()) == prior
    assert weighed(prior, analysis(said("H2", "E0", dropped="no"), said("H9", "E0"))) == prior


def test_a_close_race_is_decided():
    """The order changes, the ranks follow, and what was said is shown as the model's words."""
    first, second = weighed([guess(1, 0.3, title="a"), guess(2, 0.28, title="b")], analysis(said("H2", "E0", "E2")))
    assert [(each.rank, each.title) for each in (first, second)] == [(1, "b"), (2, "a")]
    assert first.evidence == ("a fact (the model, from E0, E2)",)


def test_a_suggestion_starts_low_and_needs_a_fact():
    """It cannot come before a serious candidate, however much is said for it."""
    new = Suggestion(key="N1", cause="data", component="shop", change=None, title="late bars")
    prior = (guess(1, 0.4),)
    assert len(weighed(prior, analysis(suggestions=(new,)))) == 1
    ranked = weighed(prior, analysis(said("N1", *ORIGINS), suggestions=(new,)))
    assert [each.cause for each in ranked] == ["code", "data"]
    assert SUGGESTED < ranked[1].confidence < 0.1
    known = Suggestion(key="N1", cause="code", component="shop", change=None, title="the same again")
    assert len(weighed(prior, analysis(said("N1", "E0"), suggestions=(known,)))) == 1
    refused = new.model_copy(update={"dropped": "no such change"})
    assert len(weighed(prior, analysis(said("N1", "E0"), suggestions=(refused,)))) == 1


CLAIMS = st.lists(
    st.builds(
        said,
        st.sampled_from(["H1", "H2", "H3", "N1"]),
        st.sampled_from(sorted(ORIGINS)),
        stance=st.sampled_from(["for", "against"]),
    ),
    max_size=30,
)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=3), CLAIMS)
def test_whatever_is_said_the_shift_is_bounded(probabilities, claims):
    """Probabilities stay such, their sum does not grow above 1, and no hypothesis is lost."""
    scale = max(1.0, sum(probabilities))
    prior = [guess(n, p / scale, title=str(n)) for n, p in enumerate(probabilities, 1)]
    moved = weighed(prior, analysis(*claims))
    assert sum(each.confidence for each in moved) <= 1 + 1e-9
    before = {each.title: each.confidence for each in prior}
    assert {each.title for each in moved} == set(before)
    for each in moved:
        p = min(0.995, max(0.005, before[each.title]))
        if 0.01 < each.confidence < 0.99:
            assert odds(each.confidence) <= odds(p) + MOST_SHIFT + 1e-6
