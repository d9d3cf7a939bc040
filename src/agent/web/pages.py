"""The dashboard: plain server-rendered pages and forms that work without JavaScript."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ..model.audit import Entry
from ..model.policy import ASKED
from ..model.views import IncidentDetail
from .access import COOKIE, SESSION_SECONDS, Caller, Keys, person
from .events import PAGE
from .forms import Form, read_form
from .problems import Problem
from .service import Service
from .templating import FOLDER, page

NEWEST = 50
LONGEST_TRAIL = 500
IncidentId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Provider = Callable[[], Service]


def router(provider: Provider, keys: Keys) -> APIRouter:
    """The pages and the forms on them."""
    routes = APIRouter(include_in_schema=False)
    routes.mount("/static", StaticFiles(directory=FOLDER / "static"))
    _showing(routes, provider)
    _signing_in(routes, keys)
    _answering(routes, provider, keys)
    return routes


def _showing(routes: APIRouter, provider: Provider) -> None:
    @routes.get("/")
    def home(request: Request) -> HTMLResponse:
        service = provider()
        last = service.monitoring.last
        return page(
            "home.html",
            reader=_caller(request),
            status=service.status(),
            incidents=service.incidents(active=None, limit=NEWEST),
            seen={} if last is None else {each.target: each for each in last.targets},
        )

    @routes.get("/docs")
    def docs(request: Request) -> HTMLResponse:
        return page("docs.html", reader=_caller(request), api=request.app.openapi())


def _signing_in(routes: APIRouter, keys: Keys) -> None:
    @routes.get("/session")
    def ask(request: Request) -> HTMLResponse:
        return page("session.html", reader=_caller(request), next=_local(request.query_params.get("next", "/")))

    @routes.post("/session")
    async def begin(request: Request) -> Response:
        form = await read_form(request)
        return _signed_in(request, keys, form.who_shows_the_token(keys), _local(form["next"] or "/"))

    @routes.post("/session/end")
    async def end(request: Request) -> Response:
        form, caller = await read_form(request), _caller(request)
        if caller.form_key is not None:
            form.check_key(caller.form_key)
        response = RedirectResponse("/session", status_code=303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response


def _answering(routes: APIRouter, provider: Provider, keys: Keys) -> None:
    @routes.post("/incidents/{incident_id}/answer")
    async def answer(incident_id: IncidentId, request: Request) -> Response:
        form = await read_form(request)
        by = form.person(_caller(request), keys)
        await run_in_threadpool(_carry_out, provider(), incident_id, form, by)
        return _signed_in(request, keys, by, f"/incidents/{incident_id}")

    @routes.post("/control/form")
    async def control(request: Request) -> Response:
        form, caller = await read_form(request), _caller(request)
        if caller.form_key is not None:
            form.check_key(caller.form_key)
        await run_in_threadpool(_control, provider(), form, caller)
        return RedirectResponse("/", status_code=303)


def _carry_out(service: Service, incident_id: str, form: Form, by: str) -> None:
    """What the button says; an answer to a question holds for the subject that the page showed."""
    said = form["answer"]
    if said in ("yes", "no"):
        if not form["subject"]:
            raise Problem(
                422, "The form does not say which patch it answers. Load the incident's page and use its form."
            )
        service.decide(incident_id, yes=said == "yes", by=by, subject=form["subject"], comment=form["comment"])
    elif said == "cancel":
        service.cancel(incident_id, by=by, comment=form["comment"])
    elif said == "retry":
        service.retry(incident_id, by=by, comment=form["comment"])
    else:
        raise Problem(422, "The form answers neither yes, no, cancel nor retry. Load the incident's page again.")


def _control(service: Service, form: Form, caller: Caller) -> None:
    action = form["action"]
    if action == "emergency-stop":
        service.emergency_stop(by=caller.name, reason=form["reason"])
    elif action == "resume":
        if caller.principal is None:
            raise Problem(401, "Lifting the emergency stop needs a person: sign in first.")
        service.resume(by=person(caller.principal))
    elif action == "start-monitoring":
        service.start_monitoring(by=caller.name)
    elif action == "stop-monitoring":
        service.stop_monitoring(by=caller.name)
    else:
        raise Problem(422, "There is no such control. Load the dashboard again.")


def incident(request: Request, service: Service, detail: IncidentDetail) -> HTMLResponse:
    """One incident as a page."""
    trail, older = _newest(service, detail.incident.id)
    return page(
        "incident.html",
        reader=_caller(request),
        detail=detail,
        incident=detail.incident,
        documents=detail.documents,
        asked=ASKED,
        pending=detail.pending if detail.incident.active else None,
        trail=trail,
        older=older,
    )


def _newest(service: Service, incident_id: str) -> tuple[tuple[Entry, ...], int]:
    """The end of the incident's trail, oldest first, and how many entries came before."""
    kept: deque[Entry] = deque(maxlen=LONGEST_TRAIL)
    after = count = 0
    while read := service.entries(incident_id=incident_id, after=after, limit=PAGE):
        kept.extend(read)
        after, count = read[-1].seq, count + len(read)
    return tuple(kept), count - len(kept)


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["state"]["caller"]
    return caller


def _signed_in(request: Request, keys: Keys, name: str, address: str) -> Response:
    response = RedirectResponse(address, status_code=303)
    secure = request.url.scheme == "https"
    response.set_cookie(
        COOKIE, keys.session(name), max_age=SESSION_SECONDS, httponly=True, samesite="strict", secure=secure
    )
    return response


def _local(address: str) -> str:
    """An address of ours; another site's name would make our sign-in its trap."""
    return (
        address if address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable() else "/"
    )
