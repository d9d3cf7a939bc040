"""Bulks are answered, whatever bulks came before."""

import json
import os
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

URL = os.environ["TARGET_URL"].rstrip("/")
NOW = datetime.now(UTC).isoformat(timespec="seconds")


def send(path, data, kind="application/json"):
    request = urllib.request.Request(URL + path, data, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=8) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def bulk(*parcels):
    return send("/estimates/bulk", json.dumps({"parcels": list(parcels)}).encode())


def parcel(zone=3, **changes):
    return {"depot": "CGN", "zone": zone, "weight_kg": 2.5, "service": "standard", "dispatched_at": NOW} | changes


REFUSED = [
    (b"{", "application/json", 400),
    (b"x", "text/plain", 415),
    (b"[1]", "application/json", 422),
    (b"{}", "application/json", 422),
    (b'{"parcels": "all"}', "application/json", 422),
    (json.dumps({"parcels": [parcel()] * 101}).encode(), "application/json", 422),
]


@pytest.mark.parametrize(("data", "kind", "status"), REFUSED)
def test_refused_bulks_leave_no_trace(data, kind, status):
    for _ in range(6):
        code, body = send("/estimates/bulk", data, kind)
        assert code == status
        assert body["error"]
    began = time.monotonic()
    code, body = bulk(parcel())
    assert code == 200
    assert body["longest_minutes"] == body["estimates"][0]["minutes"] > 0
    assert time.monotonic() - began < 0.9


def test_what_a_bulk_says_is_what_single_estimates_say():
    wanted = [parcel(zone, service=service) for zone in (1, 3, 5) for service in ("standard", "express")]
    for _ in range(5):  # the job may deliver new features in between
        singles = [send("/estimates", json.dumps(one).encode())[1] for one in wanted]
        code, body = bulk(*wanted, parcel(9), 7, None, parcel(weight_kg=71))
        assert code == 200
        assert [("minutes" in one, "error" in one) for one in body["estimates"][6:]] == [(False, True)] * 4
        if body["estimates"][:6] == singles:
            break
    assert body["estimates"][:6] == singles
    assert body["longest_minutes"] == max(one["minutes"] for one in singles)


def test_an_empty_bulk_has_no_longest():
    assert bulk() == (200, {"estimates": [], "longest_minutes": None})


def test_several_lorries_at_once():
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda zone: bulk(*[parcel(zone)] * 40), (1, 2, 3, 4, 5, 1)))
    assert [code for code, _ in found] == [200] * 6
    assert all(len(body["estimates"]) == 40 for _, body in found)
