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

from drills import range as drill_range
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
