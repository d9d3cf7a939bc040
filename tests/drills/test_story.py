"""The account of an incident: where the seconds went, from entries alone."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from drills.check import back_to_normal, enough, errors, latency, running
from drills.meter import Answers, signals_of, summary
from drills.narration import closing, hypotheses, leftovers, sparkline, squeezed, tell
from drills.screen import chart
from drills.story import Account, Event, Story
from drills.traffic import Second

FAULT = 1_000.0


def event(seq: int, seconds: float, kind: str, **data: object) -> Event:
    return Event(seq=seq, at=FAULT + seconds, kind=kind, message=kind, data=data)


def told(person_answers: bool = False) -> Story:
    story = Story(FAULT, person_answers=person_answers)
    story.documents = {
        "proposal": {"own_tests_seconds": 4.0},
        "verification": {"observations": [{"at": datetime.fromtimestamp(FAULT + 31, UTC).isoformat()}]},
    }
    story.add(
        [
            event(1, 3, "incident.opened"),
            event(2, 3, "phase.started", phase="investigate"),
            event(3, 9, "phase.started", phase="repair"),
            event(4, 15, "approval.requested"),
            event(5, 16, "approval.decided"),
            event(6, 16, "phase.started", phase="deliver"),
            event(7, 19, "phase.started", phase="verify"),
            event(8, 30, "verification.observed"),
            event(9, 33, "phase.started", phase="conclude"),
            event(10, 34, "incident.closed"),
        ]
    )
    return story


def test_the_agents_own_share_is_what_the_waits_leave():
    """Signal, the target's own tests and the window are no work of the agent's; everything else is."""
    account = told().account()
    assert (account.total, account.signal, account.own_tests, account.window) == (34.0, 3.0, 4.0, 12.0)
    assert account.share == pytest.approx(34 - 3 - 4 - 12)
    assert account.within


def test_only_a_person_at_the_terminal_is_a_wait():
    """An approval given by program is part of the agent's own time."""
    assert told().account().person == 0.0
    assert told(person_answers=True).account().person == pytest.approx(1.0)


def test_stages_add_up_to_the_total():
    """Every second between fault and end belongs to exactly one stage."""
    stages = told().stages()
    assert [stage.name for stage in stages] == ["signal", "investigate", "repair", "deliver", "verify", "conclude"]
    assert sum(stage.seconds for stage in stages) == pytest.approx(34.0)


def test_entries_seen_twice_count_once():
    """Entries may come again and out of order."""
    story = told()
    assert story.add([event(3, 9, "phase.started", phase="repair"), event(2, 3, "phase.started")]) == []
    assert [each.seq for each in story.events] == list(range(1, 11))


def test_a_story_without_entries_is_empty_not_an_error():
    """Missing parts are tolerated."""
    story = Story(FAULT)
    assert not story.closed
    assert story.account() == Account(0, 0, 0, 0, 0, 0)
    assert story.phase == "waiting for the signal"


@pytest.mark.parametrize(("total", "share", "mark"), [(50.0, 10.0, "✓ within"), (120.0, 40.0, "✗ over")])
def test_limits_are_printed_with_the_figures(total, share, mark):
    """Both figures stand against their limits, in words as well as colour."""
    account = Account(total, total - share, 0.0, 0.0, 0.0, 0.0)
    out = io.StringIO()
    Console(file=out, width=160).print(*closing([], account))
    assert out.getvalue().count(mark) == 2
    assert "90 s" in out.getvalue()
    assert "20 s" in out.getvalue()


def test_what_stays_on_disk_is_told(tmp_path):
    """Where it is, what it is good for, and how it is removed; a run that was to be kept is named."""
    text = "\n".join(line.plain for line in leftovers(tmp_path, tmp_path / "cache", None))
    assert f"stay in {tmp_path / 'cache'}" in text
    assert "`make clean`" in text
    assert f"remove {tmp_path} " in text
    kept = next(leftovers(tmp_path, tmp_path / "cache", tmp_path / "runs" / "one"))
    assert kept.plain.endswith(str(tmp_path / "runs" / "one"))


def test_untrusted_text_stays_text():
    """Control characters and markup in a message reach no terminal as such."""
    line = tell(Event(1, FAULT, "alert.received", "\x1b[31m[red]x[/red]\n", {}), FAULT)
    assert "\x1b" not in line.plain
    assert "[red]x[/red]" in line.plain


def test_hypotheses_with_missing_fields_are_shown():
    """A sparse document is no obstacle."""
    assert len(list(hypotheses({"hypotheses": [{}]}))) == 1


def test_sparklines_keep_gaps_visible():
    """A moment without a measurement is a dot, not a zero."""
    assert sparkline([0.0, None, 1.0]) == "▁·█"
    assert sparkline([]) == ""
    assert "not measured" in chart("x", [None]).plain


def test_a_long_course_is_squeezed_without_losing_its_peaks():
    """Every value of a long course falls into one share, and the marks move with them."""
    values = [0.0] * 350
    values[200] = 9.0
    shown, scale = squeezed(values, 70)
    assert len(shown) == 70
    assert max(shown) == 9.0
    assert shown[round(200 * scale)] == 9.0
    line, below = chart("x", values, {"fault": 200, "fix": 300}).plain.split("\n")
    assert below.index("▲ fault") == line.index("█")
    assert "▲ fix" in below


def test_answers_are_summed_up():
    """Dropped requests and 5xx are failures; 4xx are answers."""
    answers = summary([Second(1), _second(200, 8), _second(500, 1), _second("dropped", 1), _second(404, 10)])
    assert answers == Answers(requests=20, error_ratio=0.1, latency_p95=0.01, refused_ratio=0.5)


def _second(status: object, count: int) -> Second:
    second = Second(1)
    second.status[str(status)] = count
    if status != "dropped":
        second.durations = [0.01] * count
    return second


def test_the_check_refuses_what_the_agent_only_claims():
    """A running commit that is not the deployed one, silence, errors, slowness and a bad signal each fail it."""
    documents = {"deployment": {"commit": "f" * 40}}
    assert running("f" * 40, documents, "b" * 40).passed
    assert not running("b" * 40, documents, "b" * 40).passed
    assert not running(None, documents, "b" * 40).passed
    assert not running(None, {}, "b" * 40).passed
    well, silent, ill = Answers(200, 0.0, 0.02), Answers(3, 0.0, 0.02), Answers(200, 0.2, 2.0)
    assert enough(well).passed
    assert not enough(silent).passed
    assert errors(well, well).passed
    assert not errors(well, ill).passed
    assert latency(well, well).passed
    assert not latency(well, ill).passed
    assert back_to_normal("x", [1.0, 1.1], [3.0, 1.2]).passed
    assert not back_to_normal("x", [1.0, 1.1], [1.0, 3.0]).passed


def test_an_unknown_metrics_page_has_no_signals():
    """What a target does not export is absent, not zero."""
    assert signals_of("# TYPE other gauge\nother 1\n") == {}
