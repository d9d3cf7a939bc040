"""The HTTP application: every route of the contract, over the `Service`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, FastAPI, Header, Path, Query, Request
from fastapi.responses import PlainTextResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from .. import __version__
from ..intake.monitor import Cycle
from ..model.audit import Entry
from ..model.evidence import Change
from ..model.incident import Incident
from ..model.policy import Approval
from ..model.repair import Proof
from ..model.views import Accepted, ChainReport, Health, IncidentDetail, Status
from ..settings import Settings
from . import described, pages, problems
from .access import NAMES_SOMEBODY, Access, Caller, Keys, person
from .events import PAGE, Events, EventStream
from .guard import Guard
from .metrics import exposition
from .problems import Problem
from .service import Service

Provider = Callable[[], Service]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
IncidentId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$")]


class Said(BaseModel):
    """What somebody sends: nothing that the route does not know, for it may have been meant to matter.

    ``by`` is the person; left out, it is the name in X-Principal, or the operator, who holds the token.
    """

    model_config = ConfigDict(extra="forbid")

    by: Annotated[str, Field(max_length=100, json_schema_extra={"pattern": NAMES_SOMEBODY})] | None = None


class Answer(Said):
    """A person's answer to what an incident asks.

    ``subject`` binds it to what was looked at; a yes needs it once an incident has asked before.
    """

    subject: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    comment: str = Field(default="", max_length=1000)


class SafetyMode(Said):
    """Safety mode on or off; ``0`` or ``"no"`` are neither."""

    enabled: StrictBool


class Reason(Said):
    """Why."""

    reason: str = Field(default="", max_length=1000)


class MonitoringStatus(BaseModel):
    """What the built-in monitor does, and what its last cycle saw; ``interval`` is in seconds."""

    running: bool
    interval: float
    last: Cycle | None


class ReportedChange(BaseModel):
    """A deploy, flag or configuration change that CI reports."""

    id: str = Field(min_length=1, max_length=120)
    kind: Literal["commit", "deploy", "flag", "config"]
    timestamp: AwareDatetime
    component: str = Field(default="service", max_length=200)
    author: str = Field(default="", max_length=200)
    title: str = Field(default="", max_length=500)
    files: list[Annotated[str, Field(max_length=500)]] = Field(default=[], max_length=500)
    diff: str | None = Field(default=None, max_length=500_000)
    commit: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    target: str | None = Field(default=None, max_length=200)


def create_api(
    provider: Provider,
    settings: Settings,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """The application; ``provider`` gives the running service (503 while there is none)."""
    keys, streams = Keys(settings), Events()

    @asynccontextmanager
    async def life(api: FastAPI) -> AsyncIterator[None]:
        with streams.ended_by_signals():
            async with nullcontext() if lifespan is None else lifespan(api):
                yield

    api = FastAPI(
        title="Market Programmer Agent",
        version=__version__,
        lifespan=life,
        responses=problems.responses(404),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.install(api)
    for router in (
        _reading(provider),
        _incidents(provider, streams),
        _deciding(provider),
        _controls(provider),
        _audit(provider),
    ):
        api.include_router(router)
    api.include_router(pages.router(provider, keys))
    api.add_middleware(Guard, access=Access(settings, keys))
    api.openapi = lambda: described.description(api)  # type: ignore[method-assign]
    return api


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["state"]["caller"]
    return caller


def _holder(request: Request) -> str:
    """Who shows a token, person or program; a name where one was sent. Raises `Problem` 401."""
    caller = _caller(request)
    if caller.principal is None or caller.form_key is not None:  # a session decides through our pages' forms only
        raise Problem(401, "This needs a person: send `Authorization: Bearer TOKEN`; `mpa token show` prints it.")
    return caller.name


def _person(request: Request, said: Said | None) -> str:
    """Who decides: the name that was sent, else whoever holds the token. Raises `Problem` 401, 422 for a name that is none."""
    holder = _holder(request)
    return holder if said is None or said.by is None else person(said.by)


def _operator(request: Request, said: Said | None) -> str:
    """Who uses a control: in development anybody on this machine may, a name counts only with the token. Raises 422."""
    caller = _caller(request)
    named = None if said is None or said.by is None else person(said.by)
    return caller.name if named is None or caller.principal is None else named


def _reading(provider: Provider) -> APIRouter:
    router = APIRouter(tags=["status"])

    @router.get("/health")
    def health() -> Health:
        """How the agent does."""
        return provider().health()

    @router.get("/status")
    def status() -> Status:
        """Where the agent stands."""
        return provider().status()

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> Response:
        """Prometheus exposition."""
        return Response(exposition(provider().figures()), media_type="text/plain; version=0.0.4; charset=utf-8")

    @router.get("/monitoring/status")
    def monitoring() -> MonitoringStatus:
        """What the built-in monitor saw last."""
        watch = provider().monitoring
        return MonitoringStatus(running=watch.running, interval=watch.interval, last=watch.last)

    @router.post("/monitoring/cycle")
    def cycle() -> Cycle:
        """Run one monitoring cycle and return what it saw."""
        return provider().monitoring.cycle()

    return router


def _incidents(provider: Provider, streams: Events) -> APIRouter:
    router = APIRouter(tags=["incidents"])

    @router.post("/webhook/alerts", openapi_extra={"requestBody": described.body("Delivery")})
    def alerts(delivery: Annotated[dict[str, Any], Body()]) -> Accepted:
        """An Alertmanager version 4 delivery; stored before this answers."""
        return provider().accept_webhook(delivery, source="alertmanager")

    @router.get("/incidents")
    def incidents(active: bool | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> tuple[Incident, ...]:
        """Incidents, newest first."""
        return provider().incidents(active=active, limit=limit)

    @router.get("/incidents/{incident_id}", responses=described.OR_PAGE, response_model=IncidentDetail)
    def incident(incident_id: IncidentId, request: Request) -> Response:
        """One incident with everything that belongs to it; a page for browsers."""
        detail = provider().incident(incident_id)
        if "text/html" in request.headers.get("accept", ""):
            return pages.incident(request, provider(), detail)
        return Response(detail.model_dump_json(), media_type="application/json")

    @router.get("/incidents/{incident_id}/events", responses=described.EVENTS, response_class=EventStream)
    async def events(
        incident_id: IncidentId,
        request: Request,
        after: Annotated[int, Query(ge=0, le=2**53)] = 0,
        follow: bool = True,
        last_event_id: Annotated[str, Header()] = "",
    ) -> Response:
        """The incident's trail as server-sent events, from ``after`` or ``Last-Event-ID``."""
        service = provider()
        await run_in_threadpool(service.incident, incident_id)
        start = int(last_event_id) if re.fullmatch(r"[0-9]{1,15}", last_event_id) else after
        return streams.stream(service, incident_id, start, request.is_disconnected, follow=follow)

    return router


def _deciding(provider: Provider) -> APIRouter:
    router = APIRouter(tags=["decisions"])
    refusals = problems.responses(404, 409)

    @router.post("/incidents/{incident_id}/approve", responses=refusals)
    def approve(incident_id: IncidentId, request: Request, answer: Answer | None = None) -> Approval:
        """Yes to exactly what was read: ``subject`` is that of the incident's pending approval."""
        return _answered(provider(), incident_id, _person(request, answer), answer, yes=True)

    @router.post("/incidents/{incident_id}/reject", responses=refusals)
    def reject(incident_id: IncidentId, request: Request, answer: Answer | None = None) -> Approval:
        """No to what the incident asks."""
        return _answered(provider(), incident_id, _person(request, answer), answer, yes=False)

    @router.post("/incidents/{incident_id}/cancel", responses=refusals)
    def cancel(incident_id: IncidentId, request: Request, why: Reason | None = None) -> Incident:
        """Cancel what has not begun."""
        said = why.reason if why else ""
        return provider().cancel(incident_id, by=_person(request, why), comment=said)

    @router.post("/incidents/{incident_id}/retry", responses=refusals)
    def retry(incident_id: IncidentId, request: Request, why: Reason | None = None) -> Incident:
        """Begin the next attempt."""
        said = why.reason if why else ""
        return provider().retry(incident_id, by=_person(request, why), comment=said)

    @router.post("/incidents/{incident_id}/prove", responses=refusals)
    def prove(incident_id: IncidentId, request: Request) -> Proof:
        """Run the stored proof again."""
        _holder(request)
        return provider().prove(incident_id)

    @router.post("/changes", status_code=202, responses=refusals)
    def changes(change: ReportedChange, request: Request) -> dict[str, str]:
        """CI reports a deploy, flag or configuration change."""
        record = Change(**{**change.model_dump(exclude={"target"}), "files": tuple(change.files)})
        provider().report_change(record, target=change.target, by=_holder(request))
        return {"stored": change.id}

    return router


def _answered(service: Service, incident_id: str, by: str, answer: Answer | None, *, yes: bool) -> Approval:
    given = answer or Answer()
    return service.decide(incident_id, yes=yes, by=by, subject=given.subject, comment=given.comment)


def _controls(provider: Provider) -> APIRouter:
    router = APIRouter(prefix="/control", tags=["controls"])

    @router.post("/start-monitoring")
    def start(request: Request) -> dict[str, bool]:
        """Watch by itself; does nothing when it already does."""
        return {"changed": provider().start_monitoring(by=_caller(request).name), "monitoring": True}

    @router.post("/stop-monitoring")
    def stop(request: Request) -> dict[str, bool]:
        """Stop watching; does nothing when it does not watch."""
        return {"changed": provider().stop_monitoring(by=_caller(request).name), "monitoring": False}

    @router.post("/safety-mode")
    def safety(mode: SafetyMode, request: Request) -> dict[str, bool]:
        """Switch safety mode."""
        changed = provider().set_safety_mode(enabled=mode.enabled, by=_operator(request, mode))
        return {"changed": changed, "safety_mode": mode.enabled}

    @router.post("/emergency-stop")
    def emergency(request: Request, why: Reason | None = None) -> dict[str, bool]:
        """No effect outside from now on; a name in ``by`` counts only with the token."""
        reason = why.reason if why else ""
        return {"changed": provider().emergency_stop(by=_operator(request, why), reason=reason), "emergency_stop": True}

    @router.post("/resume")
    def resume(request: Request, who: Said | None = None) -> dict[str, bool]:
        """Lift the emergency stop, and take up what it held."""
        return {"changed": provider().resume(by=_operator(request, who)), "emergency_stop": False}

    return router


def _audit(provider: Provider) -> APIRouter:
    router = APIRouter(prefix="/audit", tags=["audit"])

    @router.get("")
    def trail(
        after: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=5000)] = PAGE,
        incident_id: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9-]{1,64}$")] = None,
    ) -> tuple[Entry, ...]:
        """Audit entries after a number, oldest first."""
        return provider().entries(incident_id=incident_id, after=after, limit=limit)

    @router.get("/verify")
    def verify() -> ChainReport:
        """Check the whole hash chain."""
        return provider().verify_trail()

    return router
