"""``python -m uvicorn src.agent.main:app``: the HTTP application, built when the server starts."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from .errors import Misconfigured, Unreachable
from .settings import Settings, load
from .web.access import ensure_token
from .web.api import create_api
from .web.logs import configure
from .web.service import Service


class Served:
    """An ASGI application that reads the settings at the server's first event, never when it is imported."""

    def __init__(self) -> None:
        self._api: FastAPI | None = None
        self._agent: Service | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Build the application when there is none, then pass on. A wrong setting is told in one sentence."""
        if self._api is None:
            try:
                self._api = self._built(load())
            except Misconfigured as error:
                if scope["type"] != "lifespan":
                    raise
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
        await self._api(scope, receive, send)

    def _built(self, settings: Settings) -> FastAPI:
        configure("DEBUG" if settings.debug else settings.log_level, settings.secrets)
        for each in settings.without_effect:
            logging.getLogger(__name__).warning(each)

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            from .app import build

            await run_in_threadpool(ensure_token, settings)
            agent = await run_in_threadpool(build, settings)
            agent.start()
            self._agent = agent
            yield
            self._agent = None
            await run_in_threadpool(agent.stop)

        return create_api(self._service, settings, lifespan)

    def _service(self) -> Service:
        if self._agent is None:
            raise Unreachable("the agent is starting: try again in a moment")
        return self._agent


app = Served()
