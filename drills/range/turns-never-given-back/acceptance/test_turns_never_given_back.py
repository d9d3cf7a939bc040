"""Refused parcels cost nobody else an estimate."""

import json
import os
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

MOMENT = datetime(2026, 2, 3, 11, tzinfo=UTC)


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


def parcel(number, **change):
    """A parcel that nobody asked for before: no cache knows it."""
    sent = MOMENT + timedelta(seconds=number, microseconds=datetime.now(UTC).microsecond)
    return {"depot": "CGN", "zone": 2, "weight_kg": 3.0, "service": "standard", "dispatched_at": sent.isoformat()} | change


def refused(number):
    """What no service takes."""
    return parcel(number, service="express", weight_kg=31.0) if number % 2 else parcel(number, weight_kg=71.0)


@pytest.mark.parametrize("route", ("single", "bulk", "report"))
def test_refusals_take_nothing_away(route):
    """A score of them, then ordinary parcels of every depot."""
    for number in range(20):
        if route == "single":
            assert ask("/estimates", refused(number))[0] == 422
        elif route == "bulk":
            status, said = ask("/estimates/bulk", {"parcels": [refused(number), parcel(number)]})
            assert (status, ["minutes" in one for one in said["estimates"]]) == (200, [False, True])
        else:
            delivered = {"parcel_id": f"T{number}", "delivered_at": (MOMENT + timedelta(hours=4)).isoformat()}
            assert ask("/scans", refused(number) | delivered)[0] == 422
    for number, depot in enumerate(("KRK", "LIS", "CGN", "DUB", "BOS") * 2):
        status, said = ask("/estimates", parcel(100 + number, depot=depot))
        assert (status, said["depot"]) == (200, depot)


def test_many_at_once():
    """Ordinary and refused ones side by side; each gets its own answer."""
    answers, threads = {}, []
    for number in range(24):
        body = refused(number) if number % 3 == 0 else parcel(number, zone=number % 5 + 1)
        threads.append(
            threading.Thread(target=lambda n=number, body=body: answers.__setitem__(n, ask("/estimates", body)))
        )
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: status for number, (status, _) in answers.items()} == {
        number: 422 if number % 3 == 0 else 200 for number in range(24)
    }
    assert [answers[n][1]["zone"] for n in range(24) if n % 3] == [n % 5 + 1 for n in range(24) if n % 3]


def test_estimates_are_as_ever():
    """Parts add up, the surcharge is there."""
    status, said = ask("/estimates", parcel(500, weight_kg=40))
    how = said["how"]
    assert (status, how["surcharge_minutes"], how["waiting_minutes"]) == (200, 25, 0)
    assert abs(how["waiting_minutes"] + how["handling_minutes"] + how["surcharge_minutes"] - said["minutes"]) <= 1


def test_the_service_is_well():
    """It answers for itself."""
    assert ask("/health") == (200, {"status": "ok"})
