"""Puts the service together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from flight_recorder import FlightRecorder, JsonLines, LineFile

from . import __version__
from .api import measure, routes
from .metrics import Metrics
from .predictor import Predictor
from .settings import Settings

logger = logging.getLogger("market_predictor")


def create(settings: Settings) -> FastAPI:
    """The application over one set of settings."""
    predictor = Predictor(settings)
    metrics = Metrics(predictor)
    lines = LineFile(settings.log_file)
    handler = JsonLines(lines, "service", ("market_predictor",))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.info("started: release %s, model %s", settings.commit, predictor.model.version)
        for line in predictor.about_replay():
            logger.info(line)
        yield
        logger.info("stopping")
        logger.removeHandler(handler)
        predictor.journal.close()

    app = FastAPI(title="Market predictor", version=__version__, lifespan=lifespan)
    app.state.predictor = predictor
    app.include_router(routes(predictor, metrics))
    measure(app, metrics)
    app.add_middleware(
        FlightRecorder, file=lines, component="api", replay=predictor.replay_environment, in_app=("market_predictor",)
    )
    return app
