"""The Alertmanager webhook payload, version "4"; strict where it matters, open to fields of newer versions."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import Permanent
from ..kit.redact import redact, redact_values
from ..model.alert import Alert

MOST_ALERTS = 2_000
MOST_LABELS = 64
LONGEST = 4_096
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_FRACTION = re.compile(r"\.(\d{1,6})\d*")
NEVER = 1


class MalformedPayload(Permanent):
    """The body is not an Alertmanager version 4 delivery; the message says where."""


class DeliveredAlert(BaseModel):
    """One alert as Alertmanager writes it."""

    model_config = ConfigDict(extra="ignore")

    status: Literal["firing", "resolved"]
    labels: dict[str, str] = Field(max_length=MOST_LABELS)
    annotations: dict[str, str] = Field(default={}, max_length=MOST_LABELS)
    startsAt: str  # noqa: N815 - Alertmanager's own names
    endsAt: str = ""  # noqa: N815
    generatorURL: str = ""  # noqa: N815
    fingerprint: str = Field(default="", max_length=64)


class Delivery(BaseModel):
    """What Alertmanager posts."""

    model_config = ConfigDict(extra="ignore")

    version: Literal["4"]
    alerts: list[dict[str, object]] = Field(max_length=MOST_ALERTS)
    receiver: str = Field(default="", max_length=LONGEST)
    truncatedAlerts: int = Field(default=0, ge=0, strict=True)  # noqa: N815


def parse(data: object) -> tuple[Alert, ...]:
    """The alerts of one delivery. Raises `MalformedPayload`, also for one bad alert. The group's status is not trusted."""
    alerts, refused = alerts_of(check(data))
    if refused:
        raise MalformedPayload(refused[0])
    return alerts


def check(data: object) -> Delivery:
    """The delivery, if it is one. Raises `MalformedPayload`, which says where it is none."""
    try:
        return Delivery.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise MalformedPayload(f"not an Alertmanager version 4 payload: {where}: {first['msg']}") from error


def alerts_of(delivery: Delivery) -> tuple[tuple[Alert, ...], tuple[str, ...]]:
    """Its alerts, and why others were refused: a bad one costs only itself, for Alertmanager sends nothing again."""
    alerts, refused = [], []
    for index, given in enumerate(delivery.alerts):
        try:
            alerts.append(_alert(DeliveredAlert.model_validate(given)))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in (index, *first["loc"]))
            refused.append(f"not an Alertmanager version 4 payload: alerts.{where}: {first['msg']}")
        except (ValueError, OverflowError) as error:
            refused.append(f"not an Alertmanager version 4 payload: alerts.{index}: {error}")
    return tuple(alerts), tuple(refused)


def _alert(alert: DeliveredAlert) -> Alert:
    labels = {_clean(key): _clean(value) for key, value in alert.labels.items()}
    ends = moment(alert.endsAt) if alert.endsAt else None
    return Alert(
        status=alert.status,
        labels=redact_values(labels),  # the fingerprint stays that of the labels as they came
        annotations={_clean(key): redact(_clean(value)) for key, value in alert.annotations.items()},
        starts_at=_required(alert.startsAt),
        ends_at=None if alert.status == "firing" else ends,
        generator_url=redact(_clean(alert.generatorURL)),
        fingerprint=_clean(alert.fingerprint) or fingerprint(labels),
    )


def _required(text: str) -> datetime:
    found = moment(text)
    if found is None:
        raise ValueError(f"startsAt {text[:40]!r} is no time")
    return found


def _clean(text: str) -> str:
    return _CONTROL.sub("", text)[:LONGEST]


def moment(text: str) -> datetime | None:
    """RFC 3339 with any number of fraction digits; None for Go's zero time. Raises ValueError."""
    found = datetime.fromisoformat(
        _FRACTION.sub(lambda match: "." + match[1].ljust(6, "0"), text.replace("Z", "+00:00"))
    )
    if found.year <= NEVER:
        return None
    if found.tzinfo is None:
        raise ValueError(f"{text[:40]!r} has no time zone")
    return found.astimezone(UTC)


def fingerprint(labels: dict[str, str]) -> str:
    """Sixteen hex digits from the sorted labels, for senders that give no fingerprint."""
    text = "\xff".join(f"{key}\xff{value}" for key, value in sorted(labels.items()))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
