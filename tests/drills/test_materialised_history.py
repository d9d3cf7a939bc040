"""The examples as git histories: no edit, no file and no fault may fall behind the final tree."""

import ast
import io
import subprocess
import tarfile
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from drills.history import MARKET, PARCELS, commits, faults, materialise

LEFT_OUT = {"__pycache__", ".pytest_cache", ".hypothesis", "var", ".venv"}
EXAMPLES = [MARKET, PARCELS]


def called(example):
    return example.folder.name


def git(origin, *args):
    return subprocess.run(["git", *args], cwd=origin, capture_output=True, check=True).stdout


def names(origin, commit):
    found = git(origin, "ls-tree", "-r", "--name-only", "-z", commit).decode().split("\0")
    return {name for name in found if name and not name.startswith("packages/")}


def wanted(example):
    files = (path.relative_to(example.folder) for path in example.folder.rglob("*") if path.is_file())
    return {str(path) for path in files if not LEFT_OUT & set(path.parts)}


def unfaulted():
    """A drill that plants nothing."""
    return replace(faults()[0], faults=(), decoys=(), release_after=0.0)


def trees(origin, head):
    """The Python, TOML and other texts of every commit, oldest first."""
    for commit in git(origin, "rev-list", "--reverse", head).decode().split():
        with tarfile.open(fileobj=io.BytesIO(git(origin, "archive", commit))) as tree:
            yield {member.name: tree.extractfile(member).read().decode() for member in tree if member.isfile()}


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.name)
def test_every_fault_applies_and_every_file_is_committed(tmp_path, fault):
    """All edits are undone and made again, and the release has every file of the example."""
    history = materialise(tmp_path / "origin.git", 1, drill=fault)
    assert names(history.origin, history.release()) == wanted(MARKET)
    (culprit,) = history.culprits
    assert culprit not in {"", history.baseline}


@pytest.mark.parametrize("example", EXAMPLES, ids=called)
def test_every_tree_of_an_example_compiles(tmp_path, example):
    """The final tree is the folder's, each commit is one of the team's, and no edit leaves broken text behind."""
    history = materialise(tmp_path / "origin.git", 1, drill=unfaulted(), example=example)
    head = history.release()
    assert names(history.origin, head) == wanted(example)
    assert history.lock == (example.folder / "requirements.txt").read_text()
    count = 0
    for tree in trees(history.origin, head):
        count += 1
        for name, text in tree.items():
            if name.endswith(".py"):
                ast.parse(text, name)
            elif name.endswith(".toml"):
                tomllib.loads(text)
    assert count == len(commits(example))
    assert (tree["README.md"], history.culprits) == ((example.folder / "README.md").read_text(), ())


@pytest.mark.parametrize("example", EXAMPLES, ids=called)
def test_a_tree_imports_only_what_it_holds(tmp_path, example):
    """A module's relative imports are in the repository already when it is committed."""
    history = materialise(tmp_path / "origin.git", 1, drill=unfaulted(), example=example)
    for tree in trees(history.origin, history.release()):
        package = Path("src") / called(example)
        for name in (name for name in tree if name.startswith(f"{package}/") and name.endswith(".py")):
            assert missing(ast.parse(tree[name]), package, tree) == set(), name


def missing(module, package, tree):
    """The sibling modules that a module imports and that its tree does not hold."""
    named = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            named |= {node.module} if node.module else {alias.name for alias in node.names if alias.name.islower()}
    return {one for one in named - {"__version__"} if f"{package}/{one}.py" not in tree}


@pytest.mark.parametrize("example", EXAMPLES, ids=called)
def test_an_example_has_a_next_release(example):
    """Faults find a place among at least seven waiting commits, all newer than what is deployed."""
    planned = commits(example)
    waiting = [commit for commit in planned if commit.next_release]
    assert len(waiting) >= 7
    assert planned[-len(waiting) :] == waiting
    assert [commit.hours_ago for commit in planned] == sorted((one.hours_ago for one in planned), reverse=True)
