"""The fakes keep the contracts of what they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from source_contracts import END, LINES, SERIES, LogSourceContract, MetricSourceContract

from agent.evidence.loglines import Entry, lines
from agent.model.bundle import Course
from fakes.sources import FakeLogs, FakeMetrics


def named(name, labels):
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{inside}}}" if inside else name


class TestFakeMetrics(MetricSourceContract):
    """The fake source of metrics."""

    @pytest.fixture
    def source(self):
        tables = ((named(name, labels), np.array(points)) for name, labels, points in SERIES)
        return FakeMetrics([Course("shop", name, table[:, 0], table[:, 1]) for name, table in tables])

    @pytest.fixture
    def broken(self):
        return FakeMetrics(broken="it is away")


class TestFakeLogs(LogSourceContract):
    """The fake source of logs."""

    @pytest.fixture
    def source(self):
        return FakeLogs(lines(Entry(END.timestamp() - before, "s", "shop", text) for before, text in LINES))

    @pytest.fixture
    def broken(self):
        return FakeLogs(broken="it is away")
