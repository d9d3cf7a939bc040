"""Which functions a diff touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.diagnosis.blame import MODULE, enclosing, touched

TEXT = """import x

def a(
    b,
):
    c = 1

    return c


class K:
    X = 1

    async def m(self):
        if self:
            return [
                1,
            ]
        return 2


Y = 3
"""
LINES = TEXT.splitlines()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (1, MODULE),
        (3, "a"),
        (4, "a"),
        (6, "a"),
        (7, "a"),
        (8, "a"),
        (12, MODULE),
        (14, "m"),
        (17, "m"),
        (19, "m"),
        (22, MODULE),
    ],
)
def test_a_line_belongs_to_the_function_around_it(line, name):
    """Signatures over several lines, methods, nested blocks and blank lines too."""
    assert enclosing(LINES, line) == name


def test_added_and_removed_lines_name_their_functions():
    """A removed line is looked for where it was."""
    diff = (
        "diff --git a/k.py b/k.py\n--- a/k.py\n+++ b/k.py\n@@ -5,5 +5,4 @@\n ):\n     c = 1\n \n-    c += 1\n     return c\n"
        "@@ -18,2 +17,3 @@\n                 1,\n             ]\n+        return 2\n"
    )
    assert touched(diff, lambda path: TEXT if path == "k.py" else None) == {"k.py:a", "k.py:m"}


@pytest.mark.parametrize("diff", ["", "no diff at all", "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n"])
def test_what_is_no_diff_touches_nothing(diff):
    """Broken or empty text is no reason to fail."""
    assert touched(diff, lambda _path: "") == frozenset()


@given(st.text(alphabet="def aclss():\n\t #[]'", max_size=300), st.integers(-3, 40))
def test_any_text_has_an_answer(text, line):
    """Sources may be anything."""
    assert isinstance(enclosing(text.splitlines(), line), str)
