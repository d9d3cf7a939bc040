"""What a patch may touch, and the tricks to touch more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.diff_rules import MAX_BYTES, DiffRules, is_test, kind_of, path_problem

RULES = DiffRules(protected=("config/", "*.key", "src/risk/limits.py"))


def edit(path, *, old="a", new="b"):
    head = f"diff --git a/{path} b/{path}\nindex 1111111..2222222 100644\n"
    return f"{head}--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-{old}\n+{new}\n"


def added(path, mode="100644"):
    head = f"diff --git a/{path} b/{path}\nnew file mode {mode}\nindex 0000000..2222222\n"
    return f"{head}--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"


QUOTED = edit("T").replace("a/T", '"a/te\\163ts/x.py"').replace("b/T", '"b/te\\163ts/x.py"')


def test_an_edit_of_plain_source_passes():
    """Also without git's own header, with a missing last new line, and with spaces and accents in the name."""
    assert RULES.check(edit("src/app.py")) == ()
    assert RULES.check("--- a/src/app.py\n+++ b/src/app.py\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n") == ()
    assert RULES.check(edit("src/app.py")[:-1] + "\n\\ No newline at end of file\n") == ()
    assert RULES.check(edit("src/café.py")) == ()
    assert RULES.check(added("src/new.py")) == ()
    assert RULES.check(edit("src/a b.py").replace("a b.py\n+++", "a b.py\t\n+++")) == ()


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_app.py", "src/pkg/test_app.py", "src/app_test.go", "conftest.py", "Tests/x.py", "TESTS/x.py",
        "pytest.ini", "pyproject.toml", ".github/workflows/ci.yml", ".GitHub/x", ".gitlab-ci.yml", "Jenkinsfile",
        ".ci/run", "uv.lock",
        "requirements.txt", "requirements-dev.txt", "package-lock.json", "go.sum", "agent.toml", ".env", ".env.local",
        ".mpa/token", "sitecustomize.py", "src/x.pth", "config/app.yaml", "CONFIG/deep/x", "src/a.key",
        "src/risk/limits.py",
        "src/__tests__/a.js", "a.spec.ts", ".gitattributes", "\uff54ests/x.py",
    ],
)  # fmt: skip
def test_what_judges_or_guards_is_refused(path):
    """Tests, CI, locks, the agent's settings and protected paths, whatever their case; edited, added or removed."""
    assert RULES.check(edit(path))
    assert RULES.check(added(path))
    assert RULES.check(edit("src/app.py") + edit(path))


def test_policy_may_name_a_path():
    """``allowed`` lifts the rule for that path and no other."""
    rules = DiffRules(allowed=("pyproject.toml",))
    assert rules.check(edit("pyproject.toml")) == ()
    assert rules.check(edit("tests/x.py"))


@pytest.mark.parametrize(
    "path",
    ["../x.py", "src/../../x", "/etc/passwd", "src//x", "./x", ".git/config", ".GIT/hooks/x", "src/.git/config",
     "git~1/x", ".git /config", "a\\..\\b", "src/\u200btests", "src/x\u202ey.py"],
)  # fmt: skip
def test_paths_that_leave_the_tree_or_enter_git_are_refused(path):
    """However they are spelled."""
    assert path_problem(path) is not None
    assert RULES.check(edit(path))


@pytest.mark.parametrize(
    "diff",
    [
        "",
        "hello",
        "diff --git a/src/x b/src/x\n",
        QUOTED,
        edit("src/x.py").replace("--- a/src/x.py", "--- a/tests/x.py"),
        edit("src/x.py").replace("+++ b/src/x.py", "+++ b/tests/x.py"),
        edit("src/x.py").replace("diff --git a/src/x.py b/src/x.py", "diff --git a/tests/x.py b/src/x.py"),
        edit("src/x.py").replace("--- a/src", "--- src").replace("+++ b/src", "+++ src"),
        "From: somebody\n\n" + edit("src/x.py"),
        edit("src/x.py") + "junk\n",
        edit("src/x.py") + "--- a/tests/x.py\n",
        edit("src/x.py").replace("@@ -1 +1 @@", "@@ -1 +1,9 @@"),
        "diff --git a/src/x b/tests/x\nsimilarity index 100%\nrename from src/x\nrename to tests/x\n",
        "diff --git a/src/x b/src/y\nsimilarity index 100%\nrename from src/x\nrename to src/y\n",
        "diff --git a/src/x b/src/y\nsimilarity index 100%\ncopy from src/x\ncopy to src/y\n",
        "diff --git a/src/x b/src/x\nold mode 100644\nnew mode 100755\n",
        "diff --git a/src/x b/src/x\nindex 1111111..2222222 100644\nBinary files a/src/x and b/src/x differ\n",
        "diff --git a/src/x b/src/x\nindex 1111111..2222222 100644\nGIT binary patch\nliteral 1\nIcmZ\n\n",
        added("src/link", "120000"),
        added("src/sub", "160000"),
        added("src/run.sh", "100755"),
        edit("src/link").replace("100644", "120000"),
        edit("src/x.py").replace("index 1111111..2222222 100644", "index 1111111..2222222 100644\nstrange header"),
        "x" * (MAX_BYTES + 1),
    ],
)  # fmt: skip
def test_what_is_not_a_plain_text_diff_is_refused(diff):
    """Renames, links, modes, binaries, two names for one file, and lines that only one parser would read."""
    assert RULES.check(diff)


def test_a_patch_is_small():
    """Added and removed lines count."""
    body = "".join(f"+{n}\n" for n in range(401))
    diff = f"diff --git a/src/x b/src/x\nnew file mode 100644\n--- /dev/null\n+++ b/src/x\n@@ -0,0 +1,401 @@\n{body}"
    assert any("401 lines" in reason for reason in RULES.check(diff))
    assert DiffRules(max_lines=401).check(diff) == ()


def test_lines_that_look_like_headers_are_only_lines():
    """Content beginning like a header inside a hunk neither hides nor invents a path."""
    assert RULES.check(edit("src/x.py", old="-- a/tests/x.py", new="++ b/tests/x.py")) == ()


def test_the_kind_of_a_path_is_said_in_words():
    """The judge uses the same words."""
    assert kind_of("src/app.py") is None
    assert is_test("tests/data/x.json")
    assert not is_test("src/latest/contest.py")


SEGMENTS = st.text(alphabet=st.sampled_from('abTEST./\\"~ \u202e\u0130git'), min_size=1, max_size=12)


@given(folder=SEGMENTS, name=SEGMENTS, case=st.sampled_from([str.upper, str.lower, str.title]))
def test_no_spelling_of_a_tests_folder_gets_through(folder, name, case):
    """Whatever stands before and after, a folder called tests in any case is refused."""
    assert RULES.check(edit(f"{folder}/{case('tests')}/{name}"))
    assert RULES.check(added(f"{case('tests')}/{name}"))


@given(diff=st.text(max_size=400))
def test_any_text_gets_an_answer(diff):
    """No input makes the rules raise, and no random text passes."""
    assert RULES.check(diff)


@given(
    cut=st.integers(0, 200), junk=st.sampled_from(["\n", "+", "@@ -1 +1 @@\n", "--- a/tests/t\n+++ b/tests/t\n", "\r"])
)
def test_a_damaged_diff_never_hides_a_second_file(cut, junk):
    """Cut anywhere and with anything put in between, a diff that touches tests stays refused."""
    whole = edit("src/x.py") + edit("tests/t.py")
    at = min(cut, len(edit("src/x.py")))
    assert RULES.check(whole[:at] + junk + whole[at:])
