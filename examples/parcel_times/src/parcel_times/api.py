"""The HTTP routes."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from . import __version__, bodies
from .accuracy import Accuracy
from .bodies import Invalid
from .cache import Cache
from .estimates import Estimate, Estimator
from .hours import NeverOpen
from .metrics import Metrics
from .network import TooHeavy, Unknown, shipped
from .settings import Settings
from .shelf import NoFeatures, Shelf

MOST_AT_ONCE = 100
MOST_BYTES = 256 * 1024
REFUSALS = {Invalid: 422, TooHeavy: 422, NeverOpen: 422, Unknown: 404, NoFeatures: 503}

logger = logging.getLogger("parcel_times.api")


def create(settings: Settings) -> Flask:
    """The application over one set of settings."""
    network = shipped()
    shelf = Shelf(settings.features_file)
    cache: Cache[Estimate] = Cache(settings.cache_entries, settings.cache_seconds)
    estimator = Estimator(network, shelf, cache, settings.least_scans)
    accuracy = Accuracy(settings.accuracy_window)
    metrics = Metrics(shelf, estimator, accuracy, settings.commit)
    app = Flask("parcel_times.api")
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.json.ensure_ascii = False
    app.json.sort_keys = False
    _measure(app, metrics)
    _refuse(app)

    @app.post("/estimates")
    def estimates() -> dict[str, Any]:
        return estimator.estimate(bodies.parcel(request.get_json(), network)).answer()

    @app.post("/estimates/bulk")
    def bulk() -> dict[str, Any]:
        answers = []
        for item in bodies.items(request.get_json(), MOST_AT_ONCE):
            try:
                answers.append(estimator.estimate(bodies.parcel(item, network)).answer())
            except (Invalid, Unknown, TooHeavy) as error:  # one bad parcel does not spoil the others
                answers.append({"error": str(error)})
        known = [answer["minutes"] for answer in answers if "minutes" in answer]
        return {"estimates": answers, "longest_minutes": max(known, default=None)}

    @app.post("/scans")
    def scans() -> tuple[dict[str, Any], int]:
        parcel_id, parcel, took = bodies.delivery(request.get_json(), network, datetime.now(UTC))
        estimate = estimator.estimate(parcel)
        fresh = accuracy.report(parcel_id, took, estimate.minutes, estimate.naive)
        answer = {"parcel_id": parcel_id, "estimated_minutes": estimate.minutes, "took_minutes": round(took, 1)}
        return answer | {"counted": fresh}, 201 if fresh else 200

    @app.get("/health")
    def health() -> dict[str, str]:
        shelf.features()
        return {"status": "ok"}

    @app.get("/status")
    def status() -> dict[str, Any]:
        answer = {
            "service": "parcel-times",
            "version": __version__,
            "commit": settings.commit,
            "depots": {depot.id: depot.name for depot in network.depots.values()},
            "accuracy": asdict(accuracy.score()),
            "cached": len(cache),
        }
        try:
            features = shelf.features()
        except NoFeatures:
            return answer | {"features": None}
        known = {"made_at": features.made_at.isoformat(), "newest_scan": features.newest_scan.isoformat()}
        return answer | {"features": known | {"scans": features.scans, "groups": len(features.groups)}}

    @app.get("/metrics")
    def scrape() -> Response:
        return Response(metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")

    return app


def _measure(app: Flask, metrics: Metrics) -> None:
    """Count and time every request by its route."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "other"
        metrics.requests.labels(route, request.method, str(response.status_code)).inc()
        metrics.seconds.labels(route).observe(time.perf_counter() - g.began)
        return response


def _refuse(app: Flask) -> None:
    """Tell clients in JSON what was wrong. Anything unforeseen is logged by Flask with its traceback, as a 500."""

    def known(error: Exception) -> tuple[dict[str, str], int]:
        status = REFUSALS[type(error)]
        logger.log(logging.INFO if status < 500 else logging.WARNING, "%s %d %s", request.path, status, error)
        return {"error": str(error)}, status

    for kind in REFUSALS:
        app.register_error_handler(kind, known)

    @app.errorhandler(HTTPException)
    def plain(error: HTTPException) -> tuple[dict[str, str], int]:
        return {"error": error.description or error.name}, error.code or 500
