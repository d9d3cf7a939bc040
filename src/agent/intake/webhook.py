"""Takes Alertmanager's deliveries: kept as they came, digested, and completed when Alertmanager cut them."""

from __future__ import annotations

import json

from ..errors import AgentError
from ..ports import Intake, Trail
from .alertmanager import Delivery, MalformedPayload, alerts_of, check
from .reread import Alertmanager


class Webhook:
    """The door that `POST /webhook/alerts` leads to; without ``alertmanager`` what was cut can only be noted."""

    def __init__(self, intake: Intake, trail: Trail, alertmanager: Alertmanager | None) -> None:
        self._intake, self._trail, self._alertmanager = intake, trail, alertmanager

    def accept(self, data: object, *, source: str) -> tuple[int, tuple[str, ...]]:
        """How many alerts came, and whose incidents they are; stored on return.

        Raises `MalformedPayload` for no delivery, or one without a single good alert among bad ones.
        """
        delivery = check(data)
        alerts, refused = alerts_of(delivery)
        if refused and not alerts:
            raise MalformedPayload(refused[0])
        if refused:
            self._trail.append("alerts.refused", f"{len(refused)} alerts of a delivery were refused: {refused[0]}")
        ids = self._intake.accept(alerts, source=source, raw=json.dumps(data))
        if delivery.truncatedAlerts:
            ids = tuple(dict.fromkeys((*ids, *self._complete(delivery))))
        return len(alerts), ids

    def _complete(self, delivery: Delivery) -> tuple[str, ...]:
        """Read what fires from Alertmanager itself, or say why that could not be done."""
        said = f"Alertmanager left {delivery.truncatedAlerts} alerts out of a delivery"
        if self._alertmanager is None:
            self._trail.append("alerts.truncated", f"{said}: set ALERTMANAGER_URL, so that they can be read from it")
            return ()
        try:
            alerts = self._alertmanager.firing(delivery.receiver)
        except AgentError as error:
            self._trail.append("alerts.truncated", f"{said}, and they could not be read from it: {error}")
            return ()
        self._trail.append("alerts.truncated", f"{said}; {len(alerts)} firing ones were read from it")
        return self._intake.accept(alerts, source="alertmanager, read again")
