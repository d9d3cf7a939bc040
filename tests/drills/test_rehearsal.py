"""What a reference may say, and how the stage-check calls what it saw."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from drills import rehearsal
from drills.drill import Drill, Expect, Fault, Planted, Unusable
from drills.rehearsal import Checked, Rehearsal, steps


def drill(folder: Path, text: str | None) -> Drill:
    (folder / "reference").mkdir()
    if text is not None:
        (folder / "reference" / "solution.toml").write_text(text)
    return Drill(folder, "t", "f", (Fault("process", 1.0),), Expect())


def test_steps_are_read_in_order(tmp_path):
    """With what they need."""
    found = steps(drill(tmp_path, '[[step]]\ndo = "restart"\n[[step]]\ndo = "wait"\nseconds = 3\n'))
    assert [(one["do"], one.get("seconds")) for one in found] == [("restart", None), ("wait", 3)]


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "solution.toml"), ("", "no .*step"), ('[[step]]\ndo = "pray"\n', "revert, patch"), ("[", "toml")],
)
def test_a_reference_that_says_nothing_usable_is_told(tmp_path, text, said):
    """Before anything is staged."""
    with pytest.raises(Unusable, match=said):
        steps(drill(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('do = "patch"', "fix.patch: the reference names this patch"),
        ('do = "patch"\nfile = "notes.txt"', "notes.txt: holds no diff"),
        ('do = "patch"\npatch = "fix.patch"', "a step 'patch' has no key 'patch'; it has do, file"),
        ('do = "restart"\nseconds = 3', "a step 'restart' has no key 'seconds'; it has do"),
        ('do = "wait"\nseconds = "long"', "'seconds' is a number above 0, not 'long'"),
        ('do = "configuration"', "needs env"),
    ],
)
def test_a_step_that_could_not_be_done_is_told(tmp_path, text, said):
    """A patch that is not there, or a key that nobody reads, before anything is staged."""
    one = drill(tmp_path, f"[[step]]\n{text}\n")
    (one.reference / "notes.txt").write_text("to do")
    with pytest.raises(Unusable, match=re.escape(said)):
        steps(one)


class Calm:
    """A stage on which nothing happens: what goes live, and what the agent raises (``raised``)."""

    target_url, traffic_file = "http://127.0.0.1:9", Path("/nonexistent")

    def __init__(self, innocent, raised=()):
        self.history = SimpleNamespace(innocent=innocent, baseline="base", push=lambda _commit: None)
        self._raised, self.deployed = raised, []

    def deploy(self, commit, **named):
        self.deployed.append((commit, named["name"]))

    def door(self):
        return SimpleNamespace(incidents=lambda: list(self._raised), close=lambda: None)


@pytest.mark.parametrize(
    ("decoys", "innocent", "name"),
    [
        ((), "base", "the calm raises nothing"),
        ((), "team", "the release without the fault raises nothing"),
        ((Planted("t", "", "a <a@b>", "diff"),), "team", "decoys alone raise nothing"),
    ],
)
def test_what_raised_nothing_is_called_by_its_name(monkeypatch, decoys, innocent, name):
    """Nobody looks for decoys where there are none."""
    for constant in ("CALM", "DECOYS_SECONDS"):
        monkeypatch.setattr(rehearsal, constant, 0.0)
    of = Drill(Path("d"), "t", "f", (Fault("process", 1.0),), Expect(), decoys=decoys)
    alarm = {"opened_at": datetime.now(UTC).isoformat(), "title": "HighLatencyP95"}
    for raised in ((), ({**alarm, "opened_at": "2999-01-01T00:00:00+00:00"},)):
        stage, said = Calm(innocent, raised), []
        one = Rehearsal(stage, of, said.append)
        found = next(one.checks())
        one.close()
        assert (found.name, found.valid) == (name, not raised)
        assert stage.deployed == ([(innocent, f"ci-{innocent}")] if innocent != "base" else [])
        assert said[0].startswith("the stage stands")


@pytest.mark.parametrize(
    ("due", "name", "valid"), [("yes", "the alarm comes", False), ("either", "the alarm may come", True)]
)
def test_an_alarm_that_may_come_is_not_said_to_come(monkeypatch, due, name, valid):
    """It did not, and that is right only where it may."""
    for constant in ("SIGNAL_SECONDS", "QUIET_SECONDS"):
        monkeypatch.setattr(rehearsal, constant, 0.0)
    of = Drill(Path("d"), "t", "f", (Fault("process", 1.0),), Expect(alert=due))
    one = Rehearsal(Calm("base"), of, lambda _text: None)
    assert one._alarm(time.time()) == Checked(name, valid=valid, detail="none came")
    one.close()
