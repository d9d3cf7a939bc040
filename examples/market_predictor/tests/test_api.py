import json
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from market_predictor.app import create


def test_health(client):
    assert client.get("/health").json()["status"] == "ok"


def test_a_prediction_is_near_the_last_price(client):
    answer = client.get("/predict", params={"symbol": "AAPL", "horizon": 2}).json()
    assert answer["value"] == pytest.approx(answer["naive"], rel=0.05)
    assert answer["method"] == "model"
    assert not answer["quarantined"]


def test_the_same_moment_gives_the_same_answer(client):
    first, second = (client.get("/predict", params={"symbol": "NVDA", "horizon": 3}).json() for _ in range(2))
    assert first["value"] == second["value"]
    assert first["id"] != second["id"]


def test_the_horizon_may_be_left_out(client):
    assert client.get("/predict", params={"symbol": "MSFT", "horizon": 1}).status_code == 200


@pytest.mark.parametrize("horizon", [0, 25, -3])
def test_horizons_out_of_range_are_refused(client, horizon):
    answer = client.get("/predict", params={"symbol": "AAPL", "horizon": horizon})
    assert answer.status_code == 422


def test_unknown_symbols_are_not_found(client):
    assert client.get("/predict", params={"symbol": "XXXX"}).status_code == 404


def test_a_batch_keeps_its_order(client):
    wanted = [{"symbol": "MSFT", "horizon": 2}, {"symbol": "AAPL", "horizon": 1}]
    answer = client.post("/predict/batch", json={"requests": wanted}).json()
    assert [item["symbol"] for item in answer["predictions"]] == ["MSFT", "AAPL"]


def test_a_batch_has_a_limit(client):
    assert client.post("/predict/batch", json={"requests": [{"symbol": "AAPL"}] * 51}).status_code == 422


def test_quarantine_serves_the_naive_forecast(client):
    order = {"scope": "AAPL", "reason": "bad ticks", "expires_in_seconds": 60}
    assert client.post("/quarantine", json=order).status_code == 201
    answer = client.get("/predict", params={"symbol": "AAPL", "horizon": 1}).json()
    assert answer["quarantined"]
    assert answer["value"] == answer["naive"]
    assert not client.get("/predict", params={"symbol": "MSFT", "horizon": 1}).json()["quarantined"]


def test_quarantine_needs_a_reason(client):
    assert client.post("/quarantine", json={"scope": "AAPL", "expires_in_seconds": 60}).status_code == 422


def test_retraining_makes_a_candidate_only(client):
    answer = client.post("/retrain").json()
    assert client.get("/status").json()["model"]["version"] == "v1"
    assert answer["candidate"] in client.get("/status").json()["candidates"]
    promoted = client.post(f"/models/{answer['candidate']}/promote").json()
    assert promoted["serving"] == answer["candidate"]


def test_promoting_an_unknown_model_is_refused(client):
    assert client.post("/models/nope/promote").status_code == 404


def test_metrics_speak_of_requests_and_the_release(client):
    client.get("/predict", params={"symbol": "AAPL", "horizon": 1})
    text = client.get("/metrics").text
    assert 'http_requests_total{method="GET",route="/predict",status="200"} 1.0' in text
    assert 'build_info{commit="unknown"' in text
    assert "data_age_seconds" in text


def test_metrics_answer_when_the_newest_bar_has_just_ended(settings):
    on_the_hour = replace(settings, market_start=settings.market_start.replace(minute=0))
    with TestClient(create(on_the_hour)) as client:
        client.get("/predict", params={"symbol": "AAPL"})
        assert "data_age_seconds 0.0" in client.get("/metrics").text


def test_every_request_is_logged(client, settings):
    client.get("/predict", params={"symbol": "AAPL", "horizon": 1})
    lines = [json.loads(line) for line in settings.log_file.read_text().splitlines()]
    request = next(line for line in lines if line.get("route") == "/predict")
    assert request["status"] == 200
    assert request["replay"]["env"]["MP_MARKET_START"].startswith("2025-03-04T17:05")
