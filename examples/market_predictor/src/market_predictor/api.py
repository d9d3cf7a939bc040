"""The HTTP routes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from . import __version__
from .feed import TooFewBars
from .journal import Prediction
from .metrics import Metrics
from .model import HorizonUnavailable
from .predictor import Predictor
from .registry import NoSuchModel
from .symbols import UnknownSymbol

MOST_IN_BATCH = 50


class Wanted(BaseModel):
    """One item of a batch; ``horizon`` in market hours."""

    symbol: str
    horizon: int = 1


class Batch(BaseModel):
    """Several predictions at once."""

    requests: list[Wanted] = Field(max_length=MOST_IN_BATCH)


class QuarantineOrder(BaseModel):
    """Serve the naive forecast for ``scope`` (a symbol or *) for a while."""

    scope: str = "*"
    reason: str = Field(min_length=3, max_length=500)
    expires_in_seconds: float = Field(gt=0, le=86_400)


def answer(prediction: Prediction) -> dict[str, Any]:
    """A prediction as clients see it."""
    return {
        "id": prediction.id,
        "symbol": prediction.symbol,
        "as_of": prediction.as_of,
        "horizon": prediction.horizon,
        "value": prediction.value,
        "naive": prediction.naive,
        "method": prediction.method,
        "quarantined": prediction.method == "naive",
        "model_version": prediction.model_version,
        "release": prediction.release,
    }


def routes(predictor: Predictor, metrics: Metrics) -> APIRouter:
    """All routes over one predictor."""
    router = APIRouter()

    async def off_loop(work: Callable[..., Any], *args: Any) -> Any:
        """Where bars may be waited for, work in a thread; else at once, which is faster."""
        return await run_in_threadpool(work, *args) if predictor.exchange else work(*args)

    def predict_one(symbol: str, horizon: int) -> dict[str, Any]:
        try:
            prediction = predictor.predict(symbol, horizon)
        except UnknownSymbol as error:
            raise HTTPException(404, f"unknown symbol {symbol[:40]!r}") from error
        except HorizonUnavailable as error:
            raise HTTPException(422, str(error)) from error
        except TooFewBars as error:
            raise HTTPException(409, f"no bar yet: {error}") from error
        note = predictor.note(prediction)
        return answer(prediction) | ({"note": note} if note else {})

    def predict_all(wanted: list[Wanted]) -> list[dict[str, Any]]:
        return [predict_one(item.symbol, item.horizon) for item in wanted]

    @router.get("/health")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "model": predictor.model.version}

    @router.get("/status")
    async def status() -> dict[str, Any]:
        predictor.settle()
        age = predictor.data_age()
        return {
            "service": "market-predictor",
            "version": __version__,
            "commit": predictor.settings.commit,
            "market_time": predictor.clock.now().isoformat(),
            "hours_per_second": predictor.settings.hours_per_second,
            "seed": predictor.settings.seed,
            "symbols": predictor.symbols(),
            "replay": predictor.replay(),
            "feed": predictor.about_feed(),
            "model": {"version": predictor.model.version, "trained_at": predictor.model.trained_at},
            "candidates": predictor.registry.versions(),
            "score": asdict(predictor.scorer.score()),
            "data_age_seconds": age.total_seconds() if age is not None else None,
            "quarantine": [asdict(order) for order in predictor.quarantine.orders()],
        }

    @router.get("/predict")
    async def predict(symbol: str, horizon: int | None = None) -> dict[str, Any]:
        return await off_loop(predict_one, symbol, predictor.settings.default_horizon if horizon is None else horizon)

    @router.post("/predict/batch")
    async def predict_batch(batch: Batch) -> dict[str, Any]:
        answers = await off_loop(predict_all, batch.requests)
        return {"predictions": answers}

    @router.post("/retrain", status_code=201)
    def retrain() -> dict[str, Any]:
        from .training import RETRAIN_HOURS, train

        now = predictor.clock.now()
        version = f"c{now:%Y%m%d%H%M}-{int(time.time()) % 100_000}"
        try:
            model = train(predictor.feed, now, version, predictor.settings.timezone, RETRAIN_HOURS)
        except TooFewBars as error:
            raise HTTPException(409, str(error)) from error
        predictor.registry.add(model)
        return {"candidate": version, "symbols": sorted(model.coefficients), "serving": predictor.model.version}

    @router.post("/models/{version}/promote")
    async def promote(version: str) -> dict[str, Any]:
        try:
            predictor.serve(predictor.registry.promote(version))
        except NoSuchModel as error:
            raise HTTPException(404, f"no candidate {version[:40]!r}") from error
        return {"serving": predictor.model.version}

    @router.post("/quarantine", status_code=201)
    async def quarantine(order: QuarantineOrder) -> dict[str, Any]:
        try:
            scope = order.scope if order.scope == "*" else predictor.feed.name(order.scope)
        except UnknownSymbol as error:
            raise HTTPException(404, f"unknown symbol {order.scope[:40]!r}") from error
        return asdict(predictor.quarantine.impose(scope, order.reason, order.expires_in_seconds))

    @router.get("/metrics")
    async def scrape() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def measure(app: FastAPI, metrics: Metrics) -> None:
    """Count and time every request by its route."""

    @app.middleware("http")
    async def timed(request: Request, forward: Callable[[Request], Awaitable[Response]]) -> Response:
        began, status = time.perf_counter(), 500
        try:
            response = await forward(request)
            status = response.status_code
            return response
        finally:
            route = getattr(request.scope.get("route"), "path", "other")
            metrics.requests.labels(route, request.method, str(status)).inc()
            metrics.latency.labels(route).observe(time.perf_counter() - began)
            if status >= 500:
                metrics.errors.labels(route).inc()
