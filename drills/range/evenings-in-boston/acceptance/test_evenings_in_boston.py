"""Work on a parcel starts by the day of its depot, whatever day it is in UTC."""

import json
import os
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from parcel_times.features import keys
from parcel_times.network import shipped


def ask(path, body=None):
    """One request to the running service: its status and its JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        os.environ["TARGET_URL"] + path, data, {"content-type": "application/json"} if data else {}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


WAITS = [  # depot, dispatched there, minutes until work starts
    ("BOS", "2026-02-03T20:30:00-05:00", 0),
    ("BOS", "2026-02-03T22:59:00-05:00", 0),
    ("BOS", "2026-02-04T01:30:00Z", 0),
    ("BOS", "2026-07-14T21:00:00-04:00", 0),
    ("BOS", "2026-02-07T19:30:00-05:00", 0),
    ("BOS", "2026-02-03T23:00:00-05:00", 420),
    ("BOS", "2026-02-07T20:30:00-05:00", 810),
    ("BOS", "2026-12-24T22:00:00-05:00", 0),
    ("BOS", "2026-12-24T23:30:00-05:00", 1830),
    ("BOS", "2026-02-03T12:00:00-05:00", 0),
    ("KRK", "2026-02-04T00:30:00+01:00", 330),
    ("KRK", "2026-02-03T21:59:00+01:00", 0),
    ("KRK", "2026-07-14T00:30:00+02:00", 330),
    ("KRK", "2026-02-07T16:00:00+01:00", 2280),
    ("LIS", "2026-07-14T00:15:00+01:00", 375),
    ("DUB", "2026-07-13T19:30:00+01:00", 0),
    ("CGN", "2026-02-04T00:10:00+01:00", 0),
]


@pytest.mark.parametrize(("depot", "sent", "waits"), WAITS)
def test_waiting(depot, sent, waits):
    """Asked of the running service; the moments are the depot's own."""
    parcel = {"depot": depot, "zone": 2, "weight_kg": 1.5, "service": "standard", "dispatched_at": sent}
    status, said = ask("/estimates", parcel)
    assert status == 200
    assert said["how"]["waiting_minutes"] == waits
    how = said["how"]
    assert abs(how["waiting_minutes"] + how["handling_minutes"] + how["surcharge_minutes"] - said["minutes"]) <= 1
    assert said["delivery_at"][-6:] == {"Z": "-05:00"}.get(sent[-1], sent[-6:])


def test_every_hour_of_a_week():
    """While a depot is open work starts at once; else within the hours, and never in the past."""
    for depot in shipped().depots.values():
        for hour in range(7 * 24):
            sent = datetime(2026, 2, 2, 0, 30, tzinfo=UTC) + timedelta(hours=hour)
            span = depot.hours.opening(sent.astimezone(depot.hours.zone).date())
            starts = depot.hours.starts(sent)
            assert starts >= sent
            if span and span[0] <= sent < span[1]:
                assert starts == sent


def test_it_does_not_matter_how_a_moment_is_written():
    """In the depot's time, in UTC or in a third one."""
    hours = shipped().depots["BOS"].hours
    for hour in range(48):
        sent = datetime(2026, 2, 3, 0, 15, tzinfo=UTC) + timedelta(hours=hour)
        expected = hours.starts(sent)
        assert hours.starts(sent.astimezone(hours.zone)) == expected
        assert hours.starts(sent.astimezone(shipped().depots["KRK"].hours.zone)) == expected


def test_groups_are_of_the_depots_day():
    """A Monday evening in Boston is no Tuesday."""
    evening = datetime(2026, 2, 3, 2, 0, tzinfo=UTC)
    assert keys("BOS", 2, shipped().depots["BOS"].hours.slot(evening))[0] == "BOS/2/0/5"
