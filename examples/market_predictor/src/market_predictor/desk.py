"""Routes for the people of the desk: trading hours of a day, and what was predicted lately."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from . import calendar
from .predictor import Predictor
from .symbols import UnknownSymbol

MOST_IN_HISTORY = 500


def routes(predictor: Predictor) -> APIRouter:
    """The desk's routes over one predictor."""
    router = APIRouter()

    @router.get("/sessions")
    async def sessions(date: date | None = None) -> dict[str, Any]:
        timezone = predictor.settings.timezone
        day = date or predictor.clock.now().astimezone(calendar.zone(timezone)).date()
        opens, closes = calendar.opens_at(day, timezone), calendar.closes_at(day, timezone)
        return {
            "date": day.isoformat(),
            "trading": closes is not None,
            "holiday": calendar.holiday(day),
            "half_day": calendar.is_half_day(day),
            "opens_at": opens.isoformat() if opens else None,
            "closes_at": closes.isoformat() if closes else None,
        }

    # No async: the journal is a file.
    @router.get("/history")
    def history(symbol: str, limit: Annotated[int, Query(ge=1, le=MOST_IN_HISTORY)] = 50) -> dict[str, Any]:
        try:
            name = predictor.feed.name(symbol)
        except UnknownSymbol as error:
            raise HTTPException(404, f"unknown symbol {symbol[:40]!r}") from error
        return {"symbol": name, "predictions": [asdict(row) for row in predictor.journal.of(name, limit)]}

    return router
