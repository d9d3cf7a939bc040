"""An application with its own state and a clock that stands still."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from market_predictor.app import create
from market_predictor.settings import Settings

NOON = datetime(2025, 3, 4, 17, 5, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path):
    return Settings(hours_per_second=0.0, market_start=NOON, state_dir=tmp_path, log_file=tmp_path / "service.log")


@pytest.fixture
def client(settings):
    with TestClient(create(settings)) as client:
        yield client
