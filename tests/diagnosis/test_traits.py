"""What a change says of how it could do harm, and what else speaks for and against it: one small story each."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from agent.diagnosis.engine.findings import find
from agent.diagnosis.engine.libraries import leap
from agent.diagnosis.engine.roots import roots
from agent.diagnosis.engine.runs import first_run, scheduled
from agent.diagnosis.engine.series import shift_of
from agent.diagnosis.engine.signs import of_metrics
from agent.diagnosis.engine.stillness import still_since
from agent.diagnosis.engine.suspects import weigh
from agent.diagnosis.engine.values import resets
from agent.diagnosis.engine.verdict import diagnose
from agent.model.bundle import Course
from agent.model.evidence import Change
from diagnosis.stories import MIDDLE, POINTS, START, STEP, Story


def change(title, diff=None, **more):
    fields = {"id": "c", "kind": "config", "author": "ann", "files": (), "commit": None, "component": "orders"} | more
    return Change(timestamp=datetime.fromtimestamp(MIDDLE - 60.0, UTC), title=title, diff=diff, **fields)


def features(story, name):
    """What is seen in one change."""
    findings = find(story.bundle())
    return next(one.features for one in weigh(findings, roots(findings)) if one.change.id == name)


def hurt():
    story = Story().well()
    story.hurt("orders", "web")
    return story


@pytest.mark.parametrize(
    ("title", "rooms"),
    [
        ("pool size 10 -> 20", [1]),
        ("pool size 20 -> 5", [-1]),
        ("read timeout 8 s -> 500 ms", [-1]),
        ("poll interval 1s -> 5s", [1]),
        ("retries 1 -> 3", [0]),
        ("retries 3 -> 1", [1]),
        ("memory 512Mi -> 1Gi", [1]),
        ("idle timeout 0 -> 300", [0]),
        ("orders 3.1.0 -> 3.2.0", []),
        ("new colours", []),
    ],
)
def test_a_title_says_whether_a_value_gives_more_room(title, rooms):
    """Units are read; 0 may stand for no limit; versions are no values."""
    assert [one.room for one in resets(change(title))] == rooms


def test_values_of_a_diff_are_compared_line_by_line():
    """Only lines that are the same but for their numbers."""
    diff = "--- a/x.conf\n+++ b/x.conf\n-max_threads = 16\n-name = a1\n+max_threads = 4\n+title = b2\n"
    assert [(one.old, one.new, one.room) for one in resets(change("threads", diff))] == [(16.0, 4.0, -1)]


def test_more_room_speaks_against_a_change_and_less_for_it():
    """Unless it does something else beside."""
    story = hurt()
    story.changed("more", "orders", 60.0, "connection pool 20 -> 40", kind="config")
    story.changed("less", "orders", 90.0, "connection pool 40 -> 20", kind="config")
    diff = "-pool = 20\n+pool = 40\n+warm = load(everything)\n"
    story.changed("both", "orders", 120.0, "connection pool 20 -> 40", kind="config", diff=diff)
    assert "relieves" in features(story, "more")
    assert "tightens" in features(story, "less")
    assert "relieves" not in features(story, "both")


def test_a_mechanism_joins_words_that_differ():
    """A role lost a right, and something is denied: no word is the same."""
    story = hurt()
    story.fail("orders", "read of shelf refused: 403 AccessDenied")
    story.changed(
        "role", "orders", 600.0, "reader role: name the shelves", kind="config", diff="-  - shelf/*\n+  - shelf/a/*\n"
    )
    story.changed("look", "orders", 60.0, "rounder corners", diff="-radius: four\n+radius: six\n")
    assert features(story, "role")["mechanism"] > 0.4
    assert "mechanism" not in features(story, "look")


def test_a_mechanism_that_all_changes_share_tells_nothing():
    """Each of them speaks of roles."""
    story = hurt()
    story.fail("orders", "read of shelf refused: 403 AccessDenied")
    for number in range(5):
        story.changed(f"c{number}", "orders", 60.0 + number, "a role and a policy", kind="config")
    assert features(story, "c1").get("mechanism", 0.0) < 0.3


def test_a_value_that_is_off_by_a_unit_fits_a_change_of_units():
    """Weights a thousand times larger, and a diff that converts."""
    story = hurt()
    weight = story.steady("orders", "mean_parcel_weight", 2.0, noise=0.001)
    weight[story.later] *= 1000.0
    story.changed("unit", "orders", 60.0, "weights as integers", diff="-w = row.kg\n+w = convert(row.kg * 1000)\n")
    story.changed("look", "orders", 60.0, "rounder corners", diff="-radius: four\n+radius: six\n")
    assert features(story, "unit")["mechanism"] > 0.5
    assert "mechanism" not in features(story, "look")


def test_a_failing_line_that_names_the_version_speaks_for_its_release():
    """Another version does not."""
    story = hurt()
    story.fail("web", "cannot read basket written by orders/7.4.0")
    story.changed("new", "orders", 60.0, "orders 7.4.0")
    story.changed("old", "orders", 90.0, "orders 7.4.01")
    assert features(story, "new")["its version named"] == 1.0
    assert "its version named" not in features(story, "old")


@pytest.mark.parametrize(
    ("title", "diff", "step"),
    [
        ("bump parser 2.13.5 -> 3.0.1", "", 1.0),
        ("bump parser 2.13.5 -> 2.14.0", "", 0.7),
        ("bump parser 2.13.5 -> 2.13.6", "", 0.35),
        ("bump eslint 8.1.0 -> 9.0.0 (dev)", "", 0.0),
        ("weekly update", '-  "version": "1.2.3"\n+  "version": "2.0.0"\n', 1.0),
        ("weekly update", "", 0.7),
    ],
)
def test_a_major_version_is_a_longer_leap_than_a_patch(title, diff, step):
    """What only developers use is none."""
    assert leap(title, diff) == step


def test_a_job_that_waits_for_the_night_is_judged_from_its_first_run():
    """It was shipped half an hour before it ran."""
    story = hurt()
    rows = story.steady("orders", "rows_read_rate", 1000.0)
    rows[:236] = 0.0
    found = find(story.bundle())
    at = START + 60 * STEP
    assert first_run(found, "orders", at, MIDDLE) == START + 236 * STEP
    assert first_run(found, "web", at, MIDDLE) is None
    story.changed("d1", "orders", MIDDLE - at, "totals by weight")
    assert features(story, "d1")["old"] == 0.0


def test_a_schedule_that_falls_due_right_before_the_first_sign_is_seen():
    """Minute and hour in UTC; stars say nothing."""
    at = datetime(2026, 3, 4, 2, 1, tzinfo=UTC).timestamp()
    assert scheduled('+  schedule: "0 2 * * *"', at, 60.0)
    assert not scheduled('+  schedule: "0 3 * * *"', at, 60.0)
    assert not scheduled('+  schedule: "* * * * *"', at, 60.0)
    assert not scheduled("+  matrix: 0 2 7 9", at, 60.0)


def test_a_feed_that_stands_still_is_bad_data():
    """It always moved; one that reached a bound, or that rests at 0, is something else."""
    at = START + STEP * np.arange(POINTS)
    moving = 20.0 + np.random.default_rng(1).standard_normal(POINTS)
    stuck, risen, idle = moving.copy(), moving.copy(), moving.copy()
    stuck[240:], risen[240:], idle[240:] = 20.123, 90.0, 0.0
    assert still_since(Course("feed", "temperature", at, stuck)) == MIDDLE
    assert [still_since(Course("feed", "temperature", at, one)) for one in (moving, risen, idle)] == [None] * 3
    story = hurt()
    weight = story.steady("orders", "mean_weight", 2.0)
    weight[story.later] = weight[100]
    reasons = [reason for one in diagnose(story.bundle()).hypotheses if one.cause == "data" for reason in one.evidence]
    assert any("repeats one value" in reason for reason in reasons)


def test_a_release_taken_back_in_vain_does_not_clear_a_setting():
    """It clears the release."""
    story = hurt()
    story.changed("rel", "orders", 60.0, "orders 8")
    story.changed("set", "orders", 90.0, "orders: new shelf order", kind="config")
    story.changed("back", "orders", -400.0, "roll back orders to 7")
    assert "undone in vain" in features(story, "rel")
    assert "undone in vain" not in features(story, "set")


def test_taking_back_heals_whom_it_hurt_though_it_shows_nothing_itself():
    """The writer is well; its readers are not, until it is rolled back."""
    story = Story().well()
    story.hurt("web")
    for metric, level in (("errors_per_second", 0.0), ("latency_seconds_p95", 0.2)):
        story.of("web", metric)[290:] = level
    story.changed("rel", "prices", 60.0, "prices 8")
    story.changed("back", "prices", -500.0, "roll back prices to 7")
    assert "undone and healed" in features(story, "rel")


def test_the_callers_own_sockets_do_not_blame_whom_it_calls():
    """It names the database, but ran out of addresses itself."""
    story = hurt()
    story.fail("orders", "orders-db: connection refused: cannot assign requested address")
    found = roots(find(story.bundle()))
    assert "named" not in found["orders-db"].features
    assert "complains" not in found["orders"].features


def test_a_load_that_comes_every_hour_is_no_surge():
    """As high as it was twice before."""
    story = hurt()
    requests = story.of("web", "requests_per_second")
    for start in (40, 140, 240):
        requests[start : start + 40] *= 5.0
    found = find(story.bundle())
    assert found.nodes["web"].load < 1.3


def test_what_is_sick_alone_and_earlier_does_not_set_the_onset():
    """Another team moved partitions ten minutes before."""
    story = hurt()
    story.steady("queue", "under_replicated_errors", 0.0)[180:] = 14.0
    found = find(story.bundle())
    assert found.onset is not None
    assert abs(found.onset - MIDDLE) <= 2 * STEP


def test_what_falls_with_the_traffic_is_no_sign():
    """A third of the callers is gone, and so are their sessions."""
    story = hurt()
    story.of("prices", "requests_per_second")[story.later] *= 0.6
    story.steady("prices", "people_online", 300.0)[story.later] *= 0.6
    assert any(one.words == "people_online" for one in of_metrics(story.bundle()))
    assert not [one for one in find(story.bundle()).nodes["prices"].signs if one.words == "people_online"]


@pytest.mark.parametrize(("failing", "sick"), [(1, False), (3, True)])
def test_one_of_three_places_that_probe_says_nothing_of_what_it_probes(failing, sick):
    """Its own network is down; when most of them fail, the target is."""
    story = Story().well()
    for number in range(3):
        slow = story.steady("outside-probe", f'duration_seconds_p95{{place="p{number}"}}', 0.3)
        if number < failing:
            slow[story.later] = 10.0
    assert (find(story.bundle()).onset is not None) is sick


def test_a_machine_whose_own_measures_move_first_is_to_blame():
    """It has no changes; who runs on it has."""
    story = hurt()
    story.edges = (*story.edges, ("orders", "gpu-host-1"))
    story.steady("gpu-host-1", "memory_used", 900.0)[235:] = 20.0
    story.steady("gpu-host-1", "temperature", 60.0)[235:] = 20.0
    story.steady("gpu-host-1", "device_errors_per_second", 0.0)[236:] = 30.0
    story.changed("d1", "web", 60.0, "rounder corners", diff="-radius: four\n+radius: six\n")
    first = diagnose(story.bundle()).hypotheses[0]
    assert (first.change, first.component, first.cause) == (None, "gpu-host-1", "infrastructure")
    assert any("is a machine" in reason for reason in first.evidence)


def test_a_share_that_creeps_to_all_of_it_ran_out():
    """From 0.9990 to 1: little by itself, but all that was left."""
    story = hurt()
    share = story.steady("orders-db", "ids_used_ratio", 1.0, noise=0.0)
    share[:240] = np.linspace(0.9990, 1.0, 240)
    reasons = [
        reason for one in diagnose(story.bundle()).hypotheses if one.cause == "capacity" for reason in one.evidence
    ]
    assert any("went steadily" in reason for reason in reasons)


def test_frames_that_run_into_a_limit_count_little():
    """The code only meets what is full."""
    story = hurt()
    trace = 'Traceback (most recent call last):\n  File "/srv/orders/write.py", line 4, in put\nOSError: {}'
    story.fail("orders", trace.format("No space left on device"))
    story.changed("d1", "orders", 60.0, "write", files=("orders/write.py",), diff="+ put(row)\n")
    met = features(story, "d1")["frames"]
    other = hurt()
    other.fail("orders", trace.format("bad row"))
    other.changed("d1", "orders", 60.0, "write", files=("orders/write.py",), diff="+ put(row)\n")
    assert met < 0.5 * features(other, "d1")["frames"]


def test_the_package_beside_a_version_is_a_word_of_its_change():
    """In a list of dependencies the name stands on a line that does not change."""
    story = hurt()
    story.fail("orders", "shelfkit: cannot open shelf")
    diff = '   "name": "shelfkit",\n-  "version": "1.0.0"\n+  "version": "2.0.0"\n'
    story.changed("bump", "orders", 60.0, "weekly update", files=("poetry.lock",), diff=diff)
    assert features(story, "bump")["words"] > 0.3


def test_telemetry_in_a_title_counts_less_where_the_diff_has_none():
    """It may be a name."""
    story = hurt()
    story.changed("name", "orders", 60.0, "docs reader: fewer shelves", files=("a.py",), diff="-all\n+some\n")
    story.changed("real", "orders", 60.0, "log the shelf", files=("b.py",), diff='+ log.info("shelf")\n')
    assert features(story, "name")["telemetry"] < features(story, "real")["telemetry"]


def test_a_commit_of_a_component_without_deploys_may_wait_where_others_have_them():
    """Then it speaks less against causes without a change, too."""
    story = hurt()
    story.changed("c1", "orders", 60.0, "totals", kind="commit", files=("a.py",), diff="+ x\n")
    assert "waiting" not in features(story, "c1")
    story.changed("d1", "web", 300.0, "web 3")
    assert features(story, "c1")["waiting"] > 0.0


def test_lone_spikes_do_not_move_the_middle_of_five():
    """The step is where it is, with a spike on either side."""
    values = 10.0 + 0.1 * np.random.default_rng(3).standard_normal(POINTS)
    values[240:] += 4.0
    values[[100, 300]] += 500.0
    shift = shift_of(Course("orders", "latency_seconds_p95", START + STEP * np.arange(POINTS), values))
    assert shift is not None
    assert abs(shift.at - MIDDLE) <= STEP
