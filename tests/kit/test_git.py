"""The git command line with its safe environment, on real repositories."""

from __future__ import annotations

import pytest

from agent.errors import Conflict, NotFound, Permanent
from agent.kit.git import Git


@pytest.fixture
def git(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git = Git(folder)
    git.run("init", "-q", "-b", "main")
    (folder / "a.txt").write_text("one\n")
    git.run("add", "a.txt")
    git.run("commit", "-q", "-m", "First")
    return git


def test_a_commit_is_found_by_any_of_its_names(git):
    """Branch, HEAD and abbreviated hash resolve to the same commit."""
    sha = git.resolve("HEAD")
    assert len(sha) == 40
    assert {git.resolve("main"), git.resolve(sha[:10])} == {sha}
    assert git.exists(sha)


@pytest.mark.parametrize("ref", ["nothing", "--all", "-h", "", "HEAD:a.txt", "HEAD\nmain", "../x", "--output=/tmp/x"])
def test_what_names_no_commit_is_not_found(git, ref):
    """Neither a wrong name nor an option in its place resolves to anything."""
    assert not git.exists(ref)
    with pytest.raises(NotFound):
        git.resolve(ref)


def test_a_zero_byte_in_a_name_is_refused(git):
    """No command line can carry it: an error of ours, not of the language."""
    with pytest.raises(Permanent):
        git.resolve("HEAD\0")


def test_the_repository_runs_no_program(git, tmp_path):
    """A hook in the repository is not run."""
    trace = tmp_path / "ran"
    hook = git.path / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {trace}\n")
    hook.chmod(0o755)
    git.run("commit", "-q", "--allow-empty", "-m", "Second")
    assert not trace.exists()


def test_commits_have_our_name_unless_another_is_given(git):
    """The committer is fixed; one commit may name its own author."""
    git.run("commit", "-q", "--allow-empty", "-m", "Second", env={"GIT_AUTHOR_NAME": "Ada"})
    assert git.run("log", "-1", "--format=%an|%cn").strip() == "Ada|Market Programmer Agent"


def test_failures_are_told_in_our_words(git, tmp_path):
    """A failing command raises, unless the caller looks at the answer itself."""
    with pytest.raises(Permanent, match="git show failed"):
        git.run("show", "nothing")
    assert git.run("show", "nothing", check=False) == ""


def test_a_patch_applies_or_is_a_conflict(git):
    """A fitting diff changes the file; one that does not fit changes nothing."""
    diff = "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n"
    git.apply(diff)
    assert (git.path / "a.txt").read_text() == "two\n"
    with pytest.raises(Conflict, match="does not apply"):
        git.apply(diff)
