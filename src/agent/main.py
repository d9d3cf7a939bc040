"""``python -m uvicorn src.agent.main:app``: the HTTP application, built when the server starts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from .errors import Unreachable
from .settings import load
from .web.access import ensure_token
from .web.api import create_api
from .web.logs import configure
from .web.service import Service

_running: list[Service] = []


def _service() -> Service:
    if not _running:
        raise Unreachable("the agent is starting: try again in a moment")
    return _running[0]


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    from .app import build

    await run_in_threadpool(ensure_token, _settings)
    agent = await run_in_threadpool(build, _settings)
    agent.start()
    _running.append(agent)
    yield
    _running.clear()
    await run_in_threadpool(agent.stop)


_settings = load()
configure("DEBUG" if _settings.debug else _settings.log_level, _settings.secrets)
app = create_api(_service, _settings, _lifespan)
