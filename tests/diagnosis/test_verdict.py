"""The engine on small stories: which component, which change, or none at all."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from agent.diagnosis.engine.verdict import as_contract, diagnose, judge
from agent.model.bundle import Span
from diagnosis.stories import MIDDLE, POINTS, START, STEP, Story

TRACEBACK = """Traceback (most recent call last):
  File "/srv/orders/totals.py", line 41, in add_up
    return sum(item.amount for item in basket) / basket.weight
ZeroDivisionError: float division by zero"""
DIFF = """--- a/orders/totals.py
+++ b/orders/totals.py
@@ -39,3 +39,3 @@ def add_up(basket):
-    return sum(item.amount for item in basket)
+    return sum(item.amount for item in basket) / basket.weight
"""


def test_the_change_whose_code_fails_is_blamed_and_not_the_newer_ones():
    """Decoys go live on the neighbours and on the same component, nearer to the onset."""
    story = Story().well()
    story.hurt("orders", "web")
    story.fail("orders", TRACEBACK)
    story.changed("d1", "orders", 300.0, "totals by weight", files=("orders/totals.py",), diff=DIFF)
    story.changed("d2", "prices", 60.0, "read the price list at start", files=("prices/list.py",), diff="+ load()\n")
    story.changed("d3", "orders", 30.0, "docs: how to run", files=("docs/run.md",), diff="+ run it\n")
    found = diagnose(story.bundle())
    first = found.hypotheses[0]
    assert (first.change, first.component, first.cause) == ("d1", "orders", "code")
    assert abs((found.onset - datetime.fromtimestamp(MIDDLE, UTC)).total_seconds()) <= 3 * STEP
    assert found.blast_radius[:2] == ("orders", "web")
    assert any("touches a file" in reason for reason in first.evidence)
    assert any("refuted" in reason for reason in first.against)


def test_a_change_after_the_onset_is_never_blamed():
    """However well it fits."""
    story = Story().well()
    story.hurt("orders", "web")
    story.fail("orders", TRACEBACK)
    story.changed("late", "orders", -120.0, "totals by weight", files=("orders/totals.py",), diff=DIFF)
    assert diagnose(story.bundle()).hypotheses[0].change is None


def test_a_dependency_that_nobody_watches_is_found_by_its_name():
    """No metrics, no logs, no changes of its own: only others that complain."""
    story = Story().well()
    story.edges = (*story.edges, ("orders", "card-network"))
    story.hurt("orders", "web")
    story.fail("orders", "charge failed: card-network did not answer: read timed out")
    story.changed("d1", "orders", 90.0, "log the basket's size", files=("orders/log.py",), diff="+ log(size)\n")
    first = diagnose(story.bundle()).hypotheses[0]
    assert (first.change, first.cause) == (None, "dependency")
    assert first.component == "card-network"


def test_traffic_from_outside_is_no_change():
    """Every component gets five times as much, and the entry first."""
    story = Story().well()
    for name in ("web", "orders", "prices", "orders-db"):
        story.of(name, "requests_per_second")[story.later] *= 5.0
        story.of(name, "cpu_usage")[story.later] *= 2.5
    story.hurt("orders", "web", errors=2.0)
    story.changed("d1", "prices", 200.0, "round half up", files=("prices/round.py",), diff="+ round(x)\n")
    first = diagnose(story.bundle()).hypotheses[0]
    assert (first.change, first.cause) == (None, "traffic")


def test_a_caller_that_asks_far_more_often_is_the_root_and_not_the_one_it_asks():
    """Its own traffic is flat; what it calls drowns."""
    story = Story().well()
    story.of("orders-db", "requests_per_second")[story.later] *= 8.0
    story.of("orders-db", "cpu_usage")[story.later] *= 3.0
    story.hurt("orders-db", "orders", "web", errors=1.0)
    diff = "+    for line in basket:\n+        line.offer = offers.query(line)\n"
    story.changed("d1", "orders", 60.0, "offers for each line", files=("orders/basket.py",), diff=diff)
    story.changed("d2", "orders-db", 30.0, "statement log 500 ms -> 250 ms", kind="config", files=("db.conf",))
    first = diagnose(story.bundle()).hypotheses[0]
    assert (first.change, first.component) == ("d1", "orders")


def test_what_ran_out_is_capacity():
    """A disk that filled for half an hour, and was full."""
    story = Story().well()
    used = story.steady("orders-db", "disk_used_percent", 50.0, noise=0.001)
    used[:240] += np.linspace(0.0, 50.0, 240)
    used[240:] = 100.0
    story.hurt("orders-db", "orders", "web")
    story.fail("orders-db", "could not extend file: No space left on device")
    story.changed("d1", "orders", 100.0, "sort the list of orders", files=("orders/list.py",), diff="+ sort()\n")
    first = diagnose(story.bundle()).hypotheses[0]
    assert (first.change, first.component, first.cause) == (None, "orders-db", "capacity")


def test_a_healthy_hour_has_nothing_wrong():
    """Restarts, a deploy and a busier minute among them; an alert fires all the same."""
    story = Story().well()
    story.of("orders", "cpu_usage")[story.later] *= 1.3
    story.of("prices", "latency_seconds_p95")[240:243] *= 3.0
    story.changed("d1", "orders", 60.0, "totals by weight", files=("orders/totals.py",), diff=DIFF)
    story.alerts.append({"labels": {"alertname": "Watchdog"}, "status": "firing"})
    found = diagnose(story.bundle())
    assert found.onset is None
    assert found.hypotheses == ()


def test_spans_alone_tell_where_failures_begin():
    """No metrics and no logs: the innermost failing call is the root."""
    story = Story()
    story.edges = ()
    for number in range(POINTS):
        at, late = START + number * STEP, number >= POINTS * 2 // 3
        tree = (("web", None), ("orders", "web"), ("prices", "orders"))
        for name, parent in tree:
            story.spans.append(Span(f"t{number}", name, parent, name, "call", at, 0.1, late))
    found = diagnose(story.bundle())
    assert found.onset is not None
    assert found.hypotheses[0].component == "prices"


@pytest.mark.parametrize("empty", ["courses", "logs", "spans", "changes", "edges"])
def test_what_is_missing_makes_no_trouble(empty):
    """Any part of a bundle may be lost."""
    story = Story().well()
    story.hurt("orders", "web")
    story.fail("orders", TRACEBACK)
    story.changed("d1", "orders", 300.0, "totals by weight", files=("orders/totals.py",), diff=DIFF)
    setattr(story, empty, [])
    found = diagnose(story.bundle())
    assert found.onset is not None
    assert all(0.0 < one.confidence < 1.0 for one in found.hypotheses)
    assert sum(one.confidence for one in found.hypotheses) <= 1.0


def test_every_number_can_be_explained():
    """The parts of a candidate add up to its score."""
    story = Story().well()
    story.hurt("orders", "web")
    story.changed("d1", "orders", 300.0, "totals by weight", files=("orders/totals.py",), diff=DIFF)
    verdict = judge(story.bundle())
    for candidate in verdict.candidates:
        total = sum(part.value * part.weight for part in verdict.parts(candidate))
        assert total == pytest.approx(candidate.score, abs=1e-6)


def test_confidences_are_sharper_than_the_sums():
    """On open sets the sums were less sure than they were right; one factor for all mends that, and keeps the order."""
    story = Story().well()
    story.hurt("orders", "web")
    story.changed("d1", "orders", 60.0, "totals by weight", files=("orders/totals.py",), diff=DIFF)
    verdict = judge(story.bundle())
    one, two = verdict.candidates[:2]
    first, second = (guess.confidence for guess in verdict.diagnosis.hypotheses[:2])
    assert np.log(first / second) == pytest.approx(1.5 * (one.score - two.score))


def test_secrets_of_a_bundle_are_not_repeated():
    """A log line with a password is quoted without it."""
    story = Story().well()
    story.hurt("orders", "web")
    story.fail("orders", "cannot connect with password=hunter2hunter2 to the store")
    text = str(as_contract(diagnose(story.bundle()), 0.1))
    assert "cannot connect" in text
    assert "hunter2hunter2" not in text


def test_an_empty_bundle_is_healthy():
    """Nothing was seen, so nothing is claimed."""
    assert diagnose(Story().bundle()).onset is None
