"""When a series changed, and when it did not."""

from __future__ import annotations

import numpy as np
import pytest

from agent.diagnosis.engine.series import shift_of
from agent.model.bundle import Course

N = 600
AT = 1_780_000_000.0 + 10.0 * np.arange(N)


def course(values, metric="latency_seconds_p95", at=AT):
    return Course("orders", metric, at[: len(values)], np.asarray(values, dtype=float))


def noise(seed=1, level=10.0, spread=1.0, count=N):
    return level + spread * np.random.default_rng(seed).standard_normal(count)


@pytest.mark.parametrize("where", [100, 300, 560])
@pytest.mark.parametrize("size", [5.0, -5.0])
def test_a_step_is_found_where_it_is(where, size):
    """Up and down, early and late; the moment before it is named, too."""
    values = noise()
    values[where:] += size
    shift = shift_of(course(values))
    assert shift is not None
    assert abs(shift.at - AT[where]) <= 10.0
    assert shift.after < shift.at
    assert shift.harm == (1 if size > 0 else -1)


def test_chance_is_no_change():
    """Not once in three hundred series of noise."""
    assert [seed for seed in range(300) if shift_of(course(noise(seed)))] == []


@pytest.mark.parametrize("period", [60, 200])
def test_a_season_is_hardly_ever_a_change(period):
    """What comes and goes by itself; a swing of twice the noise."""
    swing = 2.0 * np.sin(2.0 * np.pi * np.arange(N) / period)
    found = [seed for seed in range(100) if shift_of(course(noise(seed) + swing))]
    assert len(found) <= 5


def test_rare_errors_after_none_are_a_change():
    """A baseline of zeros has no spread; a handful of errors a minute is seen all the same."""
    values = np.zeros(N)
    values[400:] = np.random.default_rng(2).poisson(0.6, 200)
    shift = shift_of(course(values, "errors_per_second"))
    assert shift is not None
    assert abs(shift.at - AT[400]) <= 300.0


def test_dust_on_a_constant_is_none():
    """A thousandth more of something that never moves is nothing."""
    values = np.full(N, 100.0)
    values[300:] += 0.1
    assert shift_of(course(values)) is None


def test_a_counter_is_read_by_its_rate_and_a_restart_is_no_change():
    """What starts again at zero has not fallen."""
    steps = np.random.default_rng(3).poisson(50, N).astype(float)
    counter = np.cumsum(steps)
    counter[300:] -= counter[299]
    assert shift_of(course(counter, 'http_requests_total{code="200"}')) is None
    steps[400:] *= 4
    shift = shift_of(course(np.cumsum(steps), "http_requests_total"))
    assert shift is not None
    assert abs(shift.at - AT[400]) <= 20.0
    assert shift.ratio == pytest.approx(4.0, rel=0.1)


def test_gaps_and_few_points_are_no_trouble():
    """Half of the points lost; and too few to say anything."""
    values = noise()
    values[300:] += 5.0
    kept = np.sort(np.random.default_rng(4).choice(N, N // 2, replace=False))
    shift = shift_of(Course("orders", "latency_seconds_p95", AT[kept], values[kept]))
    assert shift is not None
    assert abs(shift.at - AT[300]) <= 60.0
    assert shift_of(course([1.0, 2.0])) is None
    assert shift_of(course([])) is None


def test_what_came_back_says_so():
    """An hour of trouble that passed."""
    values = noise()
    values[300:400] += 8.0
    shift = shift_of(course(values))
    assert shift is not None
    assert shift.recovered is not None
    assert abs(shift.recovered - AT[400]) <= 60.0


def test_bursts_that_come_and_go_are_one_change():
    """Each full hour for a few minutes: no level that lasts, and no chance either."""
    values = noise()
    for start in (240, 360, 480):
        values[start : start + 20] += 40.0
    shift = shift_of(course(values))
    assert shift is not None
    assert abs(shift.at - AT[240]) <= 20.0


def test_a_slow_climb_is_gradual():
    """A leak has no step."""
    values = noise()
    values[200:] += np.linspace(0.0, 30.0, 400)
    shift = shift_of(course(values, "heap_bytes"))
    assert shift is not None
    assert shift.gradual
