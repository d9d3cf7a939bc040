"""A drill on a service of the user's own: its repository is copied, never touched."""

from __future__ import annotations

import re
import subprocess

import pytest

from agent.model.signals import MetricNames
from agent.model.target import Target
from drills import targets
from drills.drill import Unusable, read
from drills.history import materialise
from drills.injection import examine
from drills.own_service import AGENT_KEYS, METRICS, STAGED
from drills.range import main
from drills.validity import check

PATCH = "--- a/shop.py\n+++ b/shop.py\n@@ -1 +1 @@\n-PRICE = 3\n+PRICE = 0\n"
TOML = """title = "The price is lost"
family = "wrong results with no exception"
[target]
name = "shop"
repository = "../shop"
serve = ["{python}", "-m", "uvicorn", "shop:app", "--host", "{host}", "--port", "{port}"]
requests = "requests.json"
sources = "src"
log_variable = "SHOP_LOG"
settings = { SHOP_STATE = "{state}" }
[[fault]]
kind = "commit"
[change]
title = "Change"
author = "Ines Duarte <ines@shop.invalid>"
"""


@pytest.fixture
def folder(tmp_path):
    """A shop with one commit, and a drill on it."""
    shop, folder = tmp_path / "shop", tmp_path / "drill"
    shop.mkdir()
    folder.mkdir()
    (shop / "shop.py").write_text("PRICE = 3\n")
    (shop / "requirements.txt").write_text("")
    _git(shop, "init", "--quiet", "--initial-branch=trunk", ".")
    _git(shop, "add", ".")
    _git(shop, "commit", "--quiet", "-m", "The shop")
    (folder / "drill.toml").write_text(TOML)
    (folder / "change.patch").write_text(PATCH)
    (folder / "requests.json").write_text('[{"path": "/price"}]')
    return folder


def _git(shop, *args):
    who = ("-c", "user.name=x", "-c", "user.email=x@x")
    return subprocess.run(["git", *who, *args], cwd=shop, check=True, capture_output=True, text=True).stdout


def test_the_fault_is_a_commit_on_a_copy_of_the_repository(folder, tmp_path):
    """Its head is the baseline, the fault is the next release; the user's own repository stays as it was."""
    before = _git(tmp_path / "shop", "for-each-ref"), _git(tmp_path / "shop", "status", "--porcelain")
    drill = read(folder)
    history = materialise(tmp_path / "origin.git", 1, drill=drill)
    assert history.baseline == _git(tmp_path / "shop", "rev-parse", "HEAD").strip()
    assert history.culprits == (history.head,)
    assert (_git(tmp_path / "shop", "for-each-ref"), _git(tmp_path / "shop", "status", "--porcelain")) == before
    staging = targets.of(drill)
    assert (staging.name, staging.sources, staging.settings) == ("shop", "src", {"SHOP_STATE": "{state}"})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "shop"\n', "", "name"),
        ("requests.json", "nothing.json", "nothing.json"),
        ('kind = "commit"', 'kind = "dependency"', "dependency"),
    ],
)
def test_what_is_missing_is_told(folder, old, new, said):
    """Before anything is staged."""
    (folder / "drill.toml").write_text(TOML.replace(old, new))
    with pytest.raises(Unusable, match=said):
        targets.of(read(folder))


def test_a_folder_that_is_no_repository_is_told(folder, tmp_path):
    """And one without a lock file."""
    (folder / "drill.toml").write_text(TOML.replace("../shop", "../nowhere"))
    with pytest.raises(Unusable, match="nowhere"):
        materialise(tmp_path / "origin.git", 1, drill=read(folder))
    (folder / "drill.toml").write_text(TOML)
    _git(tmp_path / "shop", "rm", "--quiet", "requirements.txt")
    _git(tmp_path / "shop", "commit", "--quiet", "-m", "No lock")
    with pytest.raises(Unusable, match=r"requirements\.txt"):
        materialise(tmp_path / "other.git", 1, drill=read(folder))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Expecting"),
        ("[]", "at least one"),
        ('[{"path": "/a"}, {"url": "/b"}]', "request 2: there is no key 'url'; there are method, path, body"),
        ('[{"path": "price"}]', "begins with '/', not 'price'"),
        ('[{"path": "/a", "method": "get"}]', "'method' is one of GET"),
        ('["/price"]', "it is a table with a path"),
    ],
)
def test_requests_that_could_not_be_sent_are_told(folder, text, said):
    """Else the users of the service would be silent, and the drill says nothing."""
    (folder / "requests.json").write_text(text)
    with pytest.raises(Unusable, match=re.escape(said)):
        examine(read(folder))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("nonsense = 1", "there is no key 'nonsense'"),
        ('replay_env = "SEED"', "'replay_env' is a list of texts"),
        ('log_file = "x"', "log_file is set by the range itself"),
        ('metrics = { memmory = "rss" }', "metrics: there is no key 'memmory'"),
    ],
)
def test_further_keys_for_the_agent_are_keys_that_it_has(folder, keys, said):
    """It would not start, in the midst of a staging."""
    (folder / "drill.toml").write_text(TOML.replace("[[fault]]", f"agent = {{ {keys} }}\n[[fault]]"))
    with pytest.raises(Unusable, match=re.escape(said)):
        examine(read(folder))


def test_actions_of_an_own_service_reach_the_agent(folder):
    """As tables of their own; the rest of what it says of the agent stands with the target."""
    file = folder / "drill.toml"
    action = '[[target.agent.action]]\nkind = "retrain"\npath = "/retrain"\nanswers = "made"\n'
    file.write_text(file.read_text() + action)
    staging = targets.of(read(folder))
    assert staging.actions == ({"kind": "retrain", "path": "/retrain", "answers": "made"},)
    assert "action" not in staging.agent


def test_the_agent_s_keys_are_all_known():
    """Those that a drill may set, and those that the stage sets; none that it has not."""
    assert {*AGENT_KEYS, *STAGED} == set(Target.model_fields)
    assert set(METRICS) == set(MetricNames.model_fields)


def test_a_repository_that_is_none_ends_a_run_before_it_begins(folder, tmp_path, capsys):
    """With what is wrong, and the status of wrong usage; the check says the same of the drill."""
    examine(read(folder))
    (tmp_path / "shop" / "src").mkdir()
    (tmp_path / "plain").mkdir()
    (tmp_path / "fresh").mkdir()
    _git(tmp_path / "fresh", "init", "--quiet", ".")
    words = (
        ("../nowhere", "there is no folder"),
        ("../plain", "is no git repository: run `git init`"),
        ("../fresh", "has no commit yet"),
        ("../shop/src", "is a folder within a git repository"),
    )
    for path, said in words:
        (folder / "drill.toml").write_text(TOML.replace("../shop", path))
        assert main(["run", str(folder), "--root", str(tmp_path / "root")]) == 2
        assert said in capsys.readouterr().err
        assert main(["check", "--quick", str(folder), "--root", str(tmp_path / "root")]) == 1
        assert said in capsys.readouterr().out
    (folder / "drill.toml").write_text(TOML)
    _git(tmp_path / "shop", "rm", "--quiet", "requirements.txt")
    _git(tmp_path / "shop", "commit", "--quiet", "-m", "No lock")
    with pytest.raises(Unusable, match=r"no requirements\.txt committed"):
        examine(read(folder))


def test_a_fault_is_signed_by_somebody_who_commits_to_the_service(folder, tmp_path):
    """A stranger gives the fault away."""
    told = [one for one in check(folder, None) if not one.valid]
    assert [one.detail for one in told] == ["'Change' is by Ines Duarte <ines@shop.invalid>; there are x <x@x>"]
    shop = tmp_path / "shop"
    (shop / "README").write_text("A shop.")
    _git(shop, "add", ".")
    _git(shop, "commit", "--quiet", "--author", "Ines Duarte <ines@shop.invalid>", "-m", "Say what it is")
    assert all(one.valid for one in check(folder, None))
