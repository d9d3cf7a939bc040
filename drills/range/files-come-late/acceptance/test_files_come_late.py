"""The features are made of all that the carriers brought, the newest included."""

import json
import os
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest


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


def test_the_newest_scan_is_young():
    """A carrier delivers every few seconds; two hours are already too much."""
    status, said = ask("/status")
    newest = datetime.fromisoformat(said["features"]["newest_scan"])
    assert status == 200
    assert timedelta(minutes=-5) < datetime.now(UTC) - newest < timedelta(hours=2)


def test_all_depots_are_learnt_from():
    """Two weeks of five depots: one for every quarter of an hour and more."""
    features = ask("/status")[1]["features"]
    assert features["scans"] > 5500
    assert features["groups"] > 600


@pytest.mark.parametrize("depot", ("KRK", "LIS", "CGN", "DUB", "BOS"))
def test_estimates_of_every_depot(depot):
    """From its own scans, and not from all depots' alike."""
    offset = {"KRK": "+01:00", "LIS": "+00:00", "CGN": "+01:00", "DUB": "+00:00", "BOS": "-05:00"}[depot]
    moments = [f"2026-02-{day:02}T{hour}:00:00{offset}" for day in range(2, 7) for hour in (10, 14)]
    minutes = []
    for zone in (1, 3, 5):
        parcels = [{"depot": depot, "zone": zone, "weight_kg": 2.5, "dispatched_at": moment} for moment in moments]
        status, said = ask("/estimates/bulk", {"parcels": parcels})
        assert status == 200
        assert {one["how"]["basis"] for one in said["estimates"]} <= {"hour", "depot"}
        minutes.append(sum(one["minutes"] for one in said["estimates"]))
    assert minutes == sorted(minutes)
    assert minutes[2] > 2 * minutes[0]
