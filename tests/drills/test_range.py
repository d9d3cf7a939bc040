"""The range without a stage: what it finds, counts, compares, and refuses to keep."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from itertools import chain, repeat

import pytest
from made_up import drill, right, wrong
from rich.console import Console
from typer.testing import CliRunner

from agent.cli.commands import app
from drills import range as drill_range
from drills import versions
from drills.drill import Unusable, read
from drills.history import PROJECT
from drills.record import AGENT
from drills.store import Store, Where

QUIET = 'title = "t"\nfamily = "f"\n[target]\nexample = "no-such"\n[[fault]]\nkind = "none"\n'


@pytest.fixture
def folder(tmp_path):
    """Two drills that no stage can have: each ends at once."""
    for name in ("one", "two"):
        (tmp_path / "drills" / name).mkdir(parents=True)
        (tmp_path / "drills" / name / "drill.toml").write_text(QUIET)
    return tmp_path / "drills"


def made(folder, *words, named=lambda: "mine"):
    """A range, and where it speaks."""
    options = drill_range._options(["run", str(folder), "--root", str(folder.parent / "root"), *words])
    said = io.StringIO()
    return drill_range.Range(options, Console(file=said, soft_wrap=True), named), said


def keep(folder, agent, *results, name="one"):
    """Kept stagings of one drill."""
    store, of = Store(folder.parent / "root"), read(folder / name)
    where = made(folder)[0]._where
    for number, result in enumerate(results):
        store.keep(replace(where, agent=agent), of, number, result(of))
    return replace(where, agent=agent)


def test_a_drill_is_found_once_and_two_of_one_name_are_refused(folder):
    """A folder and one below it are one drill."""
    assert [one.name for one in drill_range.find([folder, folder / "one"])] == ["one", "two"]
    shutil.copytree(folder / "one", folder / "more" / "one")
    with pytest.raises(Unusable, match="two drills are called one"):
        drill_range.find([folder])


def test_in_the_totals_a_drill_counts_once(capsys):
    """By the majority of its stagings, as in the report."""
    one, two = drill("one"), drill("two")
    seen = [(one, result) for result in (wrong(one), right(one), right(one))] + [(two, right(two))]
    drill_range.show(seen, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert len(told["drills"]) == 4
    assert told["totals"]["well"][:2] == [2, 2]


def test_another_agent_is_compared_by_its_majority(folder):
    """A single unlucky staging makes no difference; damaged files are told and not counted."""
    keep(folder, "mine", right)
    keep(folder, "mine", wrong, name="two")
    other = keep(folder, "other-one", wrong, right, right)
    keep(folder, "other-one", right, name="two")
    grounds, said = made(folder, "--against", "other")
    drills = drill_range.find([folder])
    assert [one.name for one in grounds.differing(drills, other)] == ["two"]
    assert "1 of 2 drills end otherwise with other-one" in said.getvalue()
    Store(folder.parent / "root").path(other, drills[1], 0).write_text("{")
    assert grounds.differing(drills, other) == []
    assert "not counted" in said.getvalue()


def test_it_says_when_nothing_can_be_compared(folder):
    """The other agent never sat these drills as they are."""
    keep(folder, "mine", right)
    other = keep(folder, "other", right, name="two")
    grounds, said = made(folder, "--against", "other")
    assert grounds.differing(drill_range.find([folder]), other) == []
    assert "nothing can be compared" in said.getvalue()


@pytest.mark.parametrize(
    ("words", "why"), [(("--against", "nobody"), "nobody"), (("--against", "oth", "--player", "restart"), "baseline")]
)
def test_another_agent_that_is_none_is_told_before_anything_is_staged(folder, words, why):
    """A slip of the pen does not cost two hours."""
    keep(folder, "other", right)
    with pytest.raises(Unusable, match=why):
        made(folder, *words)


@pytest.mark.parametrize("player", [AGENT, "nothing"])
def test_a_result_of_an_agent_that_changed_meanwhile_is_not_kept(folder, player):
    """Nobody could say whose it is. Baselines do not care which agent stands by."""
    grounds, said = made(folder, "--player", player, named=chain(["mine"], repeat("other")).__next__)
    drills = drill_range.find([folder / "one"])
    if player == AGENT:
        with pytest.raises(Unusable, match="one: the agent changed while it was staged, from mine/"):
            grounds.run(drills)
        assert "could not be staged" not in said.getvalue()
    else:
        assert grounds.run(drills) == []
        assert "could not be staged" in said.getvalue()
    where = Where("mine", "yes", "embedded", player)
    assert Store(folder.parent / "root").files(where) == []


def test_a_range_that_breaks_or_is_interrupted_is_no_answer_about_drills(folder, tmp_path):
    """``make drills`` passes over 1, a drill that is not valid; nothing else."""
    (tmp_path / "root").write_text("a file where results should lie")
    assert drill_range.main(["check", "--quick", str(folder), "--root", str(tmp_path / "other")]) == 1
    assert drill_range.main(["check", str(folder / "one"), "--root", str(tmp_path / "root")]) == 3
    recipe = (PROJECT / "Makefile").read_text().partition("\ndrills:")[2].partition("\n\n")[0]
    assert "|| true" not in recipe
    assert recipe.count("--jobs $(JOBS)") == 3


def test_what_says_nothing_is_staged_again_so_often_and_no_more(folder):
    """What broke once more, what a busy machine spoilt twice; then that is kept, with the reason, and does not count."""
    grounds, _ = made(folder)
    of = read(folder / "one")
    wanted, store = drill_range.Wanted(of, 0), Store(folder.parent / "root")
    spoilt, broken = right(of, void="the machine was busy"), right(of, problem="could not be staged: no")
    assert [grounds._take(wanted, broken) for _ in range(2)] == [False, True]
    grounds._tries.clear()
    assert [grounds._take(wanted, spoilt) for _ in range(3)] == [False, False, True]
    assert store.load(grounds._where, of, 0).void == "the machine was busy"
    assert grounds._missing(wanted), "the next run tries again"
    assert grounds._kept(grounds._where, of) == []
    assert grounds._take(drill_range.Wanted(of, 1), right(of))
    assert len(grounds._kept(grounds._where, of)) == 1


def test_a_void_staging_says_so():
    """Instead of how it ended."""
    of = drill("one")
    assert drill_range.summary(of, right(of, void="the machine was busy: x")) == "void: the machine was busy: x"


REAL = PROJECT / "drills" / "demo" / "batch-spread"


@pytest.fixture
def ran(tmp_path, capsys):
    """``mpa drill run`` of a real drill whose stagings are kept already, so that none is needed."""

    def run(*results, words=(), checked=None):
        store, of = Store(tmp_path / "root"), read(REAL)
        where = Where(versions.agent(), "yes", "embedded")
        store.drop(where, of)
        for number, result in enumerate(results):
            store.keep(where, of, number, result(of))
        if checked is not None:
            store.keep_validity(of, [{"name": "commits apply", "valid": checked, "detail": "why"}], valid=checked)
        words = ["run", str(REAL), "--root", str(tmp_path / "root"), "--repeat", str(len(results) or 1), *words]
        return drill_range.main(words), capsys.readouterr()

    return run


def test_of_several_stagings_it_is_told_which_counts(ran):
    """Of two the first, of three the commonest end; to machines, too."""
    _, told = ran(wrong, right)
    assert "batch-spread: of 2 stagings the first counts: alarm after 3.0 s; outcome escalated" in told.err
    _, told = ran(wrong, right, right, words=["--json"])
    assert "of 3 stagings the commonest end counts: alarm after 3.0 s; outcome fixed" in told.err
    assert [one["counts"] for one in json.loads(told.out)["drills"]] == [False, True, False]


@pytest.mark.parametrize(
    ("result", "words", "status"),
    [
        (wrong, (), 0),
        (wrong, ("--strict",), 1),
        (right, ("--strict",), 0),
        (lambda of: right(of, trail=["x"]), ("--strict",), 1),
    ],
)
def test_the_exit_status_says_whether_it_was_staged_and_if_asked_how_it_ended(ran, result, words, status):
    """An agent that failed is an answer, too; ``--strict`` wants a good one, without harm."""
    assert ran(result, words=words)[0] == status


def test_a_drill_that_its_check_found_invalid_is_refused(ran):
    """With the reason; ``--anyway`` stages it all the same."""
    status, told = ran(right, checked=False)
    assert (status, "batch-spread: its stage-check found it invalid: commits apply: why; not staged" in told.err) == (
        1,
        True,
    )
    status, told = ran(right, checked=False, words=["--anyway"])
    assert (status, "the report leaves it out" in told.err) == (0, True)
    assert ran(right, checked=True)[0] == 0


def test_fresh_drops_what_was_kept_of_the_chosen_drills_only(folder):
    """So they are staged again; the neighbours' results stay."""
    where = keep(folder, "mine", right, right)
    keep(folder, "mine", right, name="two")
    grounds, said = made(folder, "--fresh")
    assert grounds.run([read(folder / "one")]) == []
    assert "2 kept results of these drills are dropped" in said.getvalue()
    assert len(Store(folder.parent / "root").files(where)) == 1


def test_the_agent_of_this_tree_is_no_other_agent(folder):
    """It would be compared with itself."""
    keep(folder, "mine", right)
    with pytest.raises(Unusable, match="agent of this tree itself"):
        made(folder, "--against", "mine")


def test_a_list_cuts_no_name_and_says_where_it_lies(folder, capsys, monkeypatch):
    """At 80 columns, and of two folders; a drill.toml stands for its folder."""
    monkeypatch.setenv("COLUMNS", "80")
    name = "a-name-that-is-longer-than-a-third-of-eighty-columns"
    shutil.copytree(folder / "one", folder / "more" / name)
    assert drill_range.main(["list", str(folder / "more"), str(folder / "two" / "drill.toml")]) == 0
    told = capsys.readouterr().out
    assert name in told
    assert f"{folder}/more/" in told.replace("\n", "")
    assert "two" in told
    assert max(map(len, told.splitlines())) <= 80


def test_clean_ends_what_is_left_and_empties_the_cache_when_asked(tmp_path, capsys):
    """Results stay; what is no such folder is made by nobody."""
    root = tmp_path / "root"
    assert drill_range.main(["clean", "--root", str(root)]) == 2
    assert not root.exists()
    for path in ("runs/left/x", "cache/environments/y", "results/z"):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_bytes(b"1" * 3_000_000)
    assert drill_range.main(["clean", "--root", str(root)]) == 0
    assert (root / "cache" / "environments" / "y").exists()
    assert drill_range.main(["clean", "--cache", "--root", str(root)]) == 0
    told = capsys.readouterr().out
    assert "ended and removed: 1" in told
    assert "removed from the cache: 3 MiB" in told
    assert not list((root / "runs").iterdir())
    assert not (root / "cache").exists()
    assert (root / "results" / "z").exists()


def test_every_command_is_named_in_the_help_of_mpa_drill():
    """Also ``seal``."""
    help_text = CliRunner().invoke(app, ["drill", "--help"], env={"COLUMNS": "200"}).output
    known = drill_range._options(["list"])
    assert known.command is drill_range.list_all
    for name in ("run", "report", "list", "check", "new", "seal", "clean"):
        assert name in help_text


@pytest.mark.parametrize(
    ("words", "said"),
    [(["run", "{}"], "what has a result"), (["check", "{}"], "with --missing"), (["list", "{}"], "interrupted\n")],
)
def test_an_interruption_says_how_to_go_on(folder, words, said, monkeypatch, capsys):
    """Each command its own way."""

    def interrupted(_options):
        raise KeyboardInterrupt

    for name in ("run", "check", "list_all"):
        monkeypatch.setattr(drill_range, name, interrupted)
    assert drill_range.main([word.format(folder) for word in words]) == 130
    assert said in capsys.readouterr().err
