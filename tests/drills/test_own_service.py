"""A drill on a service of the user's own: its repository is copied, never touched."""

from __future__ import annotations

import subprocess

import pytest

from drills import targets
from drills.drill import Unusable, read
from drills.history import materialise

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
