"""The search for the culprit, whatever its place and whatever cannot be tested."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.diagnosis.bisect import bisect
from agent.model.experiment import Run, Verdict
from agent.model.patches import join, split
from agent.repair.authors.partial import ddmin


def world(culprit, untestable=()):
    def look(asked):
        runs = []
        for name in asked:
            place = -1 if name == "green" else int(name)
            verdict = Verdict.UNTESTABLE if place in untestable else Verdict.RED if place >= culprit else Verdict.GREEN
            runs.append(Run(commit=name, verdict=verdict, reason="", seconds=0))
        return runs

    return look


@given(st.integers(1, 60), st.data())
def test_the_planted_culprit_is_found(count, data):
    """For every length, place and suspicion the first red commit is named, with its green parent."""
    culprit = data.draw(st.integers(0, count - 1))
    weights = data.draw(st.none() | st.lists(st.floats(0.01, 10), min_size=count, max_size=count))
    search = bisect([str(n) for n in range(count)], "green", world(culprit), weights)
    assert search.culprit == str(culprit)
    assert search.parent == (str(culprit - 1) if culprit else "green")


@given(st.integers(2, 40), st.data())
def test_untestable_commits_never_make_a_wrong_culprit(count, data):
    """With untestable commits the culprit is found, or is among the candidates that are left."""
    culprit = data.draw(st.integers(0, count - 1))
    untestable = data.draw(st.sets(st.integers(0, count - 2)))
    search = bisect([str(n) for n in range(count)], "green", world(culprit, untestable))
    assert search.culprit == str(culprit) or str(culprit) in search.candidates


def test_a_commit_that_stands_out_is_asked_first_beside_the_one_before_it():
    """One round is enough when the suspicion is right; words do not cost a round when they are not suspected."""
    weights = [0.02, 1.0, 0.02, 1.0, 0.02, 5.0, 0.02, 0.02, 1.0, 0.02, 0.02]
    search = bisect([str(n) for n in range(11)], "green", world(5), weights)
    assert [run.commit for run in search.runs] == ["4", "5"]
    search = bisect([str(n) for n in range(11)], "green", world(3), weights)
    assert len(search.runs) <= 6  # three rounds of two


@given(st.integers(1, 60), st.data())
def test_a_search_that_ends_beside_the_parent_has_seen_both_together(count, data):
    """Then, and only then, culprit and parent need no round of their own; the parent was green twice."""
    culprit, rounds = data.draw(st.integers(0, count - 1)), []
    look = world(culprit)

    def remembered(asked):
        rounds.append(list(asked))
        return look(asked)

    search = bisect([str(n) for n in range(count)], "green", remembered)
    if search.beside:
        assert rounds[-1] == [search.culprit, search.parent]
    together = [asked for asked in rounds if search.culprit in asked and search.parent in asked]
    assert search.beside == any(len(asked) == 2 and asked == [search.culprit, search.parent] for asked in together)


def test_a_parent_that_turns_red_beside_its_culprit_is_a_contradiction():
    """It was green a moment ago: nobody is named."""
    seen = []

    def look(asked):
        seen.extend(asked)
        verdicts = [Verdict.RED if name == "2" or seen.count(name) > 1 else Verdict.GREEN for name in asked]
        return [
            Run(commit=name, verdict=verdict, reason="", seconds=0)
            for name, verdict in zip(asked, verdicts, strict=True)
        ]

    search = bisect([str(n) for n in range(4)], "green", look)
    assert (search.culprit, "contradict" in search.reason) == (None, True)


def test_contradictions_name_no_culprit():
    """A fault that comes and goes is said to do so."""
    answers = iter([Verdict.RED, Verdict.GREEN])

    def look(asked):
        return [Run(commit=name, verdict=next(answers), reason="", seconds=0) for name in asked]

    search = bisect([str(n) for n in range(10)], "green", look)
    assert search.culprit is None
    assert "contradict" in search.reason


@given(st.integers(1, 14), st.data())
def test_ddmin_is_minimal(count, data):
    """What is left works, and nothing in it can be left out."""
    needed = data.draw(st.sets(st.integers(0, count - 1), min_size=1))
    left = ddmin(list(range(count)), lambda chosen: needed <= set(chosen))
    assert set(left) == needed


def test_a_diff_taken_apart_and_put_together_is_the_same():
    """Files and hunks keep their order and their headers."""
    diff = (
        "diff --git a/x.py b/x.py\nindex 1..2 100644\n--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n@@ -9 +9 @@\n-d\n+e\n"
        "diff --git a/tests/test_y.py b/tests/test_y.py\n--- a/tests/test_y.py\n+++ b/tests/test_y.py\n@@ -1 +1 @@\n-f\n+g\n"
    )
    pieces = split(diff)
    assert join(pieces) == diff
    assert [(piece.path, piece.is_test) for piece in pieces] == [
        ("x.py", False),
        ("x.py", False),
        ("tests/test_y.py", True),
    ]
