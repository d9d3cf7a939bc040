"""Faults and decoys of a drill stand among the team's own commits."""

from __future__ import annotations

import subprocess

from drills.drill import read
from drills.history import FAULTS, faults, materialise

DECOY = """diff --git a/CREDITS b/CREDITS
new file mode 100644
--- /dev/null
+++ b/CREDITS
@@ -0,0 +1 @@
+The desk.
"""


def test_decoys_are_commits_of_their_own(tmp_path):
    """With their own titles, in the release that also holds the fault; which is which is known to the examiner alone."""
    folder = tmp_path / "drill"
    (folder / "decoys").mkdir(parents=True)
    source = FAULTS / "batch-spread"
    for name in ("drill.toml", "change.patch"):
        (folder / name).write_text((source / name).read_text())
    (folder / "decoys" / "say-less.patch").write_text(DECOY)
    history = materialise(tmp_path / "origin.git", 3, drill=read(folder))
    head = history.release()

    def log(*args):
        return subprocess.run(["git", *args], cwd=history.origin, capture_output=True, text=True, check=True).stdout

    assert (len(history.culprits), len(history.decoys)) == (1, 1)
    assert log("show", "-s", "--format=%s", *history.decoys).strip() == "Say less"
    shipped = log("rev-list", f"{history.baseline}..{head}").split()
    assert {*history.culprits, *history.decoys} <= set(shipped)
    assert history.merges() == 0


def test_the_origin_knows_no_commit_before_its_release(tmp_path):
    """Neither by a name nor as an object; what others push there meanwhile is known to the workshop."""
    history = materialise(tmp_path / "origin.git", 1, drill=faults()[0], innocent=True)

    def git(*args, check=True):
        argv = ["git", "-c", "user.name=x", "-c", "user.email=x@x", *args]
        return subprocess.run(argv, cwd=history.origin, capture_output=True, text=True, check=check).stdout

    stored = git("cat-file", "--batch-all-objects", "--batch-check").splitlines()
    assert len(stored) == len(git("rev-list", "--objects", history.baseline).splitlines())
    assert not (history.origin / "FETCH_HEAD").exists()
    assert history.lock_of(history.head)
    assert history.release() == history.tip() == git("rev-parse", "main").strip()
    assert git("cat-file", "-t", history.innocent, check=False) == ""
    assert not (history.origin / "FETCH_HEAD").exists()
    tree = git("rev-parse", "main^{tree}").strip()
    merge = git("commit-tree", tree, "-p", history.head, "-p", history.baseline, "-m", "Merge").strip()
    git("update-ref", "refs/heads/main", merge)
    assert (history.merges(), history.strangers()) == (1, 0)
    reverted = history.reverted(merge, history.culprits[0])
    history.push(reverted)
    assert (history.tip(), history.strangers()) == (reverted, 1)
    assert history.touched(merge, reverted)[0][0] == reverted
