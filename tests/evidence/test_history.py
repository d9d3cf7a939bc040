"""The target's history, read from a real repository that says hostile things."""

from __future__ import annotations

import json

import pytest

from agent.errors import AgentError, Conflict, NotFound
from agent.evidence.history import GitHistory, deploys
from fakes.repository import Repository


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "origin")


@pytest.fixture
def history(repository):
    return GitHistory(repository.path, "main", "shop")


def test_commits_come_newest_first_with_their_files(repository, history):
    """As changes of the component, up to the limit."""
    made = [repository.commit({f"{n}.py": "x\n", "README.md": f"{n}\n"}, f"change {n}") for n in range(4)]
    found = history.commits(made[-1], 3)
    assert [change.commit for change in found] == list(reversed(made))[:3]
    assert found[0].files == ("3.py", "README.md")
    assert (found[0].title, found[0].component, found[0].kind) == ("change 3", "shop", "commit")
    assert history.branch_head() == made[-1]


def test_a_merge_is_one_change_with_what_it_brought(repository, history):
    """First parents only: the commits of the branch are not separate suspects."""
    first = repository.commit({"a.py": "1\n"})
    repository.git.run("checkout", "-q", "-b", "feature")
    inner = repository.commit({"b.py": "1\n"})
    repository.git.run("checkout", "-q", "main")
    repository.commit({"c.py": "1\n"})
    repository.git.run("merge", "-q", "--no-ff", "-m", "merge it", "feature")
    found = history.commits("main", 10)
    assert inner not in [change.commit for change in found]
    assert (found[0].title, found[0].files) == ("merge it", ("b.py",))
    assert history.parent(found[0].commit) == found[1].commit
    assert history.parent(first) is None


@pytest.mark.parametrize(
    "title",
    [
        "\x1e\x1f\x1f\x1f",
        "a\x1eb\x1fc",
        "\x1b[31mred",
        "x" * 1000,
        "-- --upload-pack=evil",
        "täglich",
        "",
        "token=hunter2hunter2",
    ],
    ids=["separators", "separator", "colour", "long", "option", "umlaut", "empty", "secret"],
)
def test_hostile_titles_neither_break_the_reading_nor_get_through(repository, history, title):
    """Every commit is there, its text fenced."""
    first = repository.commit({"a.py": "1\n"})
    (repository.path / "a.py").write_text("2\n")
    repository.git.run("commit", "-q", "-a", "-F", "-", "--allow-empty-message", "--cleanup=verbatim", stdin=title)
    found = history.commits("main", 10)
    assert [change.commit for change in found] == [repository.git.resolve("main"), first]
    assert found[0].files == ("a.py",)
    assert len(found[0].title) <= 200
    assert found[0].title.isprintable()
    assert "hunter2" not in found[0].title


@pytest.mark.parametrize("name", ["with space.py", "quote'\".py", "täglich.py", "-option.py"])
def test_odd_file_names_are_told_as_they_are(repository, history, name):
    """A name is no option and no separator."""
    repository.commit({"first.py": "1\n"})
    commit = repository.commit({name: "1\n"})
    if '"' not in name:
        assert history.commits(commit, 1)[0].files == (name,)
    assert history.read(commit, name) == "1\n"
    assert name in history.files(commit)


@pytest.mark.parametrize("head", ["f" * 40, "no-such-branch", "--output=/tmp/x", ""])
def test_a_head_that_is_no_commit_is_refused(repository, history, head):
    """Never taken for an option."""
    repository.commit({"a.py": "1\n"})
    with pytest.raises(AgentError):
        history.commits(head, 5)


def test_a_revert_is_a_diff_against_the_base(repository, history):
    """What came after the culprit stays; a later change of the same line is a conflict; the root has no revert."""
    root = repository.commit({"a.py": "1\n2\n3\n"})
    culprit = repository.commit({"a.py": "1\n20\n3\n"})
    later = repository.commit({"b.py": "x\n"})
    diff = history.revert(later, culprit)
    assert "-20\n+2\n" in diff
    assert "b.py" not in diff
    assert history.apply(later, diff) == diff
    clash = repository.commit({"a.py": "1\n21\n3\n"})
    with pytest.raises(Conflict):
        history.revert(clash, culprit)
    with pytest.raises(Conflict, match="first commit"):
        history.revert(later, root)


def test_trying_a_patch_leaves_the_repository_alone(repository, history):
    """No index, no work tree, no new commit."""
    base = repository.commit({"a.py": "1\n"})
    before = [repository.git.run(*words) for words in (("status", "--porcelain"), ("rev-parse", "HEAD"))]
    patch = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-1\n+2\n"
    assert "+2" in history.apply(base, patch)
    assert [repository.git.run(*words) for words in (("status", "--porcelain"), ("rev-parse", "HEAD"))] == before
    with pytest.raises(Conflict):
        history.apply(base, patch.replace("-1", "-7"))
    with pytest.raises(Conflict):
        history.apply(base, "prose")


def test_what_is_not_there_is_not_read(repository, history):
    """No file, a folder, an unknown commit."""
    commit = repository.commit({"src/a.py": "1\n"})
    assert history.read(commit, "b.py") is None
    assert history.read(commit, "src") is None
    with pytest.raises(NotFound):
        history.read("f" * 40, "a.py")


def test_deploys_are_read_newest_first(tmp_path):
    """Lines that are no deploys are left out, whoever wrote them; text is fenced."""
    record = tmp_path / "deployments.ndjson"
    good = [
        {"commit": "a" * 40, "started_at": "2026-11-02T10:00:00+00:00", "by": "ci", "kind": "deploy"},
        {
            "commit": "b" * 40,
            "started_at": "x",
            "finished_at": "2026-11-02T11:00:00+00:00",
            "by": "\x1b[31m",
            "kind": "rollback",
        },
    ]
    bad = [
        "",
        "{",
        "[]",
        "1",
        '{"commit": 1}',
        '{"commit": "c", "started_at": "yesterday"}',
        '{"commit": "c", "started_at": 5}',
    ]
    record.write_text("\n".join([json.dumps(good[0]), *bad, json.dumps(good[1])]) + "\n")
    found = deploys(record, "shop")
    assert [change.commit for change in found] == ["b" * 40, "a" * 40]
    assert found[0].title == f"rollback of {'b' * 10}"
    assert found[0].author.isprintable()
    assert deploys(tmp_path / "none", "shop") == ()
