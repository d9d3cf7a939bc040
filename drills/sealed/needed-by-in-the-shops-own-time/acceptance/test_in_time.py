"""Whether a parcel comes in time, told by the clock at the depot unless another is named."""

import json
import os
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

URL = os.environ["TARGET_URL"].rstrip("/")
MARGIN = timedelta(minutes=10)
DEPOTS = ("KRK", "LIS", "CGN", "DUB", "BOS")


def ask(path, body):
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=8) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def parcel(depot, sent="2026-12-02T15:00:00Z", **changes):
    return {"depot": depot, "zone": 2, "weight_kg": 2.5, "service": "standard", "dispatched_at": sent} | changes


def plain(body):
    status, answer = ask("/estimates", body)
    assert status == 200
    return answer, *(datetime.fromisoformat(answer["window"][end]) for end in ("from", "to"))


def told():
    """Whether this release tells it at all."""
    return "in_time" in ask("/estimates", parcel("KRK", needed_by="2026-12-09T15:00:00Z"))[1]


def cases(body):
    _, earliest, latest = plain(body)
    return [(earliest - MARGIN, "no"), (earliest + (latest - earliest) / 2, "maybe"), (latest + MARGIN, "yes")]


@pytest.mark.parametrize("sent", ["2026-12-02T15:00:00Z", "2027-06-16T14:00:00+02:00"])
@pytest.mark.parametrize("depot", DEPOTS)
def test_without_a_time_zone_it_is_the_time_at_the_depot(depot, sent):
    body = parcel(depot, sent)
    known = told()
    for moment, wanted in cases(body):
        for text in (f"{moment:%Y-%m-%dT%H:%M}", f"{moment:%Y-%m-%d %H:%M:%S}"):
            status, answer = ask("/estimates", body | {"needed_by": text})
            assert status == 200
            assert answer["minutes"] > 0
            if known:
                assert answer["in_time"] == wanted


@pytest.mark.parametrize("depot", DEPOTS)
def test_a_time_zone_that_is_named_counts(depot):
    body = parcel(depot)
    known = told()
    for moment, wanted in cases(body):
        for zone in (UTC, ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")):
            status, answer = ask("/estimates", body | {"needed_by": moment.astimezone(zone).isoformat()})
            assert status == 200
            if known:
                assert answer["in_time"] == wanted


def test_a_day_is_its_beginning():
    status, answer = ask("/estimates", parcel("BOS", needed_by="2026-12-03"))
    assert status == 200
    if told():
        day = datetime(2026, 12, 3, tzinfo=ZoneInfo("America/New_York"))
        _, earliest, latest = plain(parcel("BOS"))
        if not earliest - MARGIN < day < latest + MARGIN:
            assert answer["in_time"] == ("yes" if latest <= day else "no")


def test_bulks_tell_it_for_each():
    first, other = parcel("BOS", needed_by="2026-12-09T15:00"), parcel("KRK", needed_by="2026-12-02T15:01")
    status, answer = ask("/estimates/bulk", {"parcels": [first, other, parcel("LIS"), parcel("LIS", zone=9)]})
    assert status == 200
    assert ["minutes" in one for one in answer["estimates"]] == [True, True, True, False]
    if told():
        assert [one.get("in_time") for one in answer["estimates"]] == ["yes", "no", None, None]


def test_dispatched_at_needs_its_time_zone_as_ever():
    assert ask("/estimates", parcel("KRK", "2026-12-02T15:00:00"))[0] == 422
    if told():
        assert ask("/estimates", parcel("KRK", needed_by="soon"))[0] == 422
