"""What clients of the service rely on."""

from datetime import datetime

import pytest

from parcel_times import api
from parcel_times.settings import from_environment


def test_an_estimate_says_how_it_came_about(client, parcel):
    """The parts add up to the minutes, and the window holds them."""
    answer = client.post("/estimates", json=parcel).get_json()
    how, window = answer["how"], answer["window"]
    assert abs(how["waiting_minutes"] + how["handling_minutes"] + how["surcharge_minutes"] - answer["minutes"]) <= 1
    assert window["earliest_minutes"] <= answer["minutes"] <= window["latest_minutes"]
    assert how["basis"] in {"hour", "depot"}
    assert answer["delivery_at"].endswith("+01:00")


@pytest.mark.parametrize(("depot", "zone"), [("krk", "3"), ("Kraków", 3.0), ("KRAKO\u0301W", 3)])
def test_names_and_numbers_may_be_written_in_several_ways(client, parcel, depot, zone):
    """A decomposed accent, upper case or a zone as text is the same parcel."""
    plain = client.post("/estimates", json=parcel).get_json()
    assert client.post("/estimates", json=parcel | {"depot": depot, "zone": zone}).get_json() == plain


def test_express_is_faster_and_heavy_is_slower(client, parcel):
    """The service factor and the surcharges work as the network says."""
    minutes = {
        name: client.post("/estimates", json=parcel | change).get_json()["minutes"]
        for name, change in {"plain": {}, "express": {"service": "express"}, "heavy": {"weight_kg": 40}}.items()
    }
    assert minutes["express"] < minutes["plain"]
    assert minutes["heavy"] - minutes["plain"] == 25


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"depot": "NOSUCH"}, 404),
        ({"zone": 9}, 404),
        ({"zone": 2.5}, 404),
        ({"zone": True}, 422),
        ({"service": "drone"}, 404),
        ({"weight_kg": 0}, 422),
        ({"weight_kg": 70.1}, 422),
        ({"service": "express", "weight_kg": 31}, 422),
        ({"dispatched_at": "2026-11-24T11:00:00"}, 422),
        ({"dispatched_at": "soon"}, 422),
    ],
)
def test_a_wrong_parcel_is_refused_with_the_reason(client, parcel, change, status):
    """Every refusal is JSON with an error."""
    answer = client.post("/estimates", json=parcel | change)
    assert answer.status_code == status
    assert answer.get_json()["error"]


def test_what_is_no_json_is_refused(client):
    """Broken JSON, another type and a list are told apart from a failure."""
    assert client.post("/estimates", data="{", content_type="application/json").status_code == 400
    assert client.post("/estimates", data="x").status_code == 415
    assert client.post("/estimates", json=[1]).status_code == 422


def test_one_bad_parcel_does_not_spoil_a_bulk(client, parcel):
    """Answers keep their order; an empty bulk has no longest."""
    answer = client.post("/estimates/bulk", json={"parcels": [parcel, parcel | {"zone": 9}, parcel]}).get_json()
    assert ["minutes" in one for one in answer["estimates"]] == [True, False, True]
    assert answer["longest_minutes"] == answer["estimates"][0]["minutes"]
    assert client.post("/estimates/bulk", json={"parcels": []}).get_json()["longest_minutes"] is None
    assert client.post("/estimates/bulk", json={"parcels": [parcel] * 101}).status_code == 422


def test_reports_make_the_accuracy(client, delivery):
    """The ratio shows once there are twenty; a repeated report does not count."""
    assert "prediction_mae_ratio" not in client.get("/metrics").get_data(as_text=True)
    for number in range(20):
        assert client.post("/scans", json=delivery | {"parcel_id": f"P{number}"}).status_code == 201
    again = client.post("/scans", json=delivery)
    assert (again.status_code, again.get_json()["counted"]) == (200, False)
    assert client.get("/status").get_json()["accuracy"]["n"] == 20
    assert "prediction_mae_ratio " in client.get("/metrics").get_data(as_text=True)


def test_a_report_of_the_future_is_refused(client, delivery):
    """So is one that ends before it begins."""
    assert client.post("/scans", json=delivery | {"delivered_at": "2999-01-01T00:00:00Z"}).status_code == 422
    assert client.post("/scans", json=delivery | {"delivered_at": delivery["dispatched_at"]}).status_code == 422


def test_metrics_count_requests_by_route(client, parcel):
    """Routes that do not exist share one label."""
    client.post("/estimates", json=parcel)
    client.get("/nowhere")
    text = client.get("/metrics").get_data(as_text=True)
    assert 'http_requests_total{method="POST",route="/estimates",status="200"} 1.0' in text
    assert 'http_requests_total{method="GET",route="other",status="404"} 1.0' in text
    assert f'build_info{{commit="{"c" * 40}"' in text
    assert "data_age_seconds " in text


def test_without_features_the_service_says_so(tmp_path, parcel):
    """503 until the job has delivered; status and metrics answer all the same."""
    bare = api.create(from_environment({"PT_STATE_DIR": str(tmp_path)})).test_client()
    assert bare.post("/estimates", json=parcel).status_code == 503
    assert bare.get("/health").status_code == 503
    assert bare.get("/status").get_json()["features"] is None
    assert "data_age_seconds" not in bare.get("/metrics").get_data(as_text=True)


def test_a_parcel_of_the_night_waits_for_the_opening(client, parcel):
    """Boston closes at 23:00 and opens at 06:00; the answer is in Boston's time."""
    asked = parcel | {"depot": "BOS", "dispatched_at": "2026-11-25T04:30:00Z"}
    answer = client.post("/estimates", json=asked).get_json()
    assert answer["how"]["waiting_minutes"] == 390
    assert datetime.fromisoformat(answer["delivery_at"]).utcoffset().total_seconds() == -5 * 3600
