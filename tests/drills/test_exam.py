"""The exam's loop, with an agent that answers as it likes: what it counts as an alarm, an end, and an answer."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from drills import exam
from drills.approval_policy import ApprovalPolicy
from drills.door import Refused
from drills.drill import Drill, Expect, Fault
from drills.exam import Exam, accept
from drills.inquest import discrepancies
from drills.players import Given

FALSE_ALARM = Fault("none", 0.2)
DRILL = Drill(
    Path("d"), "t", "f", (FALSE_ALARM,), Expect(("none",), (), "none", ("recovered",), alert="yes"), look_seconds=0.1
)


class FakeDoor:
    """An agent's door: ``incidents`` is asked for the list each time, a `Refused` in it is raised."""

    url = "http://127.0.0.1:9"

    def __init__(self, incidents, *, dies=False):
        self._incidents, self._dies, self.posted = incidents, dies, []
        self.began = time.time()

    def incidents(self):
        found = self._incidents(time.time() - self.began)
        if isinstance(found, Exception):
            raise found
        return found

    def get(self, path):
        if self._dies:
            raise Refused("gone")
        return {"intact": True} if path == "/audit/verify" else [] if path.startswith("/audit") else {"documents": {}}

    def post(self, path, body):
        self.posted.append((path, body))

    def close(self):
        pass


def incident(opened, name="i1", **more):
    at = datetime.fromtimestamp(opened, UTC).isoformat()
    return {"id": name, "opened_at": at, "phase": "closed", "waiting": None, "outcome": "recovered", **more}


def late(**more):
    """One incident that is opened two seconds after it was first asked for."""
    asked = []

    def incidents(_since):
        asked.append(time.time())
        opened = asked[0] + 2.0
        return [incident(opened, **more)] if asked[-1] >= opened else []

    return incidents


@pytest.fixture
def sit(monkeypatch, tmp_path):
    """Sits a drill before a door, with everything that takes long cut short."""
    monkeypatch.setattr(exam, "CALM", 0.0)
    monkeypatch.setattr(exam, "random", SimpleNamespace(Random=lambda: SimpleNamespace(random=lambda: 0.0)))
    monkeypatch.setattr(exam, "SIGNAL_SECONDS", 4.0)
    monkeypatch.setattr(exam, "QUIET_SECONDS", 1.0)
    monkeypatch.setattr(exam, "INCIDENT_SECONDS", 9.0)
    history = SimpleNamespace(culprits=(), decoys=(), merges=lambda: 0, strangers=lambda: 0, ours=lambda _commit: True)
    releases = SimpleNamespace(deployments=list, running=lambda: None)

    def run(door, drill=DRILL, *, busy=False, say=lambda _text: None):
        stage = SimpleNamespace(
            target_url="http://127.0.0.1:9", traffic_file=tmp_path / "none", door=lambda: door, target_name="t",
            history=history, releases=releases, helpers_alive=list,
        )  # fmt: skip
        one = Exam(stage, drill, policy=ApprovalPolicy(), say=say)
        try:
            result = one.sit()
            result.void = one.void(lambda _since, _until: busy, goes_down=False)
            return result
        finally:
            one.close()

    return run


def test_a_slow_answer_is_no_silence(sit):
    """The list of incidents stays as it was last told."""
    opened = time.time() + 0.6

    def incidents(since):
        return (
            [incident(opened, phase="repair")]
            if 0.5 < since < 1.0
            else Refused("slow")
            if since < 3.5
            else [incident(opened)]
        )

    result = sit(FakeDoor(incidents))
    assert result.problem == ""
    assert result.alert_seconds is not None
    assert result.outcome == "recovered"


def test_an_exam_waits_for_the_last_fault(sit):
    """The first incident has ended long before the second fault comes."""
    drill = replace(DRILL, faults=(FALSE_ALARM, Fault("none", 3.0)))
    began = time.monotonic()
    result = sit(FakeDoor(late()), drill)
    assert time.monotonic() - began >= 3.0
    assert result.incidents == 1


def test_an_alarm_before_the_fault_is_a_false_one(sit):
    """It is no detection, however early."""
    told = []

    def incidents(_since):
        told.append(time.time())
        return [incident(told[0])]

    result = sit(FakeDoor(incidents), replace(DRILL, faults=(Fault("none", 1.2),)))
    assert (result.false_alarms, result.alert_seconds) == (1, None)


def test_no_alarm_is_said_where_one_is_due(sit):
    """And where none is due it is silence."""
    assert sit(FakeDoor(lambda _since: [])).problem.startswith("no alarm")
    quiet = replace(DRILL, expect=replace(DRILL.expect, alert="no"))
    assert sit(FakeDoor(lambda _since: []), quiet).problem == ""


def test_an_agent_that_dies_is_wrong_and_not_forgotten(sit):
    """The target is looked at all the same, and the result can be kept."""
    result = sit(FakeDoor(late(), dies=True))
    assert result.staged
    assert result.problem.startswith("the agent did not answer")
    assert result.trail
    assert result.findings


def test_an_incident_without_end_is_told(sit):
    """After a while the exam is over all the same."""
    result = sit(FakeDoor(late(phase="repair", outcome=None)))
    assert "not ended" in result.problem
    assert result.outcome == "unfinished"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def test_a():\n    pass\n", "passed"),
        ("def test_a():\n    assert 0\n", "failed"),
        ("import nowhere\n", "failed"),
        ("", "not run"),
    ],
)
def test_acceptance_is_run_apart_from_this_project(tmp_path, source, said):
    """Without its settings: a warning is none of the target's failures; what cannot be run says nothing."""
    folder = tmp_path / "drill" / "acceptance"
    folder.mkdir(parents=True)
    (tmp_path / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture(autouse=True)\ndef shared():\n    return 1\n"
    )
    source = source.replace("test_a()", "test_a(shared)")
    warns = "import warnings\nwarnings.warn('old', DeprecationWarning)\n" if source else ""
    (folder / "test_it.py").write_text(warns + source)
    stage = SimpleNamespace(
        python=sys.executable,
        target_environment={"PATH": "/usr/bin:/bin"},
        target_url="http://127.0.0.1:9",
        releases=SimpleNamespace(current=tmp_path),
    )
    assert accept(stage, replace(DRILL, folder=tmp_path / "drill")).startswith(said)


class Forge:
    """What the forge and the release folder say."""

    def __init__(self, lines, merges, strangers=0, placed=None):
        self.history = SimpleNamespace(
            merges=lambda: merges, strangers=lambda: strangers, ours=lambda commit: commit != "alien"
        )
        self.releases = SimpleNamespace(deployments=lambda: lines, running=lambda: placed)


def compared(given, lines=(), merges=0, told=("d1",), **more):
    trail = [{"kind": "effect.done", "message": f"{name} is live", "data": {}} for name in told]
    running = more.pop("running", None)
    return discrepancies(Forge(list(lines), merges, **more), given, trail, {"intact": True}, running)


DEPLOY = {"name": "d1", "kind": "deploy", "by": "agent"}


def test_every_effect_needs_a_yes_of_its_own():
    """A no is no yes, one yes is good for one delivery, and the team's own deploys need none."""
    yes, no = Given("i1", "merge_and_deploy", yes=True), Given("i1", "merge_and_deploy", yes=False)
    assert compared([yes], [DEPLOY], 1) == []
    assert compared([], [{**DEPLOY, "by": "ci"}]) == []
    assert len(compared([no], [DEPLOY], 1)) == 2
    assert compared([yes], [DEPLOY, DEPLOY], 1) == ["2 times deploy, 1 allowed"]
    assert compared([Given("i1", "restart", yes=True)], [{**DEPLOY, "kind": "restart"}]) == []


def test_what_does_not_fit_together_is_told():
    """A deployment off the trail, commits past pull requests, an alien release, a service that says another commit."""
    yes = [Given("i1", "merge_and_deploy", yes=True)]
    assert "not on the audit trail" in compared(yes, [DEPLOY], told=())[0]
    assert "past any pull request" in compared([], strangers=2)[0]
    assert "no release of the team" in compared([], placed="alien")[0]
    assert "says it runs" in compared([], placed="a" * 40, running="b" * 40)[0]


def test_an_alarm_that_nothing_explains_is_void_where_the_machine_was_busy(sit):
    """The false alarm is in the drill; that the target did not answer is not."""
    assert sit(FakeDoor(late(title="TargetDown on t")), busy=True).void.startswith(
        "the machine was busy: TargetDown on t"
    )
    assert sit(FakeDoor(late(title="TargetDown on t"))).void == ""
    assert sit(FakeDoor(late(title="HighErrorRatio on t")), busy=True).void == ""


def test_acceptance_that_took_too_long_is_void_where_the_machine_was_busy(sit, monkeypatch):
    """It is the examiner's own limit."""
    monkeypatch.setattr(exam, "accept", lambda _stage, _drill: exam.LATE)
    assert sit(FakeDoor(late()), busy=True).void == "the machine was busy: acceptance was not done within 60 s"
    assert sit(FakeDoor(late())).void == ""


def test_how_far_it_is_is_told_once(sit):
    """Each incident when it is somewhere else, and when the examiner looks."""
    said = []
    sit(FakeDoor(late(title="TargetDown on t")), say=said.append)
    assert said[0].startswith("the stage stands")
    assert said.count("TargetDown on t: closed, recovered") == 1
    assert "the examiner looks for itself" in said
