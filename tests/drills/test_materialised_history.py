"""The example as a git history: no edit, no file and no fault may fall behind the final tree."""

import subprocess

import pytest

from drills.history import EXAMPLE, faults, materialise

LEFT_OUT = {"__pycache__", ".pytest_cache", ".hypothesis", "var", ".venv"}


def names(origin, commit):
    done = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", commit], cwd=origin, capture_output=True, text=True, check=True
    )
    return {name for name in done.stdout.splitlines() if not name.startswith("packages/")}


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.name)
def test_every_fault_applies_and_every_file_is_committed(tmp_path, fault):
    """All edits are undone and made again, and the release has every file of the example."""
    history = materialise(tmp_path / "origin.git", 1, drill=fault)
    files = (path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*") if path.is_file())
    wanted = {str(path) for path in files if not LEFT_OUT & set(path.parts)}
    assert names(history.origin, history.release()) == wanted
    (culprit,) = history.culprits
    assert culprit not in {"", history.baseline}
