"""A parcel is estimated however its service is written, and counted under it."""

import json
import os
import urllib.error
import urllib.request

import pytest

PARCEL = {"depot": "KRK", "zone": 3, "weight_kg": 2.5, "service": "express", "dispatched_at": "2026-02-03T12:00:00+01:00"}
WAYS = {"express": ("express", "Express", "EXPRESS", " express "), "standard": ("standard", "Standard", "STANDARD ")}


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


def plain(service):
    """The estimate of the parcel with its service in plain words."""
    status, said = ask("/estimates", PARCEL | {"service": service})
    assert status == 200
    return said["how"]["service_factor"], said["how"]["waiting_minutes"]


@pytest.mark.parametrize(("service", "written"), [(name, way) for name, ways in WAYS.items() for way in ways])
def test_the_service_in_any_case(service, written):
    """It is the same service."""
    status, said = ask("/estimates", PARCEL | {"service": written})
    assert status == 200
    assert (said["how"]["service_factor"], said["how"]["waiting_minutes"]) == plain(service)


@pytest.mark.parametrize("change", ({}, {"depot": "köln"}, {"zone": "5"}, {"weight_kg": 70}, {"depot": "BOS", "zone": 1.0}))
def test_without_a_service_it_is_standard(change):
    """For every depot, zone and weight."""
    parcel = {name: value for name, value in (PARCEL | change).items() if name != "service"}
    status, said = ask("/estimates", parcel)
    assert status == 200
    assert said["how"]["service_factor"] == 1.0
    assert said["minutes"] > 0


def test_bulks():
    """With and without a service, side by side."""
    parcels = [PARCEL, PARCEL | {"service": "Express"}, {k: v for k, v in PARCEL.items() if k != "service"}]
    status, said = ask("/estimates/bulk", {"parcels": parcels})
    assert status == 200
    assert [one["how"]["service_factor"] for one in said["estimates"]] == [0.6, 0.6, 1.0]


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"service": "drone"}, 404),
        ({"service": ""}, 422),
        ({"service": None}, 422),
        ({"service": 7}, 422),
        ({"service": "Express", "weight_kg": 30.5}, 422),
        ({"depot": "NOSUCH"}, 404),
    ],
)
def test_what_was_refused_is_refused(change, refused):
    """A wrong service is no standard one."""
    status, said = ask("/estimates", PARCEL | change)
    assert status == refused
    assert said["error"]


def test_metrics_answer():
    """They are scraped all the time."""
    with urllib.request.urlopen(os.environ["TARGET_URL"] + "/metrics", timeout=10) as answer:
        assert b"http_requests_total" in answer.read()
