"""The OpenAPI description where the framework cannot write it by itself."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from ..intake.alertmanager import DeliveredAlert, Delivery
from .problems import ProblemDocument

_REF = "#/components/schemas/{model}"
_ADDED: tuple[type[BaseModel], ...] = (ProblemDocument, Delivery)
_EVENT = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string", "description": "The entry's number, to go on behind with Last-Event-ID."},
        "event": {"type": "string", "description": "The entry's kind."},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": _REF.format(model="Entry")},
        },
    },
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events", "content": {"text/event-stream": {"itemSchema": _EVENT}}}
}
OR_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"description": "JSON, or a page for browsers", "content": {"text/html": {"schema": {"type": "string"}}}}
}


def body(model: str) -> dict[str, Any]:
    """A request body that one of our own readers parses."""
    return {"required": True, "content": {"application/json": {"schema": {"$ref": _REF.format(model=model)}}}}


def description(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, with the records that no route names in its signature."""
    if not api.openapi_schema:
        found = FastAPI.openapi(api)
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        for model in _ADDED:
            whole = model.model_json_schema(ref_template=_REF)
            schemas.update(whole.pop("$defs", {}))
            schemas[model.__name__] = whole
        for content in _contents(found):
            content.get("text/event-stream", {}).pop("schema", None)  # the framework calls a stream a string
        alert = schemas["DeliveredAlert"] = DeliveredAlert.model_json_schema(ref_template=_REF)
        schemas["Delivery"]["properties"]["alerts"]["items"] = {"$ref": _REF.format(model="DeliveredAlert")}
        _say_what_times_are(alert["properties"])
        _say_who_may(found)
        api.openapi_schema = found
    return api.openapi_schema


def _contents(found: dict[str, Any]) -> list[dict[str, Any]]:
    operations = [operation for path in found["paths"].values() for operation in path.values()]
    return [answer.get("content", {}) for operation in operations for answer in operation["responses"].values()]


def _say_what_times_are(alert: dict[str, Any]) -> None:
    """Alertmanager's times are text to the reader, which knows more forms of them than the framework."""
    alert["startsAt"] = {"type": "string", "format": "date-time"}
    alert["endsAt"] = {"anyOf": [{"type": "string", "format": "date-time"}, {"const": ""}], "default": ""}


def _say_who_may(found: dict[str, Any]) -> None:
    """The token: needed to decide for a person, and for everything when the agent is not asked from its own machine."""
    found["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "`mpa token show` prints it."}
    }
    found["security"] = [{}, {"token": []}]
    for operations in found["paths"].values():
        for operation in operations.values():
            if "decisions" in operation["tags"]:
                operation["security"] = [{"token": []}]
