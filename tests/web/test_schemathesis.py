"""Every operation of our own OpenAPI description, tried with generated requests on the real agent."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import schemathesis
from pydantic import SecretStr
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks

from agent.settings import Settings
from agent.web.api import create_api
from agent.web.problems import MEDIA_TYPE
from web.stories import closed_incident, waiting_incident

TOKEN = "a-token-for-this-test"
ADDRESS = "http://127.0.0.1"
WAITING, CLOSED = "inc-waiting", "inc-closed"
CONTRACT = {
    *("GET /health", "GET /status", "GET /metrics", "GET /monitoring/status", "POST /monitoring/cycle"),
    *("POST /control/start-monitoring", "POST /control/stop-monitoring", "POST /control/safety-mode"),
    *("POST /control/emergency-stop", "POST /control/resume", "POST /webhook/alerts", "POST /changes"),
    *("GET /incidents", "GET /incidents/{incident_id}", "GET /incidents/{incident_id}/events"),
    *("POST /incidents/{incident_id}/approve", "POST /incidents/{incident_id}/reject"),
    *("POST /incidents/{incident_id}/cancel", "POST /incidents/{incident_id}/retry"),
    *("GET /audit", "GET /audit/verify"),
}
PROBLEM = {"type", "title", "status", "detail", "errors"}
GENERATION = {"deterministic": True, "max-examples": 10, "no-shrink": True, "database": "none"}
CONFIG = {
    "seed": 1,
    "base-url": ADDRESS,
    "generation": GENERATION,
    "auth": {"openapi": {"token": {"bearer": TOKEN}}},
    "max-stream-events": 3,
    "request-timeout": 20,
}
CONTRACT = {
    *("GET /health", "GET /status", "GET /metrics", "GET /monitoring/status", "POST /monitoring/cycle"),
    *("POST /control/start-monitoring", "POST /control/stop-monitoring", "POST /control/safety-mode"),
    *("POST /control/emergency-stop", "POST /control/resume", "POST /webhook/alerts", "POST /changes"),
    *("GET /incidents", "GET /incidents/{incident_id}", "GET /incidents/{incident_id}/events"),
    *("POST /incidents/{incident_id}/approve", "POST /incidents/{incident_id}/reject"),
    *("POST /incidents/{incident_id}/cancel", "POST /incidents/{incident_id}/retry"),
    *("GET /audit", "GET /audit/verify"),
}
PROBLEM = {"type", "title", "status", "detail", "errors"}
GENERATION = {"deterministic": True, "max-examples": 10, "no-shrink": True, "database": "none"}
CONFIG = {
    "seed": 1,
    "base-url": ADDRESS,
    "generation": GENERATION,
    "auth": {"openapi": {"token": {"bearer": TOKEN}}},
    "max-stream-events": 3,
    "request-timeout": 20,
}


class Stage:
    """Where each test puts its own agent; its clients stand on this machine, as the access rules see it."""

    app: Any = None

    async def __call__(self, scope, receive, send):
        here = {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}
        await self.app({**scope, **here} if scope["type"] == "http" else scope, receive, send)


stage = Stage()
stage.app = create_api(lambda: None, Settings(_env_file=None, environment="development"))
schema = schemathesis.openapi.from_asgi(
    "/openapi.json", stage, config=SchemathesisConfig.from_dict(CONFIG), headers={"host": "127.0.0.1"}
)


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"api_token": SecretStr(TOKEN)})


@pytest.fixture(autouse=True)
def _on_stage(agent):
    closed_incident(agent.store, name=CLOSED)
    waiting_incident(agent.store, name=WAITING)
    stage.app = create_api(lambda: agent, agent.settings)


@schemathesis.check
def errors_are_problem_documents(ctx, response, case):
    """RFC 9457, with the status in the document."""
    if response.status_code >= 400:
        assert response.headers["content-type"] == [MEDIA_TYPE]
        document = response.json()
        assert set(document) == PROBLEM
        assert document["status"] == response.status_code
        assert document["detail"]


@schema.parametrize()
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_answers_are_as_described(case):
    """No 5xx, no undocumented status, no answer that is not as described, no decision without a token."""
    # One bad alert among good ones is left out and told of; the delivery is not refused for it.
    lenient = [checks.negative_data_rejection] if case.path == "/webhook/alerts" else []
    case.call_and_validate(excluded_checks=lenient)


@schema.exclude(path_regex=r"^((?!\{incident_id\}).)*$").parametrize()
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=6)
def test_answers_about_an_incident_are_as_described(case):
    """The same for an incident that waits and one that is closed."""
    case.path_parameters["incident_id"] = CLOSED if len(case.query) % 2 else WAITING
    if case.path.endswith("/events"):
        case.query["follow"] = "false"  # a stream that is followed ends when its reader goes away
    case.call_and_validate()


def test_no_operation_is_left_out():
    """What is tried is what is described, and that is the whole contract."""
    described = {f"{method.upper()} {path}" for path, found in schema.raw_schema["paths"].items() for method in found}
    tried = {each.ok().label for each in schema.get_all_operations()}
    assert tried == described >= CONTRACT
