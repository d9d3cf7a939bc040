"""What a result depends on has a name that changes with it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import pytest
from made_up import drill as made_up

from drills import history, seal, versions
from drills.drill import read

QUIET = 'title = "t"\nfamily = "f"\n[[fault]]\nkind = "none"\n'


@pytest.fixture
def project(tmp_path):
    """An agent with its lock and its monitor, in one commit."""
    for name in (*versions.MONITOR, "src/agent/app.py", versions.LOCK, versions.DECLARED, "README.md"):
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    _git(tmp_path / "project", "init", "--quiet", ".")
    _commit(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "quiet"
    made.mkdir()
    (made / "drill.toml").write_text(QUIET)
    return made


def _git(folder, *args):
    who = ("-c", "user.name=x", "-c", "user.email=x@x")
    return subprocess.run(["git", *who, *args], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def _commit(folder):
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "-m", "More")
    return _git(folder, "rev-parse", "HEAD")[:12]


def test_the_agent_is_named_by_the_commit_that_last_touched_it_or_its_lock(project):
    """Work on anything else leaves its name."""
    first = versions.agent(project)
    (project / "README.md").write_text("more\n")
    _commit(project)
    assert versions.agent(project) == first == _git(project, "rev-parse", "HEAD~1")[:12]
    (project / versions.LOCK).write_text("more\n")
    second = _commit(project)
    assert versions.agent(project) == second
    (project / "src/agent/app.py").write_text("x = 2\n")
    assert versions.agent(project) != second
    third = _commit(project)
    assert versions.agent(project) == third


@pytest.mark.parametrize("name", ["src/agent/app.py", "src/agent/new.py", versions.LOCK])
def test_every_changed_tree_has_a_name_of_its_own(project, name):
    """Two changes are two agents; the same one is the same."""
    commit, names = versions.agent(project), []
    for text in ("a = 1\n", "a = 2\n", "a = 1\n"):
        (project / name).write_text(text)
        names.append(versions.agent(project))
    assert names[0] == names[2] != names[1]
    assert all(one.startswith(f"{commit}-") and len(one) == 12 + 1 + 8 for one in names)


def test_without_git_the_content_is_the_name(project):
    """As in an unpacked archive."""
    shutil.rmtree(project / ".git")
    first = versions.agent(project)
    (project / "src/agent/app.py").write_text("x = 2\n")
    assert len(first) == len(versions.agent(project)) == 8
    assert versions.agent(project) != first


@pytest.mark.parametrize("name", versions.MONITOR)
def test_the_baselines_alarms_are_the_monitor_s(project, name):
    """And only its sources count."""
    first = versions.monitor(project)
    (project / "src/agent/app.py").write_text("x = 2\n")
    assert versions.monitor(project) == first
    (project / name).write_text("x = 2\n")
    assert versions.monitor(project) != first


def test_a_drill_s_content_is_its_folder_and_how_it_is_staged(folder, monkeypatch):
    """Another version of the staging makes other results."""
    first = versions.content(read(folder))
    (folder / "change.patch").write_text("x")
    second = versions.content(read(folder))
    monkeypatch.setattr(versions, "STAGING", versions.STAGING + 1)
    assert len({first, second, versions.content(read(folder))}) == 3


@pytest.mark.parametrize("file", ["target/app.py", "history.toml", "package/lib.py"])
def test_a_drill_s_content_is_what_it_is_staged_on(folder, tmp_path, monkeypatch, file):
    """The example's sources, its history and its packages; not what tests leave there."""
    for name in ("target/app.py", "history.toml", "package/lib.py", "target/var/left"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    example = history.Example(tmp_path / "target", tmp_path / "history.toml", (tmp_path / "package",))
    monkeypatch.setitem(versions.EXAMPLES, "market-predictor", example)

    def name_now():
        versions._example.cache_clear()
        return versions.content(read(folder))

    first = name_now()
    (tmp_path / "target/var/left").write_text("x = 2\n")
    (tmp_path / "target/.hypothesis").mkdir()
    (tmp_path / "target/.hypothesis/seen").write_text("1")
    assert name_now() == first
    (tmp_path / file).write_text("x = 2\n")
    assert name_now() != first


def test_a_drill_on_one_s_own_service_depends_on_its_commit_and_requests(folder, project):
    """What is not committed there is not staged."""
    (folder / "requests.json").write_text("[]")
    drill = replace(read(folder), target={"repository": str(project), "requests": "requests.json"})
    first = versions.content(drill)
    (project / "README.md").write_text("more\n")
    assert versions.content(drill) == first
    _commit(project)
    second = versions.content(drill)
    shutil.copy(folder / "requests.json", project.parent / "requests.json")
    elsewhere = replace(drill, target={**drill.target, "requests": "../requests.json"})
    (project.parent / "requests.json").write_text('[{"path": "/"}]')
    assert len({first, second, versions.content(elsewhere)}) == 3


def test_the_seal_holds_the_folder_alone(folder):
    """Work on the example breaks no seal."""
    assert seal.digest(folder) == seal.digest(read(folder).folder) != versions.content(read(folder))
    assert versions.content(made_up("gone", target={"example": "no-such"}))
