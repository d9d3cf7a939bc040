"""What the report counts, and that every rendering says it."""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import drill, right, sat, wrong
from rich.console import Console

from drills.compare import compare
from drills.drill import Expect, Fault, Unusable
from drills.odds import difference, median_interval, quantile, sign_test, wilson
from drills.record import AGENT
from drills.report import FAMILY_QUESTIONS, Left, build, verdict
from drills.report_command import bars
from drills.report_document import Named, Setting, Unsat
from drills.report_page import page
from drills.report_text import SCHEMA, as_json, escaped, markdown, terminal
from drills.report_words import words
from drills.score import QUESTIONS, lower_bound
from drills.tally import End, agreement, counted, majority

SETTING = Setting("abc123", "ask", "embedded", "Linux x86_64", 2, "2026-01-02 03:04 UTC")
NONE_LEFT = Left({}, {})
HOSTILE = "<script>alert('x')</script> | \x1b[31m\nrow 2 & [a](https://evil.invalid/) \ud800"
SPOILT = drill("spoilt")
DRILLS = [
    drill("one", decoys=(drill("x").faults[0].commit,)),
    drill("two", sealed=True, bare_request=False),
    drill("three", family="crash", target={"example": "parcel-times"}),
    drill(
        "four",
        family="crash",
        faults=(Fault("process", 1.0),),
        expect=Expect(("infrastructure",), (), "none", ("mitigated",), alert="yes"),
    ),
]
SEATS = [
    sat(DRILLS[0], right(DRILLS[0]), wrong(DRILLS[0])),
    sat(DRILLS[1], right(DRILLS[1])),
    sat(DRILLS[2], wrong(DRILLS[2], reason=HOSTILE, alert_seconds=None)),
    sat(DRILLS[3], right(DRILLS[3], outcome="escalated")),
    sat(SPOILT, wrong(SPOILT)),
]
NOTHING = [sat(one, wrong(one, "nothing", hypotheses=[])) for one in DRILLS]
LEFT = Left({"spoilt": "reference: acceptance fails"}, {"a.json": "it is no JSON"}, (drill("five"),), 2)


@pytest.fixture(scope="module")
def report():
    old = [sat(DRILLS[0], wrong(DRILLS[0])), sat(DRILLS[1], right(DRILLS[1]))]
    comparison = compare(old, SEATS, ("old0", "abc123"))
    return build({AGENT: SEATS, "nothing": NOTHING}, SETTING, {"alert": 0.95, "cause": 0.1}, LEFT, comparison)


def test_the_head_counts_what_the_drills_are(report):
    """Discarded ones are named and in no other count; those without an alarm are named and count as wrong."""
    head = report.head
    assert (head.drills, head.families, head.open, head.sealed, head.repetitions) == (4, 2, 3, 1, 5)
    assert (head.without_code_cause, head.with_decoys, head.bare_request_shows_nothing, head.second_target) == (
        1,
        1,
        1,
        1,
    )
    assert head.discarded == (Named("spoilt", "reference: acceptance fails"),)
    assert head.silent == ("three",)
    assert head.missing == (Unsat("five", "latency", "Title of five"),)
    assert (head.outdated, head.unreadable) == (2, (Named("a.json", "it is no JSON"),))


def test_questions_count_right_answers_of_those_asked(report):
    """By hand: three alarms of four, two causes of four, two components of the three asked."""
    found = {one.name: (one.share.right, one.share.of) for one in report.questions}
    assert found["alert"] == (3, 4)
    assert found["cause"] == (2, 4)
    assert found["component"] == (2, 3)
    assert found["change"] == (2, 4)
    assert found["outcome"] == (2, 4)
    assert found["harmless"] == (3, 4)
    assert found["action"] == (0, 0)
    assert tuple(found) == QUESTIONS
    assert report.brier == pytest.approx((0.01 + 0.01 + 0.04 + 0.81) / 4)
    assert report.brier_count == 4


def test_patches_are_right_wrong_or_none(report):
    """Where a change is to blame two are right and one is missing; the change that nobody needed is beside them."""
    assert list(report.patches.values()) == [
        {"right": 2, "wrong": 0, "none": 1},
        {"right": 1, "wrong": 0, "none": 0},
    ]


def test_players_stand_side_by_side(report):
    """Three end well with the agent, none with nobody; four pairs, three of them differ: p is 2/8."""
    agent, nothing = report.players
    assert (agent.ends_well.right, nothing.ends_well.right, agent.harm.right, agent.harm.of) == (3, 0, 1, 4)
    paired = nothing.paired
    assert agent.paired is None
    assert (paired.both, paired.agent_only, paired.other_only, paired.neither) == (0, 3, 0, 1)
    assert (paired.agent.right, paired.agent.of, paired.agent_harm.right) == (3, 4, 1)
    assert paired.p == pytest.approx(0.25)


def test_families_and_groups_are_counted_apart(report):
    """Each family, open against sealed, the second target against the first."""
    crash, latency = report.families
    assert (crash.name, crash.drills, crash.questions["cause"].right) == ("crash", 2, 0)
    assert (latency.ends_well[AGENT].right, latency.ends_well["nothing"].right) == (2, 0)
    gap = {one.name: one for one in report.sealed}["cause"]
    assert (gap.first.right, gap.first.of, gap.second.right, gap.second.of) == (1, 3, 1, 1)
    assert gap.gap.value == pytest.approx(2 / 3)
    assert {one.name: one.second.of for one in report.targets}["cause"] == 1


def test_stages_say_where_a_minute_goes(report):
    """Detection 3, 3, 5, 3 and repair 27, 27, 5, 27: 14 and 86 of 100 seconds."""
    detection, repair = report.stages
    assert (detection.name, detection.median_seconds, detection.total_seconds) == ("detection", 3.0, 14.0)
    assert (repair.of_a_minute_seconds, detection.p90_seconds) == (pytest.approx(51.6), pytest.approx(4.4))
    assert report.largest == ("repair", "detection")


def test_nothing_sat_is_a_report_too():
    """No division by nothing, in no rendering."""
    empty = build({}, SETTING, {"alert": 0.9}, NONE_LEFT)
    assert (empty.brier, empty.drills, empty.players) == (None, (), ())
    assert {one.verdict for one in empty.questions} == {"", "not shown"}
    assert "not shown (n=0)" in markdown(empty)
    assert "not asked" in page(empty)
    assert json.loads(as_json(empty))["head"]["drills"] == 0


# -- bars and statistics -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "count", "bar", "said"),
    [
        (45, 45, 0.95, "met"),  # 0.1 ** (1 / 45) = 0.9501
        (44, 44, 0.95, "not shown"),  # 0.1 ** (1 / 44) = 0.9490
        (0, 2, 0.69, "missed"),  # 1 - 0.1 ** (1 / 2) = 0.684
        (0, 2, 0.68, "not shown"),
        (0, 0, 0.5, "not shown"),
        (3, 4, None, ""),
    ],
)
def test_a_bar_is_met_only_by_the_lower_bound(hits, count, bar, said):
    """All right is not enough when there are few; the closed forms of Clopper and Pearson's ends are in the comments."""
    assert verdict(hits, count, bar) == said


def test_the_projects_bars_are_read():
    """And a question that there is not is told."""
    assert bars()["component_in_three"] == 0.95
    assert set(bars()) <= set(QUESTIONS)


@pytest.mark.parametrize(
    ("text", "said"), [("[bars]\nluck = 0.5", "luck"), ("[bars]\nalert = 95", "ratio"), ("[bars", "bars.toml")]
)
def test_a_wrong_bar_is_told(tmp_path, text, said):
    """By its name and file."""
    path = tmp_path / "bars.toml"
    path.write_text(text)
    with pytest.raises(Unusable, match=said):
        bars(path)


def test_the_difference_is_newcombes():
    """Against the published example: 56/70 less 48/80 at 95% is 0.2 with 0.0524 to 0.3339 (Newcombe 1998, table II)."""
    (low1, high1), (low2, high2) = wilson(56, 70, 0.95), wilson(48, 80, 0.95)
    assert 0.2 - math.hypot(0.8 - low1, high2 - 0.6) == pytest.approx(0.0524, abs=1e-4)
    assert 0.2 + math.hypot(high1 - 0.8, 0.6 - low2) == pytest.approx(0.3339, abs=1e-4)
    gap, low, high = difference((56, 70), (48, 80))
    assert gap == pytest.approx(0.2)
    assert 0.0524 < low < gap < high < 0.3339
    assert difference((1, 2), (0, 0)) is None


@pytest.mark.parametrize(
    ("wins", "losses", "p"), [(0, 0, 1.0), (1, 1, 1.0), (5, 0, 0.0625), (8, 2, 0.109375), (2, 8, 0.109375)]
)
def test_the_sign_test_is_exact(wins, losses, p):
    """Sums of binomial coefficients by hand."""
    assert sign_test(wins, losses) == pytest.approx(p)


def test_medians_and_their_intervals():
    """Of ten, the second and the ninth: 11/1024 outside on each side; four are too few to say anything."""
    assert median_interval(range(1, 11)) == (2, 9)
    assert median_interval([1.0, 2.0, 3.0, 4.0]) is None
    assert median_interval([]) is None
    assert (quantile([3.0, 1.0, 2.0], 0.5), quantile([1.0, 2.0], 0.9), quantile([], 0.5)) == (
        2.0,
        pytest.approx(1.9),
        None,
    )


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_intervals_hold_what_they_are_about(first, second, data):
    """The share, the difference, the median."""
    one, two = data.draw(st.integers(0, first)), data.draw(st.integers(0, second))
    share = counted(one, first)
    assert 0.0 <= share.low <= share.value <= share.high <= 1.0
    low, high = wilson(one, first)
    assert 0.0 <= low <= share.value <= high <= 1.0
    gap, below, above = difference((one, first), (two, second))
    assert -1.0 - 1e-9 <= below <= gap <= above <= 1.0 + 1e-9
    assert difference((two, second), (one, first))[0] == pytest.approx(-gap)
    assert 0.0 < sign_test(one, two) <= 1.0


@given(st.lists(st.floats(0, 1000), min_size=5, max_size=40))
def test_the_median_lies_in_its_interval(values):
    """Whatever the values."""
    low, high = median_interval(values)
    assert low <= quantile(values, 0.5) <= high


@given(st.integers(1, 60), st.floats(0.01, 1.0), st.data())
def test_what_is_met_is_never_missed(count, bar, data):
    """More right answers never make a verdict worse."""
    order = ["missed", "not shown", "met"]
    hits = data.draw(st.integers(0, count - 1))
    assert order.index(verdict(hits, count, bar)) <= order.index(verdict(hits + 1, count, bar))
    assert (verdict(hits, count, bar) == "met") == (lower_bound(hits, count) >= bar)


# -- majority and comparison -------------------------------------------------------------------------------------------


def test_the_majority_decides_of_three():
    """Details of a failed acceptance do not make two ends of one; of fewer than three the first counts."""
    one = DRILLS[0]
    lost = [wrong(one, acceptance=f"failed: 1 failed in {number} s") for number in (1, 2)]
    assert majority([right(one), *lost]) is lost[0]
    assert majority([right(one), lost[0]]).outcome == "fixed"
    assert majority([right(one), lost[0], right(one, outcome="cancelled")]).outcome == "fixed"
    with pytest.raises(ValueError, match="no repetition"):
        majority([])


@given(st.lists(st.sampled_from(["fixed", "escalated", "cancelled"]), min_size=3, max_size=9))
def test_no_end_is_commoner_than_the_majoritys(outcomes):
    """And of equals it is the one that came first."""
    chosen = majority([right(DRILLS[0], outcome=one) for one in outcomes]).outcome
    most = max(map(outcomes.count, outcomes))
    assert chosen == next(one for one in outcomes if outcomes.count(one) == most)


def test_two_agents_are_compared_on_the_drills_they_share():
    """Better, worse and other; what ends alike is not listed; p is the sign test's."""
    names = ("up", "down", "same", "other", "new")
    up, down, same, other, new = map(drill, names)
    before = [sat(up, wrong(up)), sat(down, right(down)), sat(same, right(same)), sat(other, wrong(other))]
    after = [
        sat(up, right(up), right(up), wrong(up)),
        sat(down, wrong(down)),
        sat(same, right(same)),
        sat(other, wrong(other, outcome="inconclusive")),
        sat(new, right(new)),
    ]
    found = compare(before, after)
    assert [(one.drill, one.change) for one in found.differs] == [
        ("up", "better"),
        ("down", "worse"),
        ("other", "other"),
    ]
    assert (found.shared, found.wins, found.losses, found.p) == (4, 1, 1, 1.0)
    assert found.differs[0].old == End("escalated", "failed", well=False)
    back = compare(after, before)
    assert (back.wins, back.losses) == (found.losses, found.wins)


def test_agreement_is_how_many_end_alike_again():
    """By drill, of those staged twice; order does not count."""
    one, two, three = DRILLS[:3]
    found = agreement([right(one), right(two), right(three)], [wrong(two), right(one)])
    assert (found.right, found.of) == (1, 2)


# -- renderings --------------------------------------------------------------------------------------------------------


def on_terminal(report, width=200):
    paper = io.StringIO()
    terminal(report, Console(file=paper, width=width, color_system=None))
    return paper.getvalue()


@pytest.mark.parametrize("render", [on_terminal, markdown, as_json, page])
def test_every_rendering_holds_every_drill_and_question(report, render):
    """The discarded, unreadable and missing ones by name too."""
    said = render(report)
    for name in (*(one.name for one in DRILLS), "spoilt", "a.json", "five", "abc123", "old0"):
        assert name in said
    for name in QUESTIONS:
        assert name in said or name.replace("_", " ") in said
    assert said.encode("utf-8")
    assert "\x1b" not in said


def test_a_narrow_terminal_still_names_every_drill(report):
    """Names are not cut."""
    said = on_terminal(report, width=60)
    assert all(re.search(rf"\b{one.name}\b", said) for one in DRILLS)


def test_a_usual_terminal_holds_every_column(report):
    """At 80 columns wide tables go on below: no word of a heading is broken, and no line is longer."""
    lines = on_terminal(report, width=80).splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line[-1] in "│┃" for line in lines if line[:1] in ("│", "┃"))
    headings = {word for line in lines if line.startswith("┃") for word in line.split()}
    for name in FAMILY_QUESTIONS:
        assert set(words(name).split()) <= headings


def test_markdown_tables_stay_tables(report):
    """Whatever the agent says: each row has the columns of its heading."""
    for block in re.findall(r"(?:^\|.*\n)+", markdown(report), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert "<script" not in markdown(report)
    assert escaped("a_b *c* [d](e) <f> http://g") == r"a_b \*c\* \[d\](e) &lt;f&gt; http\://g"


def test_json_holds_the_numbers(report):
    """As they were counted, with the schema's number."""
    found = json.loads(as_json(report))
    assert found["schema"] == SCHEMA
    assert found["questions"][0]["share"]["right"] == 3
    assert found["comparison"]["wins"] == 1
    assert {one["name"] for one in found["drills"]} == {one.name for one in DRILLS}


class Elements(HTMLParser):
    """Collects the elements of a page and what they refer to."""

    def __init__(self):
        super().__init__()
        self.tags, self.links, self.ids, self.words = [], [], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src", "xlink:href", "action", "srcset"}]
        self.ids |= {value for name, value in attrs if name == "id"}

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_needs_nothing_from_elsewhere(report):
    """No script, no address outside the page, every link leads to a place within it."""
    text = page(report)
    found = Elements()
    found.feed(text)
    assert not {"script", "iframe", "img", "object", "embed", "form"} & set(found.tags)
    assert all(link == "data:," or link[1:] in found.ids for link in found.links)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    assert "url(" not in style
    assert "@import" not in style
    assert "://" not in text.replace(escaped_in_html(HOSTILE), "").replace("https://evil.invalid/", "")


def escaped_in_html(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")


def test_the_page_escapes_what_the_agent_said(report):
    """It stands there as text."""
    text = page(report)
    assert "<script" not in text
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in text


def test_the_page_tells_no_state_by_colour_alone(report):
    """Every sign of the grid has words, and every verdict too."""
    text = page(report)
    assert text.count("<title>cause: right</title>") == 2
    assert text.count("<title>cause: wrong</title>") == 2
    assert text.count("<title>component: not asked</title>") == 1
    assert "not shown (n=4), bar 0.95" in text
    assert "met, bar 0.10" in text


def test_harm_is_said_with_the_drill(report):
    """In the agent's words the examiner adds it."""
    assert "HARM: code was changed though no code was to blame" in markdown(report)
    clean = build({AGENT: [sat(DRILLS[0], right(DRILLS[0]))]}, replace(SETTING, agent="x"), {}, NONE_LEFT)
    assert "HARM" not in markdown(clean)


def test_twins_are_counted_in_pairs():
    """Both causes right, one or none; each pair once, whichever names the other."""
    asked = Expect(("infrastructure",), (), "none", ("mitigated",))
    process = (Fault("process", 1.0),)
    code = [drill(name, twin=f"{name}-not") for name in ("a", "b", "c")]
    other = [drill(f"{name}-not", faults=process, expect=asked, twin=name) for name in ("a", "b")]
    blame = {"hypotheses": [replace(right(code[0]).hypotheses[0], cause="infrastructure", component="process")]}
    seats = [
        sat(code[0], right(code[0])),
        sat(other[0], right(other[0], **blame)),
        sat(code[1], wrong(code[1])),
        sat(other[1], wrong(other[1], **blame)),
        sat(code[2], right(code[2])),
    ]
    built = build({AGENT: seats}, SETTING, {}, NONE_LEFT)
    assert [(one.first, one.second, one.right) for one in built.twins] == [
        ("a", "a-not", "both"),
        ("b", "b-not", "one"),
    ]
    assert "both 1, one 1, none 0" in markdown(built)


def test_what_is_counted_without_a_check_or_a_seal_is_named():
    """In every rendering."""
    left = Left({}, {}, unchecked=("one",), broken_seals=("two",))
    built = build({AGENT: SEATS[:2]}, SETTING, {}, left)
    for text in (markdown(built), page(built)):
        assert "not checked on a stage" in text
        assert "sealed and changed since" in text
