"""The OpenAPI description where the framework cannot write it by itself."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from ..intake.alertmanager import Delivery
from .problems import ProblemDocument

_REF = "#/components/schemas/{model}"
_ADDED: tuple[type[BaseModel], ...] = (ProblemDocument, Delivery)


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
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
        api.openapi_schema = found
    return api.openapi_schema
