"""Every day has its session, or none, and the days around the ends of months are days like others."""

import json
import os
import urllib.error
import urllib.request
from datetime import date, timedelta

import pytest
from market_predictor import calendar

URL = os.environ["TARGET_URL"].rstrip("/")


def session(day=None):
    with urllib.request.urlopen(f"{URL}/sessions" + (f"?date={day}" if day else ""), timeout=5) as response:
        return json.load(response)


NEXT = [
    ("2025-03-14", "2025-03-17T09:30:00-04:00", "2025-03-17T16:00:00-04:00"),
    ("2025-05-30", "2025-06-02T09:30:00-04:00", "2025-06-02T16:00:00-04:00"),
    ("2025-09-30", "2025-10-01T09:30:00-04:00", "2025-10-01T16:00:00-04:00"),
    ("2024-12-31", "2025-01-02T09:30:00-05:00", "2025-01-02T16:00:00-05:00"),
    ("2025-12-31", "2026-01-02T09:30:00-05:00", "2026-01-02T16:00:00-05:00"),
    ("2024-02-28", "2024-02-29T09:30:00-05:00", "2024-02-29T16:00:00-05:00"),
    ("2024-02-29", "2024-03-01T09:30:00-05:00", "2024-03-01T16:00:00-05:00"),
    ("2025-01-31", "2025-02-03T09:30:00-05:00", "2025-02-03T16:00:00-05:00"),
    ("2025-08-29", "2025-09-02T09:30:00-04:00", "2025-09-02T16:00:00-04:00"),
    ("2025-11-27", "2025-11-28T09:30:00-05:00", "2025-11-28T13:00:00-05:00"),
    ("2025-07-02", "2025-07-03T09:30:00-04:00", "2025-07-03T13:00:00-04:00"),
]


@pytest.mark.parametrize(("day", "opens", "closes"), NEXT)
def test_a_day_is_answered(day, opens, closes):
    answer = session(day)
    assert answer["date"] == day
    # A release without the feature has no "next"; one with it has the right one.
    assert answer.get("next", {"opens_at": opens, "closes_at": closes}) == {"opens_at": opens, "closes_at": closes}


def test_every_day_of_two_years():
    day, asked = date(2024, 1, 1), 0
    while day < date(2026, 1, 1):
        if day.day >= 26 or day.day <= 2:
            answer, asked = session(day.isoformat()), asked + 1
            trades = day.weekday() < 5 and not calendar.is_holiday(day)
            assert (answer["trading"], answer["opens_at"] is not None) == (trades, trades)
            if "next" in answer:
                following = day + timedelta(days=1)
                while following.weekday() > 4 or calendar.is_holiday(following):
                    following += timedelta(days=1)
                assert answer["next"]["opens_at"][:10] == following.isoformat()
                assert answer["next"]["closes_at"][:10] == following.isoformat()
        day += timedelta(days=1)
    assert asked > 150


def test_today_is_answered_and_half_days_are_known():
    assert session()["date"].startswith("20")
    assert session("2025-12-24")["closes_at"] == "2025-12-24T13:00:00-05:00"
    assert session("2025-12-25")["holiday"] == "Christmas Day"


def test_what_is_no_day_is_still_refused():
    for wrong in ("soon", "2025-02-30"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            session(wrong)
        assert refused.value.code == 422
