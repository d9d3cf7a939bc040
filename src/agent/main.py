"""``python -m uvicorn src.agent.main:app``: the HTTP application, built when the server starts."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from .errors import AgentError, Misconfigured, Unreachable
from .settings import Settings, load
from .web.access import ensure_token
from .web.api import create_api
from .web.logs import configure
from .web.service import Service

if TYPE_CHECKING:
    from .app import App


class Served:
    """An ASGI application that reads the settings at the server's first event, never when it is imported."""

    def __init__(self) -> None:
        self._api: FastAPI | None = None
        self._settings: Settings | None = None
        self._agent: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Build the application when there is none, then pass on. What keeps it from starting is told in one sentence."""
        try:
            if self._settings is None or self._api is None:
                self._settings = load()
                self._api = self._built(self._settings)
            if scope["type"] == "lifespan":
                self._agent = await run_in_threadpool(_started, self._settings)
        except Exception as error:  # whatever it is, the server must end instead of serving without an agent
            if scope["type"] != "lifespan":
                raise
            said = str(error) if isinstance(error, AgentError) else traceback.format_exc()
            await send({"type": "lifespan.startup.failed", "message": said})
            return
        await self._api(scope, receive, send)

    def _built(self, settings: Settings) -> FastAPI:
        configure("DEBUG" if settings.debug else settings.log_level, settings.secrets)
        for each in settings.cautions:
            logging.getLogger(__name__).warning(each)

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            yield
            agent, self._agent = self._agent, None
            if agent is not None:
                await run_in_threadpool(agent.stop)

        return create_api(self._service, settings, lifespan)

    def _service(self) -> Service:
        if self._agent is None:
            raise Unreachable("the agent is starting: try again in a moment")
        return self._agent


def _started(settings: Settings) -> App:
    """The agent at work. Raises `Misconfigured`, with nothing left open."""
    from .app import build

    logging.getLogger(__name__).info(settings.summary)
    ensure_token(settings)
    agent = build(settings)
    try:
        agent.start()
    except Misconfigured:
        agent.stop()
        raise
    return agent


app = Served()
