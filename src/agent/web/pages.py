"""The dashboard: plain server-rendered pages that work without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ..model.views import IncidentDetail
from .access import COOKIE, SESSION_SECONDS, Caller, Keys, person
from .problems import Problem
from .service import Service

FOLDER = Path(__file__).parent
_templates = Jinja2Templates(directory=FOLDER / "templates")


def router(provider: Callable[[], Service], keys: Keys) -> APIRouter:
    """The pages and the forms on them."""
    routes = APIRouter(include_in_schema=False)
    routes.mount("/static", StaticFiles(directory=FOLDER / "static"))

    @routes.get("/")
    def home(request: Request) -> HTMLResponse:
        service = provider()
        context = {
            "status": service.status(),
            "incidents": service.incidents(active=None, limit=30),
            "last": service.monitoring.last,
        }
        return _templates.TemplateResponse(request, "home.html", context)

    @routes.post("/incidents/{incident_id}/answer")
    async def answer(incident_id: str, request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
        by = _person(request, keys, form)
        yes = _first(form, "answer") == "yes"
        await run_in_threadpool(
            lambda: provider().decide(
                incident_id, yes=yes, by=by, subject=_first(form, "subject") or None, comment=_first(form, "comment")
            )
        )
        response = RedirectResponse(f"/incidents/{incident_id}", status_code=303)
        response.set_cookie(COOKIE, keys.session(by), max_age=SESSION_SECONDS, httponly=True, samesite="strict")
        return response

    return routes


def incident(request: Request, detail: IncidentDetail) -> HTMLResponse:
    """One incident as a page."""
    caller: Caller = request.scope["state"]["caller"]
    context = {
        "detail": detail,
        "documents": detail.documents,
        "pending": detail.pending,
        "principal": caller.principal,
    }
    return _templates.TemplateResponse(request, "incident.html", context)


def _person(request: Request, keys: Keys, form: dict[str, list[str]]) -> str:
    """Who answers: the session's person, or who shows the token in the form. Raises `Problem` 401."""
    caller: Caller = request.scope["state"]["caller"]
    if caller.principal is not None:
        return caller.principal
    if keys.is_token(_first(form, "token")):
        return person(_first(form, "name"))
    raise Problem(401, "The token is not known here. `mpa token show` prints the one to enter.")


def _first(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[0]
