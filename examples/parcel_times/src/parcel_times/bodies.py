"""Reads what clients send. A request that is wrong is told what is wrong with which field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .estimates import Parcel
from .intake import LONGEST
from .network import Network

LONGEST_ID = 40


class Invalid(Exception):
    """A field is missing or not what it should be."""


def parcel(body: object, network: Network) -> Parcel:
    """A parcel from a JSON object. Raises `Invalid` and `Unknown`."""
    fields = _object(body)
    zone = fields.get("zone")
    if isinstance(zone, bool) or not isinstance(zone, int | float | str):
        raise Invalid("zone must be a number")
    return Parcel(
        depot=network.depot(_text(fields, "depot")),
        zone=network.zone(zone),
        weight_kg=_weight(fields),
        service=network.service(_text(fields, "service") if "service" in fields else "standard"),
        dispatched_at=_moment(fields, "dispatched_at"),
    )


def delivery(body: object, network: Network, now: datetime) -> tuple[str, Parcel, float]:
    """A reported delivery: the parcel's id, the parcel and the minutes it took. Raises `Invalid` and `Unknown`."""
    fields, asked = _object(body), parcel(body, network)
    parcel_id, delivered_at = _text(fields, "parcel_id"), _moment(fields, "delivered_at")
    if len(parcel_id) > LONGEST_ID:
        raise Invalid(f"parcel_id is longer than {LONGEST_ID} characters")
    if delivered_at > now:
        raise Invalid("delivered_at lies in the future")
    took = delivered_at - asked.dispatched_at
    if not 0 < took.total_seconds() <= LONGEST.total_seconds():
        raise Invalid(f"delivered_at must be within {LONGEST.days} days after dispatched_at")
    return parcel_id, asked, took.total_seconds() / 60


def items(body: object, most: int) -> list[Any]:
    """The parcels of a bulk request, unread. Raises `Invalid`."""
    parcels = _object(body).get("parcels")
    if not isinstance(parcels, list):
        raise Invalid("parcels must be a list")
    if len(parcels) > most:
        raise Invalid(f"at most {most} parcels at once, not {len(parcels)}")
    return parcels


def _object(body: object) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise Invalid("a JSON object is expected")
    return body


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Invalid(f"{name} must be a text")
    return value


def _weight(fields: Mapping[str, Any]) -> float:
    value = fields.get("weight_kg")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid("weight_kg must be a number")
    if not math.isfinite(value) or value <= 0:
        raise Invalid("weight_kg must be over 0")
    return float(value)


def _moment(fields: Mapping[str, Any], name: str) -> datetime:
    text = _text(fields, name)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise Invalid(f"{name} needs a time zone: {text[:40]!r}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"{name} must be an ISO 8601 date and time, not {text[:40]!r}") from error
