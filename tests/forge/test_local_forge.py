"""The local forge on real bare repositories."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.errors import Conflict, NotFound, Permanent
from agent.forge.local import LocalForge
from agent.kit.git import Git
from agent.model.delivery import Check, Commit
from fakes.clock import FakeClock
from forge.contract import GREEN, ForgeContract

AUTHOR = "Ada <ada@example.invalid>"
FIX = "--- a/app.py\n+++ b/app.py\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n"
TEST = "diff --git a/t.py b/t.py\nnew file mode 100644\n--- /dev/null\n+++ b/t.py\n@@ -0,0 +1 @@\n+assert True\n"


def commit_file(git: Git, path: str, content: str, message: str) -> str:
    """Commit one file on main of a bare repository."""
    folder = git.path.parent / "work"
    if not folder.exists():
        git.run("clone", "-q", str(git.path), str(folder))
    work = Git(folder)
    work.run("pull", "-q", "--rebase", check=False)
    (folder / path).write_text(content)
    work.run("add", path)
    work.run("commit", "-q", "-m", message)
    work.run("push", "-q", "origin", "HEAD:refs/heads/main")
    return work.resolve("HEAD")


@pytest.fixture
def git(tmp_path):
    bare = tmp_path / "target.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    return Git(bare)


@pytest.fixture
def history(git):
    contents = ("one\ntwo\nthree\n", "one\ntwo\nthree\nfour\n", "one\ntwo\nthree\nfour\nfive\n")
    return tuple(commit_file(git, "app.py", content, f"c{n}") for n, content in enumerate(contents))


@pytest.fixture
def forge(git, history, tmp_path):
    assert git.resolve("main") == history[-1]
    return LocalForge(git.path, tmp_path / "records", FakeClock())


@pytest.fixture
def commits():
    return (
        Commit(message="Fix it", diff=FIX, author=AUTHOR),
        Commit(message="Add a test", diff=TEST, author=AUTHOR),
    )


@pytest.fixture
def ready(forge, history, commits):
    """An open pull request whose check passed."""
    forge.open("fix-1", history[-1], commits, "t", "b")
    return forge.set_check("fix-1", GREEN)


class TestLocalForge(ForgeContract):
    @pytest.fixture
    def unfit(self):
        return Commit(message="m", diff=FIX.replace("two", "2"), author=AUTHOR)

    @pytest.fixture
    def somebody_merges(self, git):
        return lambda: commit_file(git, "other.py", "x\n", "other")


def test_the_branch_holds_the_commits_in_order(forge, git, history, commits):
    """Messages, authors and content are those that were given, on the base that was given."""
    made = forge.open("fix-1", history[-1], commits, "t", "b")
    assert git.run("log", "--format=%s|%an <%ae>", f"{history[-1]}..mpa/fix-1").splitlines() == [
        f"Add a test|{AUTHOR}",
        f"Fix it|{AUTHOR}",
    ]
    assert git.run("show", f"{made.head}:app.py") == "one\nTWO\nthree\nfour\nfive\n"
    assert git.run("rev-parse", f"{made.head}~2").strip() == history[-1]


def test_the_merge_is_a_merge_commit_on_main(ready, forge, git, history):
    """Main's first parent is what it was, the second one the branch."""
    merged = forge.merge("fix-1", ready.head, forge.main())
    assert git.resolve("main") == merged.merge_commit
    assert git.run("show", "-s", "--format=%P", "main").split() == [history[-1], ready.head]


def test_a_main_that_changed_the_same_lines_is_a_conflict(ready, forge, git):
    """Nothing is merged, and main stays where it is."""
    moved = commit_file(git, "app.py", "one\nzwei\nthree\n", "same line")
    with pytest.raises(Conflict, match=r"no longer merges: app\.py"):
        forge.merge("fix-1", ready.head, forge.main())
    assert git.resolve("main") == moved


def test_a_branch_that_somebody_moved_is_not_merged(ready, forge, git, history):
    """The branch itself is looked at, not only the record."""
    git.run("update-ref", "refs/heads/mpa/fix-1", history[0])
    with pytest.raises(Conflict, match="somebody moved the branch"):
        forge.merge("fix-1", ready.head, forge.main())


def test_hooks_and_attributes_of_the_repository_do_not_run(forge, git, history, commits, tmp_path):
    """Neither opening nor merging executes anything that lies in the repository."""
    ran = tmp_path / "ran"
    for hook in ("update", "reference-transaction", "pre-commit", "commit-msg", "post-merge", "pre-merge-commit"):
        script = git.path / "hooks" / hook
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!/bin/sh\ntouch {ran}\n")
        script.chmod(0o755)
    made = forge.open("fix-1", history[-1], commits, "t", "b")
    forge.set_check("fix-1", GREEN)
    forge.merge("fix-1", made.head, forge.main())
    assert not ran.exists()


def test_untrusted_text_is_bounded_and_without_control_characters(forge, history, commits):
    """Title, body, message and check detail cannot carry terminal sequences, secrets or megabytes."""
    hostile = "\x1b[2J\x00line\nnext \u202e" + "x" * 100_000
    made = forge.open("fix-1", history[-1], commits, hostile, hostile + " password=hunter22")
    assert "\n" not in made.title
    assert len(made.title) <= 200
    assert len(made.body) <= 60_000
    assert not any(character in made.title + made.body for character in "\x1b\x00\u202e")
    assert "\x1b" not in forge.set_check("fix-1", Check(name="n", state="pending", detail=hostile)).checks[0].detail


@pytest.mark.parametrize("name", ["", "../x", "a/b", "-x", "a..b", "x.lock", "a b", "x" * 200, "a\nb", ".x", "x."])
def test_names_that_could_leave_the_folder_are_refused(forge, history, commits, name):
    """A name is a file name and a branch name at once, so it is a plain word."""
    with pytest.raises(Permanent):
        forge.open(name, history[-1], commits, "t", "b")


def test_a_base_that_looks_like_an_option_is_no_commit(forge, commits):
    """References are never read as options."""
    with pytest.raises(NotFound):
        forge.open("fix-1", "--output=x", commits, "t", "b")


@pytest.mark.usefixtures("ready")
def test_a_broken_record_is_said_not_overwritten(forge, tmp_path):
    """A half-written or edited record is an error that names the file."""
    (tmp_path / "records" / "fix-1.json").write_text("{")
    with pytest.raises(Permanent, match=r"fix-1\.json"):
        forge.find("fix-1")


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from agent.forge import local
from agent.kit import git as kit_git
from agent.kit.clock import SystemClock
from agent.model.delivery import Commit

repository, records, base, diff, test, method, where, when = sys.argv[1:]
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
calls = {"n": 0}

def bomb(real):
    def call(*args, **kwargs):
        calls["n"] += 1
        if calls["n"] == int(when):
            kill()
        return real(*args, **kwargs)
    return call

if where == "write":
    local.write_atomic = bomb(local.write_atomic)
else:
    kit_git.run = bomb(kit_git.run)
forge = local.LocalForge(Path(repository), Path(records), SystemClock())
ada = "Ada <ada@example.invalid>"
commits = tuple(Commit(message=m, diff=d, author=ada) for m, d in (("Fix it", diff), ("t", test)))
if method == "open":
    forge.open("fix-1", base, commits, "t", "b")
else:
    forge.merge("fix-1", forge.find("fix-1").head, forge.main())
"""


@pytest.fixture
def killed(git, history, tmp_path):
    """Runs one call in a process that kills itself right before its n-th write or git call; True when it did."""

    def run(method, where, when):
        arguments = [git.path, tmp_path / "records", history[-1], FIX, TEST, method, where, when]
        done = subprocess.run(
            [sys.executable, "-c", KILLED, *map(str, arguments)],
            env={"PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src"), "PATH": "/usr/bin:/bin"},
            check=False,
            timeout=60,
            capture_output=True,
        )
        assert done.returncode in (0, -9), done.stderr.decode()
        return done.returncode == -9

    return run


@pytest.mark.parametrize(("where", "when"), [("write", 1), ("write", 2), ("git", 4), ("git", 8), ("git", 9)])
def test_killed_while_opening_then_opened_again_is_one_pull_request(forge, git, killed, where, when):
    """Wherever the first open died, the second gives one branch, one record and number 1."""
    assert killed("open", where, when)
    commits = (Commit(message="Fix it", diff=FIX, author=AUTHOR), Commit(message="t", diff=TEST, author=AUTHOR))
    made = forge.open("fix-1", git.resolve("main"), commits, "t", "b")
    assert made.number == 1
    assert git.run("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/mpa/").split() == [
        made.head,
        "refs/heads/mpa/fix-1",
    ]
    assert forge.open("fix-2", git.resolve("main"), commits, "t", "b").number == 2


@pytest.mark.parametrize("where", [("write", 1), ("write", 2), ("git", 2), ("git", 4), ("git", 5)])
def test_killed_while_merging_then_merged_again_is_one_merge(ready, forge, git, killed, where):
    """Wherever the first merge died, there is one merge commit on main afterwards, and `find` tells it."""
    assert killed("merge", *where)
    merged = forge.merge("fix-1", ready.head, forge.main())
    assert git.run("rev-list", "--merges", "main").split() == [merged.merge_commit]
    assert git.resolve("main") == merged.merge_commit
    assert forge.find("fix-1") == merged


@pytest.mark.usefixtures("ready")
def test_a_merge_that_reached_main_is_found_without_merging_again(forge, git, history, killed):
    """After a kill between main and the record, `find` alone tells the truth, even when main went on."""
    assert killed("merge", "write", 2)
    merge_commit = git.resolve("main")
    assert merge_commit != history[-1]
    commit_file(git, "other.py", "x\n", "later")
    assert forge.find("fix-1").merge_commit == merge_commit


def test_two_writers_at_once_open_one(git, history, commits, tmp_path):
    """Concurrent opens of one name agree; of many names get different numbers."""
    forges = [LocalForge(git.path, tmp_path / "records", FakeClock()) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda one: one.open("fix-1", history[-1], commits, "t", "b"), forges))
        others = list(pool.map(lambda n: forges[n].open(f"other-{n}", history[-1], commits, "t", "b"), range(4)))
    assert len({one.head for one in made}) == 1
    assert sorted(one.number for one in others) == [2, 3, 4, 5]


@pytest.mark.usefixtures("ready")
def test_records_are_json_that_people_can_read(tmp_path):
    """One record a file, with number, state, checks, head, base and merge commit."""
    record = json.loads((tmp_path / "records" / "fix-1.json").read_text())
    assert record["number"] == 1
    assert {"state", "checks", "head", "base", "merge_commit", "title", "body"} <= set(record["pull_request"])


@pytest.mark.parametrize("ends", ["merged", "closed"])
def test_an_ended_pull_request_leaves_no_branch(ready, forge, git, ends):
    """Its commits are kept where git does not throw them away."""
    if ends == "merged":
        forge.merge("fix-1", ready.head, forge.main())
    else:
        forge.close("fix-1", "no")
    assert git.run("for-each-ref", "--format=%(refname)", "refs/heads/mpa").split() == []
    assert git.run("rev-parse", "refs/mpa/fix-1").strip() == ready.head


def test_a_branch_that_somebody_pushed_to_is_left_alone(ready, forge, git):
    """Their commits are nowhere else."""
    pushed = git.run("commit-tree", f"{ready.head}^{{tree}}", "-p", ready.head, "-m", "theirs").strip()
    git.run("update-ref", f"refs/heads/{ready.branch}", pushed)
    forge.close("fix-1", "no")
    assert git.run("rev-parse", f"refs/heads/{ready.branch}").strip() == pushed
