"""A small past to learn from, and the service over it."""

from datetime import UTC, datetime, timedelta

import pytest

from parcel_times import api, job, scans
from parcel_times.network import shipped
from parcel_times.settings import from_environment

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday


@pytest.fixture
def network():
    return shipped()


@pytest.fixture(scope="session")
def past(tmp_path_factory):
    """Settings over ten days of scan files and the features made of them."""
    folder = tmp_path_factory.mktemp("past")
    settings = from_environment({"PT_STATE_DIR": str(folder), "PT_WINDOW_DAYS": "10", "PT_COMMIT": "c" * 40})
    scans.fill(settings, shipped(), NOW)
    job.run(settings, shipped(), NOW)
    return settings


@pytest.fixture
def client(past):
    return api.create(past).test_client()


@pytest.fixture
def parcel():
    """What a client asks; noon in Warsaw."""
    noon = NOW.replace(hour=11).isoformat()
    return {"depot": "KRK", "zone": 3, "weight_kg": 2.5, "service": "standard", "dispatched_at": noon}


@pytest.fixture
def delivery(parcel):
    """What a depot reports: two hours and a half."""
    sent = NOW - timedelta(days=2)
    moments = {"dispatched_at": sent.isoformat(), "delivered_at": (sent + timedelta(minutes=150)).isoformat()}
    return parcel | moments | {"parcel_id": "P1"}
