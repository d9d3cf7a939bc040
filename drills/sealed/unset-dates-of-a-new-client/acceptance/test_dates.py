"""Dates at the edge are refused with the reason; others are estimated as ever."""

import json
import os
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

URL = os.environ["TARGET_URL"].rstrip("/")
DEPOTS = ("KRK", "LIS", "CGN", "DUB", "BOS")
UNSET = ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-01-01T03:00:00+02:00")


def ask(path, body):
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=8) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def parcel(depot, sent="2026-12-02T15:00:00Z", **changes):
    return {"depot": depot, "zone": 2, "weight_kg": 2.5, "service": "standard", "dispatched_at": sent} | changes


@pytest.mark.parametrize("depot", DEPOTS)
@pytest.mark.parametrize("sent", UNSET)
def test_unset_dates_never_fail(depot, sent):
    """A refusal tells the field. Where a moment is still one for the depot's clock, an estimate is no failure, either."""
    status, answer = ask("/estimates", parcel(depot, sent))
    assert status in (200, 422)
    assert "dispatched_at" in answer["error"] if status == 422 else answer["minutes"] > 0


def test_the_one_that_was_seen_is_refused():
    for depot in DEPOTS:
        status, answer = ask("/estimates", parcel(depot, UNSET[0]))
        assert (status, "dispatched_at" in answer["error"]) == (422, True)


def test_reports_with_unset_dates_are_refused():
    sent = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    report = parcel("CGN", sent, parcel_id="unset-1")
    for wrong in ({"delivered_at": UNSET[0]}, {"delivered_at": UNSET[2]}, {"dispatched_at": UNSET[0], "delivered_at": sent}):
        status, answer = ask("/scans", report | wrong)
        assert status == 422
        assert answer["error"]


def test_an_unset_date_does_not_spoil_a_bulk():
    wanted = [parcel("CGN"), parcel("CGN", UNSET[0]), parcel("BOS", UNSET[1]), parcel("KRK")]
    status, answer = ask("/estimates/bulk", {"parcels": wanted})
    assert status == 200
    estimates = answer["estimates"]
    assert ["minutes" in estimates[place] for place in (0, 1, 3)] == [True, False, True]
    assert estimates[1]["error"]


@pytest.mark.parametrize("depot", DEPOTS)
@pytest.mark.parametrize("sent", ["2026-12-02T15:00:00Z", "2026-12-02T15:00:00+00:00", "2026-12-02 16:00:00+01:00", "2025-06-03T15:00:00Z"])
def test_other_dates_are_estimated_as_ever(depot, sent):
    status, answer = ask("/estimates", parcel(depot, sent))
    assert status == 200
    how = answer["how"]
    assert abs(how["waiting_minutes"] + how["handling_minutes"] + how["surcharge_minutes"] - answer["minutes"]) <= 1
    took = datetime.fromisoformat(answer["delivery_at"]) - datetime.fromisoformat(sent.replace("Z", "+00:00"))
    assert abs(took.total_seconds() / 60 - answer["minutes"]) <= 1


def test_what_is_no_date_is_refused_as_ever():
    for sent in ("2026-12-02T15:00:00", "soon", "0000-00-00"):
        assert ask("/estimates", parcel("KRK", sent))[0] == 422
