"""What every source of metrics and every source of logs does, and its fake too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest

from agent.model.alert import Alert
from agent.model.record import Window
from agent.model.target import Target

# Yesterday, on a whole minute: a Prometheus that was just started takes what lies before its own beginning.
END = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=1)
WINDOW = Window(start=END - timedelta(minutes=10), end=END)
LATER = Window(start=END + timedelta(hours=3), end=END + timedelta(hours=4))
STEP = 2.5
SHOP = Target(name="shop", url="http://127.0.0.1:1", repository=Path())
TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/srv/shop.py", line 3, in answer',
    "    return n / 0",
    "ZeroDivisionError: division by zero",
)


def points(value, before=timedelta(minutes=15)):
    """``value(seconds since the first point)`` for every step of the time before the window's end, and after it."""
    first = END.timestamp() - before.total_seconds()
    count = int((before.total_seconds() + 60) / STEP)
    return [(first + n * STEP, value(n * STEP)) for n in range(count)]


SERIES = (
    ("http_requests_total", {"route": "/half", "status": "200"}, points(lambda s: 10 * s)),
    ("http_requests_total", {"route": "/half", "status": "500"}, points(lambda s: 2 * max(0.0, s - 600))),
    ("data_age_seconds", {}, points(lambda s: 60.0 + s)),
)


def alert(expression=None, **labels):
    """An alert that fires in the window, of the target and linked to its expression."""
    url = (
        "" if expression is None else "http://prometheus:9090/graph?" + urlencode({"g0.expr": expression, "g0.tab": 1})
    )
    return Alert(
        status="firing", labels={"alertname": "HighErrors", **labels}, annotations={}, generator_url=url, fingerprint="f",
        starts_at=END - timedelta(minutes=4), ends_at=None,
    )  # fmt: skip


class MetricSourceContract:
    """``source`` holds `SERIES` of the shop, ``broken`` is one whose server, or whatever it asks, is not there."""

    def test_courses_rise_in_time_and_are_finite(self, source):
        """Numbers in numpy arrays of one length, within the window, each course once."""
        found = source.courses(SHOP, WINDOW, (alert(service="shop"),)).courses
        assert found
        for course in found:
            assert len(course.at) == len(course.values) > 0
            assert (np.diff(course.at) > 0).all()
            assert np.isfinite(course.values).all()
            assert course.at[0] >= WINDOW.start.timestamp()
            assert course.at[-1] <= WINDOW.end.timestamp()
        keys = [(course.component, course.metric) for course in found]
        assert len(keys) == len(set(keys))

    def test_series_keep_their_names_and_labels(self, source):
        """A course is called by its metric and by what tells it from its siblings, not by where all come from."""
        found = source.courses(SHOP, WINDOW, (alert(service="shop"),)).courses
        names = {(course.component, course.metric) for course in found}
        assert ("shop", 'http_requests_total{route="/half",status="500"}') in names
        (age,) = (course for course in found if course.metric == "data_age_seconds")
        assert age.values[-1] - age.values[0] == pytest.approx(age.at[-1] - age.at[0], abs=STEP)

    def test_a_window_without_anything_is_a_gap(self, source):
        """Nothing known is said, not shown as calm."""
        found = source.courses(SHOP, LATER, (alert(service="shop"),))
        assert found.courses == ()
        assert found.gaps

    def test_what_is_broken_is_a_gap(self, broken):
        """It names the source, and nothing is raised."""
        found = broken.courses(SHOP, WINDOW, (alert(service="shop"),))
        assert found.courses == ()
        assert {gap.source for gap in found.gaps} == {broken.name}


LINES = (
    # Seconds before the end, and what was shipped as one entry.
    (700, "INFO shop started"),
    (500, '{"level": "warn", "message": "slow answer", "took": 3.5}'),
    (300, "ERROR shop answer failed"),
    *((300 - n * 0.001, text) for n, text in enumerate(TRACEBACK, 1)),
    (200, "ERROR shop password=hunter2hunter2 was refused"),
    (-60, "INFO shop after the window"),
)


class LogSourceContract:
    """``source`` holds `LINES` of the shop, ``broken`` is one whose server or file is not there."""

    def test_lines_of_the_window_come_oldest_first(self, source):
        """With their time and component; what lies outside is left out."""
        found = source.lines(SHOP, WINDOW, (alert(service="shop"),)).lines
        assert [line.at for line in found] == sorted(line.at for line in found)
        assert {line.component for line in found} == {"shop"}
        assert [round(END.timestamp() - line.at) for line in found] == [500, 300, 200]

    def test_a_traceback_is_one_line(self, source):
        """With the line that announces it, however it was cut."""
        (line,) = (line for line in source.lines(SHOP, WINDOW, ()).lines if "Traceback" in line.message)
        assert line.message.splitlines()[0].endswith("shop answer failed")
        assert line.message.splitlines()[1:] == list(TRACEBACK)
        assert line.level == "ERROR"

    def test_structured_lines_are_read(self, source):
        """Level, message and what else they say."""
        (line,) = (line for line in source.lines(SHOP, WINDOW, ()).lines if line.level == "WARNING")
        assert line.message == "slow answer"
        assert line.attributes["took"] == 3.5

    def test_secrets_are_masked(self, source):
        """Whoever wrote them."""
        assert "hunter2" not in str(source.lines(SHOP, WINDOW, ()).lines)

    def test_a_window_without_anything_is_a_gap(self, source):
        """Nothing known is said, not shown as silence."""
        found = source.lines(SHOP, LATER, ())
        assert found.lines == ()
        assert found.gaps

    def test_what_is_broken_is_a_gap(self, broken):
        """It names the source, and nothing is raised."""
        found = broken.lines(SHOP, WINDOW, (alert(service="shop"),))
        assert found.lines == ()
        assert {gap.source for gap in found.gaps} == {broken.name}
