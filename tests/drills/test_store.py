"""Results on disk, and the command that reads them."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from made_up import right, wrong

from drills import range as drill_range
from drills import report_command
from drills.drill import Unusable, read
from drills.record import AGENT
from drills.seal import seal
from drills.store import Damaged, Store, Where
from drills.versions import content, monitor

WHERE = Where("abc123", "ask", "embedded")
TOML = """
title = "The service stops"
family = "crash"

[[fault]]
kind = "process"
action = "stop"
after = 3

[expect]
cause = "infrastructure"
change = "none"
outcome = "mitigated"
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "drills"
    for name in ("one", "two"):
        (made / name).mkdir(parents=True)
        (made / name / "drill.toml").write_text(TOML)
    return made


@pytest.fixture
def one(folder):
    return read(folder / "one")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "root")


def options(tmp_path, *words):
    return drill_range._options(["report", str(tmp_path / "drills"), "--root", str(tmp_path / "root"), *words])


def test_what_is_kept_is_loaded_again(store, one, tmp_path):
    """Where the layout says, whole, with nothing else beside it."""
    kept = right(one)
    path = store.keep(WHERE, one, 0, kept)
    assert path == tmp_path / "root" / "results" / "abc123" / "ask" / "embedded" / AGENT / f"one-{content(one)}-0.json"
    assert store.load(WHERE, one, 0) == kept
    assert store.load(WHERE, one, 1) is None
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_baselines_do_not_depend_on_the_agent(store, one):
    """Two agents share them."""
    first, second = (Where(agent, policy, "embedded", "restart") for agent, policy in (("a", "ask"), ("b", "auto")))
    path = store.keep(first, one, 0, wrong(one, "restart"))
    assert path.parent.parts[-4:] == ("baselines", monitor(), "embedded", "restart")
    assert store.load(second, one, 0).player == "restart"
    assert store.agents() == []


def test_repetitions_come_in_their_order(store, one):
    """Ten comes after two."""
    for number in (10, 2, 0):
        store.keep(WHERE, one, number, right(one, runs=number))
    results, damaged = store.repetitions(WHERE, one)
    assert ([result.runs for result in results], damaged) == ([0, 2, 10], [])


def test_a_drill_whose_folder_changed_has_no_results(store, one, folder):
    """But what Python compiled beside its tests changes nothing."""
    store.keep(WHERE, one, 0, right(one))
    (folder / "one" / "acceptance" / "__pycache__").mkdir(parents=True)
    (folder / "one" / "acceptance" / "__pycache__" / "test.pyc").write_bytes(b"x")
    assert store.load(WHERE, one, 0) is not None
    (folder / "one" / "acceptance" / "test.py").write_text("x = 1\n")
    assert store.load(WHERE, one, 0) is None
    assert len(store.files(WHERE)) == 1
    assert store.files(WHERE, one) == []


def test_the_newest_agent_comes_first(store, one):
    """By its newest result; so do policy and stack."""
    for age, where in enumerate(
        [Where("new", "ask", "embedded"), Where("new", "auto", "prometheus"), Where("old", "ask", "embedded")]
    ):
        os.utime(store.keep(where, one, 0, right(one)), (1e9 - age, 1e9 - age))
    assert store.agents() == ["new", "old"]
    assert [(where.policy, where.stack) for where in store.settings("new")] == [
        ("ask", "embedded"),
        ("auto", "prometheus"),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "no JSON"),
        ("[]", "no result"),
        ('{"drill": "one"}', "no result"),
        ('{"drill": "one", "family": "f", "hypotheses": [], "findings": [], "stages": ["x"]}', "no result"),
        ('{"drill": "one", "family": "f", "hypotheses": [], "findings": [], "closed_seconds": NaN}', "NaN"),
        ('{"drill": "one", "family": "f", "hypotheses": [], "findings": [], "luck": 1}', "no result"),
    ],
)
def test_a_damaged_file_is_named(store, one, text, why):
    """With the reason, and the other repetitions are read all the same."""
    store.keep(WHERE, one, 0, right(one))
    path = store.path(WHERE, one, 1)
    path.write_text(text)
    results, damaged = store.repetitions(WHERE, one)
    assert (len(results), [found.path for found in damaged]) == (1, [path])
    with pytest.raises(Damaged, match=why):
        store.load(WHERE, one, 1)


def test_a_file_that_is_no_text_is_damaged(store, one):
    """As a disk may leave it."""
    path = store.keep(WHERE, one, 0, right(one))
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Damaged):
        store.load(WHERE, one, 0)


def test_stage_checks_are_kept(store, one):
    """The first check that failed says why."""
    assert store.validity(one) is None
    checks = [
        {"name": "alarm", "valid": True, "detail": ""},
        {"name": "reference", "valid": False, "detail": "1 failed"},
    ]
    path = store.keep_validity(one, checks, valid=False)
    assert (path.parent.name, path.name) == ("valid", f"one-{content(one)}.json")
    found = store.validity(one)
    assert (found.valid, found.why, found.checks) == (False, "reference: 1 failed", tuple(checks))
    path.write_text('{"drill": "one", "checks": []}')
    with pytest.raises(Damaged, match="whether"):
        store.validity(one)


# -- the command -------------------------------------------------------------------------------------------------------


def test_without_results_it_says_what_to_run(tmp_path, capsys):
    """And ends with 1."""
    assert drill_range.main(["report", "--root", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "there are no results" in said
    assert "mpa drill run" in said


def test_the_command_gathers_everything(store, one, folder, tmp_path):
    """Players, stage-checks, another agent; what cannot be read is named, what never came to an exam is discarded."""
    two = read(folder / "two")
    for name in ("three", "bad"):
        (folder / name).mkdir()
        (folder / name / "drill.toml").write_text(TOML if name == "three" else "[[")
    three = read(folder / "three")
    store.keep(WHERE, one, 0, right(one))
    store.keep(WHERE, one, 1, right(one))
    store.path(WHERE, one, 2).write_text("{")
    store.keep(WHERE, two, 0, right(two))
    store.keep_validity(two, [{"name": "alarm", "valid": False, "detail": "none came"}], valid=False)
    store.keep(WHERE, three, 0, wrong(three, problem="could not be staged: no port"))
    store.keep(Where("abc123", "ask", "embedded", "restart"), one, 0, wrong(one, "restart"))
    os.utime(store.keep(Where("0ld", "ask", "embedded"), one, 0, wrong(one)), (1e9, 1e9))
    found = report_command.gather(options(tmp_path, "--against", "0l"))
    assert (found.head.setting.agent, found.head.drills, found.head.repetitions) == ("abc123", 1, 2)
    assert {one.name: one.why for one in found.head.discarded} == {
        "two": "alarm: none came",
        "three": "could not be staged: no port",
    }
    assert {one.name.rpartition("/")[2] for one in found.head.unreadable} == {
        f"one-{content(one)}-2.json",
        "drill.toml",
    }
    assert [player.name for player in found.players] == [AGENT, "restart"]
    assert (found.comparison.old, found.comparison.shared) == ("0ld", 1)
    assert (found.head.missing, found.head.outdated) == ((), 0)


def test_drills_that_were_never_checked_are_named(store, one, folder, tmp_path):
    """They count, but nobody has shown that they are fair; a check that cannot be read shows nothing."""
    two = read(folder / "two")
    for drill in (one, two):
        store.keep(WHERE, drill, 0, right(drill))
    store.keep_validity(one, [], valid=True)
    found = report_command.gather(options(tmp_path))
    assert (found.head.drills, found.head.unchecked) == (2, ("two",))
    store.keep_validity(two, [], valid=True).write_text("{")
    assert report_command.gather(options(tmp_path)).head.unchecked == ("two",)
    store.keep_validity(two, [{"name": "alarm", "valid": False}], valid=False)
    assert report_command.gather(options(tmp_path)).head.unchecked == ()


def test_a_sealed_drill_that_changed_is_told_and_counts_as_open(store, folder, tmp_path):
    """The other one stays sealed."""
    seal(folder)
    (folder / "two" / "notes").write_text("easier")
    for name in ("one", "two"):
        store.keep(WHERE, read(folder / name), 0, right(read(folder / name)))
    head = report_command.gather(options(tmp_path)).head
    assert (head.open, head.sealed, head.broken_seals) == (1, 1, ("two",))


def test_the_report_is_of_the_folders_that_are_named(store, one, folder, tmp_path):
    """A user's own drills; what else lies there is neither missing nor changed."""
    for name in ("one", "two"):
        store.keep(WHERE, read(folder / name), 0, right(read(folder / name)))
    chosen = drill_range._options(["report", str(folder / "one"), "--root", str(tmp_path / "root")])
    found = report_command.gather(chosen)
    assert [row.name for row in found.drills] == ["one"]
    assert (found.head.missing, found.head.outdated) == ((), 0)
    (folder / "one" / "notes").write_text("more")
    store.keep(WHERE, read(folder / "one"), 0, right(one))
    assert report_command.gather(chosen).head.outdated == 1
    assert drill_range.main(["report", str(tmp_path / "nowhere"), "--root", str(tmp_path / "root")]) == 2


def test_two_drills_of_one_name_are_no_report(store, one, folder, tmp_path, capsys):
    """Their results would be mixed."""
    shutil.copytree(folder / "one", folder / "more" / "one")
    store.keep(WHERE, one, 0, right(one))
    assert drill_range.main(["report", str(folder), "--root", str(tmp_path / "root")]) == 2
    assert "two drills are called one" in capsys.readouterr().err


def test_an_agent_is_named_by_its_beginning(store, one, folder, tmp_path):
    """Two that it could be are told; so is none."""
    for agent in ("aab", "aac"):
        store.keep(Where(agent, "ask", "embedded"), one, 0, right(one))
    assert report_command.gather(options(tmp_path, "--agent", "aac")).head.setting.agent == "aac"
    with pytest.raises(Unusable, match=r"begins aa., aa.: name one"):
        report_command.gather(options(tmp_path, "--agent", "aa"))
    with pytest.raises(report_command.Absent, match="there are those of"):
        report_command.gather(options(tmp_path, "--agent", "b"))
    with pytest.raises(report_command.Absent, match="not examined so"):
        report_command.gather(options(tmp_path, "--agent", "aac", "--policy", "auto"))


@pytest.mark.parametrize(
    ("shape", "start"), [("terminal", "\nWhat the"), ("markdown", "# What"), ("json", "{"), ("html", "<!doctype html>")]
)
def test_every_format_goes_to_a_file(store, one, folder, tmp_path, shape, start):
    """Whole."""
    store.keep(WHERE, one, 0, right(one))
    out = tmp_path / "out.txt"
    found = report_command.gather(options(tmp_path))
    report_command.show(found, shape, out)
    assert out.read_text().lstrip("\n").startswith(start.lstrip("\n"))
    assert "one" in out.read_text()


def test_json_is_printed(store, one, folder, tmp_path, capsys):
    """For machines, as other commands do."""
    store.keep(WHERE, one, 0, right(one))
    chosen = options(tmp_path, "--json")
    report_command.show(report_command.gather(chosen), chosen.format, chosen.out)
    assert json.loads(capsys.readouterr().out)["head"]["drills"] == 1
