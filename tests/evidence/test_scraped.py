"""The built-in monitor's scrapes as a source of metrics."""

from __future__ import annotations

from collections import defaultdict

import pytest
from source_contracts import END, SERIES, SHOP, WINDOW, MetricSourceContract, points

from agent.evidence.scraped import ScrapedMetrics
from agent.model.signals import Scrape


def scrapes(series=SERIES):
    """What a monitor would have seen of them."""
    found = defaultdict(dict)
    for name, labels, values in series:
        for at, value in values:
            found[at][name, tuple(sorted(labels.items()))] = value
    return tuple(Scrape(at, True, found[at]) for at in sorted(found))  # noqa: FBT003 - a field


class TestScrapedMetrics(MetricSourceContract):
    """What the monitor kept."""

    @pytest.fixture
    def source(self):
        return ScrapedMetrics({"shop": scrapes()}.get)

    @pytest.fixture
    def broken(self):
        return ScrapedMetrics(lambda _target: ())


def test_signals_are_courses_of_their_own():
    """The ratio of failed requests is told, from one scrape to the next."""
    found = ScrapedMetrics(lambda _target: scrapes()).courses(SHOP, WINDOW, ())
    (ratio,) = (course for course in found.courses if course.metric == "error_ratio")
    assert ratio.values[0] == 0.0
    assert ratio.values[-1] == pytest.approx(2 / 12)
    onset = ratio.at[ratio.values > 0][0]
    assert END.timestamp() - onset == pytest.approx(300, abs=5)


def test_values_that_are_no_numbers_are_left_out():
    """A course that has nothing else is none."""
    never = (("prediction_mae_ratio", {}, points(lambda _s: float("nan"))),)
    now_and_then = (("data_age_seconds", {}, points(lambda s: float("inf") if s < 600 else 1.0)),)
    found = ScrapedMetrics(lambda _target: scrapes((*never, *now_and_then))).courses(SHOP, WINDOW, ())
    assert {course.metric for course in found.courses} == {"down", "data_age", "data_age_seconds"}
    assert all(course.values.max() <= 1.0 for course in found.courses)
