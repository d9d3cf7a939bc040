"""The service is up, and what it answers is right."""

import json
import os
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

URL = os.environ["TARGET_URL"].rstrip("/")
NOW = datetime.now(UTC)


def ask(path, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"} | (headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def parcel(**changes):
    at = NOW.isoformat(timespec="seconds")
    return {"depot": "CGN", "zone": 3, "weight_kg": 2.5, "service": "standard", "dispatched_at": at} | changes


def test_it_answers():
    assert ask("/health")[0] == 200
    assert ask("/status")[0] == 200
    assert "prediction_mae" in ask("/metrics")[1] or "feature_groups" in ask("/metrics")[1]


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "10.1.2.3"}, {"X-Forwarded-For": "10.1.2.3, 10.0.0.1", "X-Forwarded-Proto": "https"}])
def test_estimates_are_right_with_and_without_a_proxy(headers):
    status, text = ask("/estimates", parcel(), headers)
    assert status == 200
    plain = json.loads(text)
    how = plain["how"]
    assert how["waiting_minutes"] == 0
    assert abs(how["handling_minutes"] + how["surcharge_minutes"] - plain["minutes"]) <= 1
    heavy = json.loads(ask("/estimates", parcel(weight_kg=40), headers)[1])
    assert heavy["minutes"] - plain["minutes"] == 25


def test_refusals_are_told_as_ever():
    status, text = ask("/estimates", parcel(depot="NOSUCH"), {"X-Forwarded-For": "10.1.2.3"})
    assert (status, "NOSUCH" in json.loads(text)["error"]) == (404, True)
    assert ask("/estimates", parcel(weight_kg=0))[0] == 422


def test_bulks_and_reports_work():
    status, text = ask("/estimates/bulk", {"parcels": [parcel(), parcel(zone=9)]})
    assert status == 200
    assert ["minutes" in one for one in json.loads(text)["estimates"]] == [True, False]
    sent = NOW - timedelta(minutes=200)
    report = parcel(dispatched_at=sent.isoformat()) | {
        "parcel_id": f"accept{NOW.timestamp():.0f}",
        "delivered_at": (sent + timedelta(minutes=150)).isoformat(),
    }
    assert ask("/scans", report)[0] in (200, 201)
