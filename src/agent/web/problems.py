"""RFC 9457 problem documents for every error, ours and the framework's; a browser gets the same as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from ..errors import (
    AgentError,
    Conflict,
    Misconfigured,
    NotFound,
    Permanent,
    Superseded,
    Transient,
    UnknownEffect,
)
from ..kit.redact import fence
from .templating import page, wants_page

MEDIA_TYPE = "application/problem+json"
DETAIL_LENGTH = 1000
RETRY_AFTER_SECONDS = 2
MOST_MISTAKES = 20
_STATUS: tuple[tuple[type[AgentError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (Superseded, HTTPStatus.CONFLICT),
    (UnknownEffect, HTTPStatus.CONFLICT),
    (Misconfigured, HTTPStatus.SERVICE_UNAVAILABLE),
    (Transient, HTTPStatus.SERVICE_UNAVAILABLE),
    (Permanent, HTTPStatus.UNPROCESSABLE_ENTITY),
)


class Mistake(BaseModel):
    """One thing that is wrong with a request."""

    at: str
    message: str


class ProblemDocument(BaseModel):
    """RFC 9457: what went wrong, why, and what to do next."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Mistake] = []


class Problem(Exception):
    """An answer that is a problem document."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def respond(
    status: int, detail: str, *, errors: list[Mistake] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A problem document as a response; of ``detail``, what is not our own words was fenced before."""
    document = ProblemDocument(
        title=HTTPStatus(status).phrase, status=status, detail=detail[:DETAIL_LENGTH], errors=errors or []
    )
    sent = dict(headers or {})
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        sent.setdefault("retry-after", str(RETRY_AFTER_SECONDS))
    if status == HTTPStatus.UNAUTHORIZED:
        sent.setdefault("www-authenticate", 'Bearer realm="market-programmer-agent"')
    return Response(json.dumps(document.model_dump()), status, headers=sent, media_type=MEDIA_TYPE)


def answer(error: Exception, scope: Scope) -> Response:
    """The answer to a request that failed: a problem document, or for a browser a page that says the same."""
    found = of(error)
    if not wants_page(scope):
        return found
    if found.status_code == HTTPStatus.UNAUTHORIZED and scope["method"] == "GET":
        return RedirectResponse(f"/session?next={quote(scope['path'])}", HTTPStatus.SEE_OTHER)
    document = json.loads(bytes(found.body))
    shown = page("problem.html", code=found.status_code, problem=document)
    kept = ("retry-after", "www-authenticate", "allow", "connection")
    shown.headers.update({name: value for name, value in found.headers.items() if name in kept})
    return shown


def of(error: Exception) -> Response:
    """The problem document for an error that a route or a guard raised."""
    if isinstance(error, Problem):
        return respond(error.status, error.detail, headers=error.headers)
    if isinstance(error, AgentError):
        return respond(status_of(error), fence(str(error), DETAIL_LENGTH))
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        return respond(error.status_code, fence(_plain(error), DETAIL_LENGTH), headers=error.headers)
    return respond(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong inside the agent; its log says what.")


def status_of(error: AgentError) -> HTTPStatus:
    """The HTTP status of one of our own errors."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def install(app: FastAPI) -> None:
    """Answer every error of the application with a problem document."""

    async def handle(request: Request, error: Exception) -> Response:
        return answer(error, request.scope)

    for kind in (Problem, AgentError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Error answers for the OpenAPI description: those every route has, and ``statuses``."""
    every = {400, 401, 403, 405, 408, 413, 415, 421, 422, 500, 503, *statuses}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
        for status in sorted(every)
    }


def _invalid(error: RequestValidationError) -> Response:
    """What is wrong with each field, without repeating what was sent: that may be a secret."""
    found = error.errors()
    mistakes = [
        Mistake(at=fence(".".join(str(part) for part in each["loc"]), 120), message=fence(str(each["msg"]), 200))
        for each in found[:MOST_MISTAKES]
    ]
    first = f"{mistakes[0].at}: {mistakes[0].message}" if mistakes else "it is not what this route takes"
    detail = f"The request cannot be used: {first}. /docs describes what this route takes."
    return respond(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=mistakes)


def _plain(error: HTTPException) -> str:
    """A sentence for the framework's own errors."""
    known = {
        404: "There is nothing at this address; /docs lists what there is.",
        405: "This address does not take this method; the Allow header says which it takes.",
    }
    return known.get(error.status_code, str(error.detail))
