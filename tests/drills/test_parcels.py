"""The parcel example's traffic: repeatable, over the whole interface, and true about how long parcels take."""

import itertools
import json
import random
from datetime import UTC, date, datetime, timedelta

import pytest

from drills.parcels import ParcelMix, World
from drills.traffic import Mix, mix_of

DAY = date(2026, 11, 24)
KINDS = 20


def take(seed, count, day=DAY):
    return list(itertools.islice(ParcelMix(seed, day), count))


def test_a_seed_and_a_day_repeat_their_traffic():
    """Another seed or day sends others."""
    assert take(3, 200) == take(3, 200)
    assert take(3, 200) != take(4, 200)
    assert take(3, 200) != take(3, 200, date(2026, 11, 25))


def test_every_kind_of_request_comes_within_the_first_round():
    """Edges are not left to luck, for any seed."""
    for seed in range(20):
        shots = take(seed, KINDS)
        assert {shot.path for shot in shots} == {"/estimates", "/estimates/bulk", "/scans", "/status", "/health"}
        bulks = [json.loads(shot.body)["parcels"] for shot in shots if shot.path == "/estimates/bulk"]
        assert {0, 1, 2} <= {len(parcels) for parcels in bulks}
        assert all(shot.body is not None for shot in shots if shot.method == "POST")


def test_reported_deliveries_are_over_and_take_a_plausible_time():
    """A depot reports the past; some reports come twice."""
    reports = [json.loads(shot.body) for shot in take(1, 2000) if shot.path == "/scans"]
    for report in reports:
        sent, came = (datetime.fromisoformat(report[name]) for name in ("dispatched_at", "delivered_at"))
        assert timedelta(0) < came - sent < timedelta(days=7)
        assert came < datetime.combine(DAY, datetime.min.time(), UTC)
    assert 0.5 < len({report["parcel_id"] for report in reports}) / len(reports) < 1


@pytest.mark.parametrize(
    ("depot", "sent", "starts"),
    [
        ("KRK", "2026-11-24T12:00+01:00", "2026-11-24T12:00+01:00"),
        ("KRK", "2026-12-24T23:00+01:00", "2026-12-28T06:00+01:00"),
        ("LIS", "2026-10-25T00:30+01:00", "2026-10-25T09:00+00:00"),
        ("CGN", "2026-11-01T03:00+01:00", "2026-11-01T03:00+01:00"),
        ("BOS", "2026-11-24T23:00-05:00", "2026-11-25T06:00-05:00"),
    ],
)
def test_depots_rest_by_their_own_clocks(depot, sent, starts):
    """Holidays, Sundays and changed clocks count."""
    world = World()
    chosen = next(one for one in world.depots if one["id"] == depot)
    assert world.starts(chosen, datetime.fromisoformat(sent)) == datetime.fromisoformat(starts)


def test_express_is_faster_in_truth():
    """The service's factor holds in the simulated world."""
    world, sent = World(), datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    minutes = [
        world.took(world.depots[0], {"zone": 3, "weight_kg": 2, "service": name}, sent, random.Random(1))
        for name in ("standard", "express")
    ]
    assert minutes[1] == pytest.approx(0.6 * minutes[0])


def test_a_mix_is_chosen_by_name():
    """The market's is the default of the command line."""
    assert isinstance(mix_of("market", 1), Mix)
    assert isinstance(mix_of("parcels", 1), ParcelMix)
