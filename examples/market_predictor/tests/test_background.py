"""The scheduler, the desk's routes, the calendar's holidays, and splits."""

import threading
from datetime import UTC, date, datetime

import numpy as np
import pytest
from market_predictor import calendar, splits
from market_predictor.feed import EPOCH, SyntheticFeed
from market_predictor.scheduler import Job, Scheduler
from market_predictor.settings import from_environment

NEW_YORK = "America/New_York"


def test_a_job_that_fails_is_tried_again(caplog):
    runs, good, bad, done = [], [], [], threading.Event()

    def work():
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("not today")

    def succeeded(name):
        good.append(name)
        done.set()

    scheduler = Scheduler([Job("count", 0.01, work)], succeeded, bad.append)
    scheduler.start()
    assert done.wait(5)
    scheduler.stop()
    assert (good[0], bad) == ("count", ["count"])
    assert "ValueError: not today" in caplog.text


def test_the_service_runs_its_jobs(client):
    assert "upstream" not in client.get("/metrics").text
    for _ in range(100):
        if 'scheduler_job_last_success_seconds{job="trim the journal"}' in (text := client.get("/metrics").text):
            break
    assert 'scheduler_job_last_success_seconds{job="settle scores"}' in text
    assert 'scheduler_job_failures_total{job="settle scores"} 0.0' in text


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2025, 1, 1), "New Year's Day"),
        (date(2025, 1, 20), "Martin Luther King Jr. Day"),
        (date(2025, 4, 18), "Good Friday"),
        (date(2025, 5, 26), "Memorial Day"),
        (date(2026, 7, 3), "Independence Day"),
        (date(2027, 12, 24), "Christmas Day"),
        (date(2025, 11, 27), "Thanksgiving Day"),
        (date(2021, 12, 31), None),
        (date(2025, 3, 4), None),
    ],
)
def test_holidays(day, name):
    assert calendar.holiday(day) == name
    assert calendar.is_holiday(day) == (name is not None)


def test_half_days_close_early():
    assert calendar.closes_at(date(2025, 7, 3), NEW_YORK).hour == 13
    assert calendar.closes_at(date(2025, 11, 28), NEW_YORK).hour == 13
    assert calendar.closes_at(date(2025, 3, 4), NEW_YORK).hour == 16
    assert calendar.closes_at(date(2025, 3, 8), NEW_YORK) is None


def test_sessions_of_a_day(client):
    answer = client.get("/sessions", params={"date": "2025-12-24"}).json()
    assert (answer["half_day"], answer["closes_at"]) == (True, "2025-12-24T13:00:00-05:00")
    assert client.get("/sessions").json()["date"] == "2025-03-04"
    assert client.get("/sessions", params={"date": "soon"}).status_code == 422


def test_history_has_the_newest_predictions(client):
    ids = [client.get("/predict", params={"symbol": "AAPL"}).json()["id"] for _ in range(3)]
    client.get("/predict", params={"symbol": "MSFT"})
    answer = client.get("/history", params={"symbol": "aapl", "limit": 2}).json()
    assert [row["id"] for row in answer["predictions"]] == ids[1:]
    assert client.get("/history", params={"symbol": "XXXX"}).status_code == 404


def test_bars_before_a_split_are_told_in_new_shares():
    moment = datetime(2025, 3, 4, 17, tzinfo=UTC)
    bars = SyntheticFeed(7, NEW_YORK).bars("AAPL", moment, 10)
    adjusted = splits.adjust(bars, [splits.Split(int(bars.hours[4]), 4.0)])
    assert np.array_equal(adjusted.close[:4], bars.close[:4] / 4)
    assert np.array_equal(adjusted.close[4:], bars.close[4:])
    assert np.array_equal(adjusted.volume[:4], bars.volume[:4] * 4)


def test_the_shipped_splits_lie_before_the_market_begins():
    assert all(split.hour < 0 for entries in splits.load().values() for split in entries), EPOCH


def test_one_source_of_bars_is_chosen():
    with pytest.raises(ValueError, match="exclude each other"):
        from_environment({"MP_CSV": "data", "MP_FEED_URL": "http://127.0.0.1:9"})
    with pytest.raises(ValueError, match="MP_FEED_URL"):
        from_environment({"MP_FEED_URL": "127.0.0.1:9"})
