"""That who reads a report for the first time reads it right: order, explanations, widths, one drill, JSON."""

from __future__ import annotations

import io
import json
import re
import shutil
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import drill, right, sat, wrong
from rich.cells import cell_len
from rich.console import Console

from drills import range as drill_range
from drills import report_drill, report_tables, report_text
from drills.approval_policy import ApprovalPolicy
from drills.check import Finding
from drills.compare import compare
from drills.drill import Expect, Fault, Unusable, read
from drills.history import PROJECT
from drills.record import AGENT, Blamed
from drills.report import Left, build
from drills.report_document import Setting
from drills.report_page import drill_page, page
from drills.report_text import as_json, drill_as_json, drill_as_markdown, drill_on_terminal, markdown, rounded, terminal
from drills.report_words import LABELS, MEANINGS, percent, words
from drills.score import QUESTIONS, score
from drills.store import Store, Where
from drills.tally import ending

SETTING = Setting("abc123", "yes", "embedded", "Linux x86_64", 2, "2026-01-02 03:04 UTC")
NONE_LEFT = Left({}, {})
MENDED, DOWN, LATE = (drill(name) for name in ("mended", "down", "late"))
HANDED = drill(
    "handed", faults=(Fault("process", 1.0),), expect=Expect(("infrastructure",), (), "none", ("escalated",))
)
BROKEN = [Finding("errors", passed=False, detail="0.0% before, 40.0% now")]
SEATS = [
    sat(MENDED, right(MENDED)),
    sat(DOWN, wrong(DOWN, closed_seconds=4.0)),
    sat(LATE, right(LATE, closed_seconds=90.0, findings=BROKEN)),
    sat(HANDED, wrong(HANDED, closed_seconds=6.0, acceptance="none")),
]
NOTHING = [sat(one, wrong(one, "nothing", hypotheses=[], outcome=None, closed_seconds=None)) for one in (MENDED, DOWN)]


@pytest.fixture(scope="module")
def report():
    return build({AGENT: SEATS, "nothing": NOTHING}, SETTING, {"outcome": 0.8}, NONE_LEFT)


def printed(show, width):
    paper = io.StringIO()
    show(Console(file=paper, width=width, color_system=None))
    return paper.getvalue()


def on_terminal(report, width=100):
    return printed(lambda console: terminal(report, console), width)


def flat(text):
    """Without line ends and markup, as it is read."""
    return " ".join(re.sub(r"<[^>]*>|\*\*", " ", text).replace("&#39;", "'").replace("&#34;", '"').split())


# -- what is read first ------------------------------------------------------------------------------------------------


def test_how_it_ends_and_harm_come_before_what_was_asked(report):
    """With the baselines beside the agent on the same drills."""
    order = [section.key for section in report_tables.sections(report)]
    assert order[:5] == ["players", "harm", "standings", "times", "questions"]
    rows = {row[0]: row for row in report_tables.sections(report)[0].rows}
    assert rows[AGENT][1:4] == ("1/4", "0.01 to 0.75", "–")  # noqa: RUF001 - the sign for what is not there
    assert rows["nothing"][1] == "0/2"
    assert rows["nothing"][3:6] == ("1/2", "1", "0")
    assert report_tables.sections(report)[1].rows[1][3] == "0/2"
    text = page(report)
    assert text.index('id="players"') < text.index('id="harm"') < text.index('id="questions"')


def test_an_expected_escalation_with_the_service_down_is_right_and_not_well(report):
    """Its outcome counts as right, its end does not; both are said beside each other."""
    found = {one.as_expected: (one.ends_well, one.acceptance_fails, one.not_well) for one in report.standings}
    assert found == {True: (1, 0, 2), False: (0, 0, 1)}
    for render in (on_terminal, markdown, page):
        assert "2 drills with the expected outcome did not end well" in flat(render(report))


def test_a_well_service_with_failed_acceptance_stands_apart():
    """It is well, and does not end well."""
    built = build({AGENT: [sat(MENDED, right(MENDED, acceptance="failed: 1"))]}, SETTING, {}, NONE_LEFT)
    (one,) = built.standings
    assert (one.ends_well, one.acceptance_fails, one.not_well) == (0, 1, 0)


def test_the_time_to_giving_up_is_no_time_to_a_well_end(report):
    """Three kinds of ends, each with its own median; who has no incident has no time."""
    agent, nothing = report.players
    assert {kind: (one.count, one.median_seconds) for kind, one in agent.times.items()} == {
        "well": (1, 40.0),
        "gave_up": (2, 5.0),
        "claimed": (1, 90.0),
    }
    assert not any(one.count for one in nothing.times.values())
    assert "median to the end" not in page(report)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, "well"),
        ({"outcome": "mitigated"}, "well"),
        ({"outcome": "escalated"}, "gave_up"),
        ({"outcome": "cancelled"}, "gave_up"),
        ({"acceptance": "failed: 1"}, "claimed"),
        ({"closed_seconds": None}, "open"),
    ],
)
def test_an_end_is_of_one_kind(changed, kind):
    """Handing over is giving up, though the service is well."""
    result = right(MENDED, **changed)
    assert ending(result, score(MENDED, result)) == kind


@pytest.mark.parametrize("render", [on_terminal, markdown, page])
def test_every_question_is_explained_where_it_is_asked(report, render):
    """In one sentence; the Brier score and the kinds of patches and times too."""
    said = flat(render(report)).replace("\\", "")
    assert set(MEANINGS) == set(QUESTIONS)
    assert set(LABELS) <= set(QUESTIONS)
    for name in QUESTIONS:
        assert words(name) in said
        assert MEANINGS[name] in said
    for text in ("always says one half gets 0.25", "it hands over or is stopped", "it was proven and merged, and yet"):
        assert text in said


def test_few_are_said_as_few():
    """One is no plural."""
    built = build({AGENT: SEATS[:1]}, SETTING, {}, NONE_LEFT)
    said = markdown(built)
    assert "1 drill in 1 family, staged once" in said
    assert "no drill was staged twice" in said
    assert [percent(one) for one in (0.0, 0.001, 0.27, 0.9999, 1.0)] == ["0%", "below 1%", "27%", "over 99%", "100%"]


def test_what_was_not_sat_is_listed_by_name():
    """With its family and what goes wrong; the head says of how many."""
    left = replace(NONE_LEFT, missing=(DOWN, LATE))
    built = build({AGENT: SEATS[:1]}, SETTING, {}, left)
    assert "| not sat yet | 2 of 3 |" in markdown(built)
    section = next(one for one in report_tables.sections(built) if one.key == "missing")
    assert section.rows == (("down", "latency", "Title of down"), ("late", "latency", "Title of late"))
    assert "Title of late" in page(built)


def test_void_stagings_are_told():
    """How many, of which drills, and why they do not count."""
    left = replace(NONE_LEFT, void={"down": 2})
    said = markdown(build({AGENT: SEATS[:1]}, SETTING, {}, left))
    assert "| void stagings | 2 stagings void, the machine was busy: down |" in said


# -- widths ------------------------------------------------------------------------------------------------------------

WORDS = st.text("abcdef-大é", min_size=1, max_size=45)
CELLS = st.lists(WORDS, max_size=12).map(" ".join)
SIGNS = "┏┡└│┃"


def tables_keep_their_edges(text, width):
    lines = text.splitlines()
    assert max(map(cell_len, lines)) <= width
    assert all(line.rstrip()[-1] in "┓┩┘│┃" for line in lines if line and line[0] in SIGNS)


@settings(deadline=None)
@given(st.integers(60, 200), st.integers(1, 11), st.data())
def test_no_table_loses_its_edge_at_any_width(width, columns, data):
    """Whatever stands in it: every border is there, and every column, its first one said again in each part."""
    names = tuple(f"{data.draw(WORDS)[:20]}{number}" for number in range(columns))
    rows = data.draw(st.lists(st.tuples(*[CELLS] * columns), min_size=1, max_size=3))
    section = report_tables.Section("k", "Title", data.draw(CELLS), names, tuple(rows), ((names[0], data.draw(CELLS)),))
    text = printed(lambda console: report_text.print_sections("T", "lead", [section], console), width)
    tables_keep_their_edges(text, width)
    headings = "".join(line for line in text.splitlines() if line.startswith("┃"))
    for number in range(columns):
        assert re.search(rf"(?<!\d){number}(?!\d)", headings)


@pytest.mark.parametrize("width", [60, 80, 97, 200])
def test_the_whole_report_keeps_its_edges(report, width):
    """And so does one drill; no heading is broken within a word."""
    whole = on_terminal(report, width)
    tables_keep_their_edges(whole, width)
    headings = {word for line in whole.splitlines() if line.startswith("┃") for word in line.split()}
    for section in report_tables.sections(report):
        assert {word for name in section.columns for word in name.split()} <= headings
    row = report.drills[0]
    tables_keep_their_edges(printed(lambda console: drill_on_terminal(report, row, console), width), width)


# -- one drill ---------------------------------------------------------------------------------------------------------


def points(one, result):
    built = build({AGENT: [sat(one, result)]}, SETTING, {}, NONE_LEFT)
    return {point.question: (point.expected, point.said, point.right) for point in built.drills[0].points}


def test_what_was_expected_stands_beside_what_was_said():
    """Question by question, in words; commits by what they are."""
    lost = wrong(
        DOWN,
        hypotheses=[Blamed("data", "feed", "d" * 40, 0.25), Blamed("code", "API", "c" * 40, 0.2)],
        culprits=["c" * 40],
        decoys=["d" * 40],
        findings=BROKEN,
        onset_error=-12.0,
        actions=["restart"],
    )
    found = points(DOWN, lost)
    assert found["cause"] == ("code", "data (25% sure)", False)
    assert found["component"] == ("API", "feed (25% sure)", False)
    assert found["change"] == ("cccccccccc (the fault)", "dddddddddd (innocent) (25% sure)", False)
    assert found["change_in_three"][1:] == ("dddddddddd (innocent); cccccccccc (the fault)", True)
    assert found["outcome"] == ("fixed", "escalated", False)
    assert found["well"] == ("as before the fault", "errors: 0.0% before, 40.0% now", False)
    assert found["ends_well"][1:] == ("the service is NOT well, acceptance failed", False)
    assert found["onset"] == ("within 10 s of the truth", "12.0 s too early", False)
    assert found["alert"] == ("an alarm", "an alarm after 3.0 s", True)
    assert found["patch"] == ("a right one", "none was merged", False)
    assert found["action"] == ("not asked", "restart", None)


def test_who_says_nothing_is_said_to_say_nothing():
    """No hypothesis, no incident, no alarm; several right answers are all named."""
    asked = drill("quiet", expect=Expect(("code", "data"), ("API",), "none", ("none",), ("deploy", "none"), "no"))
    silent = wrong(asked, hypotheses=[], incidents=0, outcome=None, onset_error=None, alert_seconds=None)
    found = points(asked, silent)
    assert found["cause"] == ("code or data", "nothing", False)
    assert found["change"] == ("no change", "nothing", True)
    assert found["outcome"] == ("none", "none", True)
    assert found["action"] == ("deploy or none", "none", True)
    assert found["alert"] == ("no alarm", "no alarm", True)


def test_the_table_of_all_drills_names_what_was_expected(report):
    """Where it was wrong only."""
    said = markdown(report)
    assert "| down | WRONG: data, expected code | WRONG: feed, expected API |" in said
    assert "| mended | right: code | right: API | right: c1 (the fault) | right: fixed |" in said


@pytest.mark.parametrize("render", [drill_as_markdown, drill_as_json, drill_page])
def test_one_drill_is_shown_with_everything(render):
    """Each staging, hypothesis and look; which staging counts; how the baselines end."""
    seats = [sat(DOWN, wrong(DOWN, findings=BROKEN), right(DOWN, reason="<b>"), wrong(DOWN, findings=BROKEN))]
    built = build({AGENT: seats, "restart": [sat(DOWN, right(DOWN, "restart"))]}, SETTING, {}, NONE_LEFT)
    said = render(built, report_drill.chosen(built, "down"))
    for text in ("Title of down", "abc123", "40.0% now", "feed", "restart", "proven by experiment"):
        assert text in said
    assert "<b>" not in said
    counts = [(one.number, one.counts, one.ends_well) for one in built.drills[0].stagings]
    assert counts == [(1, True, False), (2, False, True), (3, False, False)]
    assert built.drills[0].ends_well == {AGENT: False, "restart": True}


def test_a_drill_that_is_in_no_count_says_why():
    """Discarded, void, not sat yet, or none at all."""
    left = replace(NONE_LEFT, missing=(LATE,), discarded={"spoilt": "no alarm"}, void={"down": 1})
    built = build({AGENT: SEATS[:1]}, SETTING, {}, left)
    for name, why in (
        ("late", "has not sat it yet"),
        ("spoilt", "no alarm"),
        ("down", "the machine was busy"),
        ("nosuch", "there are mended"),
    ):
        with pytest.raises(Unusable, match=why):
            report_drill.chosen(built, name)


# -- the command -------------------------------------------------------------------------------------------------------

TOML = """
title = "It stops"
family = "crash"
[[fault]]
kind = "process"
action = "stop"
after = 3
[expect]
outcome = "mitigated"
"""


@pytest.fixture
def kept(tmp_path):
    """One drill with results of two policies: the default and one that refuses a roll back."""
    (tmp_path / "drills" / "one").mkdir(parents=True)
    (tmp_path / "drills" / "one" / "drill.toml").write_text(TOML)
    one, careful = read(tmp_path / "drills" / "one"), ApprovalPolicy(approve={"rollback": False}).name
    for policy, outcome in (("yes", "fixed"), (careful, "escalated")):
        Store(tmp_path / "root").keep(Where("abc123", policy, "embedded"), one, 0, right(one, outcome=outcome))
    (tmp_path / "careful.toml").write_text("[approve]\nrollback = false\n")
    return tmp_path


def run(kept, *options):
    return drill_range.main(["report", str(kept / "drills"), "--root", str(kept / "root"), *options])


def test_a_policy_is_named_by_its_file(kept, capsys):
    """As `mpa drill run` takes it; its short name does too. A file that is not there is wrong usage."""
    careful = ApprovalPolicy(approve={"rollback": False}).name
    for named, policy in ((str(kept / "careful.toml"), careful), (careful, careful), ("yes", "yes")):
        assert run(kept, "--policy", named, "--json") == 0
        assert json.loads(capsys.readouterr().out)["head"]["setting"]["policy"] == policy
    assert run(kept, "--policy", str(kept / "nowhere.toml")) == 2
    assert "nowhere.toml" in capsys.readouterr().err
    assert run(kept, "--policy", "0ther") == 1
    assert "its results are of" in capsys.readouterr().err


def test_no_folder_is_made_for_a_report(kept, capsys):
    """One that is not there is an error, and so is a folder in a file's place."""
    assert run(kept, "--policy", "yes", "--format", "html", "--out", str(kept / "new" / "page.html")) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert not (kept / "new").exists()
    assert run(kept, "--policy", "yes", "--format", "html", "--out", str(kept)) == 2
    assert run(kept, "--policy", "yes", "--format", "html", "--out", str(kept / "page.html")) == 0


def test_what_a_busy_machine_spoilt_is_in_no_count(kept, capsys):
    """The staging that is not void counts; where all are, the drill is not sat."""
    shutil.copytree(kept / "drills" / "one", kept / "drills" / "two")
    store, where = Store(kept / "root"), Where("abc123", "yes", "embedded")
    one, two = (read(kept / "drills" / name) for name in ("one", "two"))
    store.keep(where, one, 0, wrong(one, void="others took the CPU"))
    store.keep(where, one, 1, right(one))
    store.keep(where, two, 0, wrong(two, void="others took the CPU"))
    assert run(kept, "--policy", "yes", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["head"]["drills"], found["head"]["repetitions"], found["head"]["void"]) == (
        1,
        1,
        {"one": 1, "two": 1},
    )
    assert [one["name"] for one in found["head"]["missing"]] == ["two"]
    assert found["head"]["discarded"] == []
    assert run(kept, "--policy", "yes", "--drill", "two") == 2
    assert "the machine was busy" in capsys.readouterr().err


@pytest.mark.parametrize("shape", ["terminal", "markdown", "json", "html"])
def test_one_drill_is_asked_for_by_name(kept, capsys, shape):
    """In every format; an unknown name is wrong usage."""
    assert run(kept, "--policy", "yes", "--drill", "one", "--format", shape) == 0
    said = capsys.readouterr().out
    assert "mitigated" in said
    assert "fixed" in said
    assert run(kept, "--policy", "yes", "--drill", "two", "--format", shape) == 2
    assert "there are one" in capsys.readouterr().err


# -- JSON --------------------------------------------------------------------------------------------------------------


def leaves(value, path=""):
    """Every number and list with its place."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, f"{path}.{key}")
    elif isinstance(value, list):
        yield path, value
        for one in value:
            yield from leaves(one, f"{path}[]")
    else:
        yield path, value


def test_json_numbers_are_no_longer_than_they_say_something(report):
    """Seconds to hundredths, shares to four places; a small probability is not nothing."""
    for path, value in leaves(json.loads(as_json(report))):
        if isinstance(value, float):
            places = 2 if "seconds" in path.rpartition(".")[2] or "_seconds." in path else 4
            assert value == round(value, places) or value < 1e-3, path
    assert rounded({"p": 0.00001234, "end_seconds": 12.3456, "stages_seconds": {"look": 1.005}}) == {
        "p": 0.000012,
        "end_seconds": 12.35,
        "stages_seconds": {"look": round(1.005, 2)},
    }


def test_json_lists_hold_objects_or_names_only():
    """No number or answer is told by its place in a list."""
    other = [sat(MENDED, wrong(MENDED))]
    built = build(
        {AGENT: SEATS, "nothing": NOTHING},
        SETTING,
        {},
        Left({"a": "b"}, {"c": "d"}, (LATE,)),
        compare(other, SEATS, ("old", "abc123")),
    )
    for path, value in leaves(json.loads(as_json(built))):
        if isinstance(value, list):
            assert all(isinstance(one, dict) for one in value) or all(isinstance(one, str) for one in value), path
            assert value == [] or isinstance(value[0], dict) or path.rpartition(".")[2] in {
                "silent", "unchecked", "broken_seals", "largest",
            }, path  # fmt: skip


def test_the_schema_is_documented(report):
    """Every key of the document stands in docs/drills-report.md."""
    text = (PROJECT / "docs" / "drills-report.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`([a-z_0-9]+)`", text))
    document = json.loads(as_json(report))
    names = {key for path, _ in leaves(document) for key in re.findall(r"[a-z_0-9]+", path)}
    free = {*QUESTIONS, *report.drills[0].stages_seconds, AGENT, "nothing"}  # keys that are names
    assert names - free - documented == set()
    assert f"schema {document['schema']}" in text
    assert document["head"]["setting"]["agent"] == "abc123"
    assert {"policy", "stack"} <= set(document["head"]["setting"])
