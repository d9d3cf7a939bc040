"""Faults and decoys of a drill stand among the team's own commits."""

from __future__ import annotations

import subprocess

from drills.drill import read
from drills.history import FAULTS, materialise

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
