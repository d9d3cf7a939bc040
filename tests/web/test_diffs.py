"""A diff on a page: each line is what git says it is, whatever it reads like."""

from __future__ import annotations

from agent.web.diffs import MOST_ROWS, shown
from web.stories import DIFF


def test_lines_have_their_kind_and_their_numbers():
    """Old numbers on removed lines, new ones on added lines, both on the rest."""
    seen = shown(DIFF)
    assert (seen.added, seen.removed, seen.left_out) == (5, 3, 0)
    hunk = [row for row in seen.rows if row.kind in ("same", "added", "removed")]
    assert [(row.kind, row.old, row.new) for row in hunk[:5]] == [
        ("same", 41, 41),
        ("same", 42, 42),
        ("same", 43, 43),
        ("removed", 44, None),
        ("removed", 45, None),
    ]
    assert (hunk[-1].old, hunk[-1].new) == (47, 49)


def test_content_that_reads_like_a_header_stays_content():
    """A line of code cannot pass itself off as another file, or hide that it is added."""
    diff = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- a/y\n+++ b/y\n @@ -1 +1 @@\n\\ No newline at end of file\n"
    assert [(row.kind, row.text) for row in shown(diff).rows] == [
        ("file", "--- a/x"),
        ("file", "+++ b/x"),
        ("hunk", "@@ -1,2 +1,2 @@"),
        ("removed", "-- a/y"),
        ("added", "++ b/y"),
        ("same", "@@ -1 +1 @@"),
        ("note", "\\ No newline at end of file"),
    ]


def test_other_line_ends_do_not_split_a_line():
    """Only a newline ends a line in a diff; a form feed or U+2028 inside it does not."""
    assert len(shown("@@ -0,0 +1 @@\n+a\x0cb\u2028c\rd\n").rows) == 2


def test_a_long_diff_is_cut_and_says_so():
    """The counts are of the whole."""
    lines = MOST_ROWS + 10
    seen = shown(f"@@ -0,0 +1,{lines} @@\n" + "+x\n" * lines)
    assert (len(seen.rows), seen.added, seen.left_out) == (MOST_ROWS, lines, 11)


def test_senseless_text_is_shown_as_it_is():
    """Not every text is a diff."""
    assert [row.kind for row in shown("hello\n+x\n-y").rows] == ["file", "file", "file"]
    assert shown("").rows == ()
