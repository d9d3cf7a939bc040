"""Puts the service together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from flight_recorder import FlightRecorder, JsonLines, LineFile

from . import __version__, desk
from .api import measure, routes
from .feed import FeedUnavailable
from .metrics import Metrics
from .predictor import Predictor
from .scheduler import Job, Scheduler
from .settings import Settings

logger = logging.getLogger("market_predictor")


async def _no_bars(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503)


def create(settings: Settings) -> FastAPI:
    """The application over one set of settings."""
    predictor = Predictor(settings)
    metrics = Metrics(predictor)
    scheduler = Scheduler(jobs(predictor), metrics.job_succeeded, metrics.job_failed)
    lines = LineFile(settings.log_file)
    handler = JsonLines(lines, "service", ("market_predictor",))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.info("started: release %s, model %s", settings.commit, predictor.model.version)
        for line in predictor.about_replay():
            logger.info(line)
        scheduler.start()
        yield
        scheduler.stop()
        logger.info("stopping")
        logger.removeHandler(handler)
        predictor.close()

    app = FastAPI(title="Market predictor", version=__version__, lifespan=lifespan)
    app.state.predictor = predictor
    app.add_exception_handler(FeedUnavailable, _no_bars)
    app.include_router(routes(predictor, metrics))
    app.include_router(desk.routes(predictor))
    measure(app, metrics)
    app.add_middleware(
        FlightRecorder, file=lines, component="api", replay=predictor.replay_environment, in_app=("market_predictor",)
    )
    return app


def jobs(predictor: Predictor) -> list[Job]:
    """What is done in the background."""
    found = [
        Job("settle scores", 1.0, lambda: predictor.scorer.settle(predictor.clock.now())),
        Job("trim the journal", 60.0, predictor.journal.trim),
    ]
    if (cache := predictor.exchange) is not None:
        found.append(Job("warm the cache", predictor.settings.warm_seconds, lambda: cache.warm(predictor.clock.now())))
    return found
