"""Identifiers and the clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from agent.kit.clock import SystemClock
from agent.kit.ids import incident_id, short_id


def test_incident_ids_sort_by_time():
    """Later incidents have later names, wherever the clock's zone is."""
    first = datetime(2026, 11, 23, 10, 15, 2, tzinfo=UTC)
    names = [incident_id(first + timedelta(seconds=n)) for n in range(5)]
    assert names == sorted(names)
    assert re.fullmatch(r"inc-20261123-101502-[0-9a-f]{4}", names[0])
    assert incident_id(first.astimezone(timezone(timedelta(hours=9))))[:19] == names[0][:19]


def test_short_ids_differ():
    """Two of a kind have different names."""
    assert re.fullmatch(r"exp-[0-9a-f]{8}", short_id("exp"))
    assert short_id("exp") != short_id("exp")


def test_the_clock_is_aware_and_never_goes_back():
    """Times have a zone, UTC; the monotonic clock grows."""
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() <= clock.monotonic()
