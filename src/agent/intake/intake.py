"""The one door for alerts. Episodes do not depend on the order of deliveries, nor do the active incidents (ADR 4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import unquote_plus

from ..kit.redact import fence
from ..model.alert import Alert, Episode
from ..model.incident import Incident, Outcome, Phase
from ..model.target import Target
from ..ports import Clock, Transaction, UnitOfWork

UNASSIGNED = "unassigned"
SIGNALS = ("down", "error_ratio", "latency_p95", "mae_ratio", "data_age", "memory_growth")


def _words(*words: str) -> re.Pattern[str]:
    """Any of the words, as a whole word."""
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(words)})(?![a-z0-9])", re.IGNORECASE)


_WORDS = (
    ("mae_ratio", _words("mae", r"prediction\W?errors?", "directional", "drift")),
    ("latency_p95", _words("latency", "latencies", "duration", "slow", r"p9\d", "quantile")),
    ("data_age", _words("stale", r"data\W?age", "freshness", "lag", "lagging")),
    ("memory_growth", _words("memory", "rss", "leak", "leaking", "oom")),
    ("error_ratio", _words("errors?", r"5xx", r"5\.\.", "failures?", "failing", "failed", "exceptions?")),
    ("down", _words("down", "absent", "unreachable", "unhealthy", r"up *(?:\{[^}]*\})? *== *0")),
)


class AlertIntake:
    """Stores alerts as episodes and opens or joins incidents, in one transaction."""

    def __init__(
        self, work: UnitOfWork, targets: Mapping[str, Target], clock: Clock, new_id: Callable[[datetime], str]
    ) -> None:
        self._work, self._targets, self._clock, self._new_id = work, targets, clock, new_id

    def accept(self, alerts: tuple[Alert, ...], *, source: str, raw: str | None = None) -> tuple[str, ...]:
        """Store the delivery as it came and its alerts, then return the ids of the incidents they belong to."""
        ids: dict[str, None] = {}
        with self._work.begin() as tx:
            if raw is not None:
                tx.put_delivery(raw, source)
            for alert in alerts:
                incident_id = self._take(tx, alert, source)
                if incident_id is not None:
                    ids[incident_id] = None
            for incident_id in ids:
                self._all_resolved(tx, incident_id)
        return tuple(ids)

    def admit(self, tx: Transaction, target: str) -> None:
        """Open the next incident for alerts that came while a target's last one was ending, if there are any."""
        for episode in tx.waiting(target):
            tx.save_episode(self._attach(tx, episode))

    def _take(self, tx: Transaction, alert: Alert, source: str) -> str | None:
        known = tx.episode(alert.fingerprint, alert.starts_at)
        episode = known.absorb(alert) if known is not None else self._new_episode(alert)
        if known is None or (episode.resolved and not known.resolved):
            joins = None if episode.resolved else tx.active_incident(episode.target)
            tx.append(
                "alert.received",
                f"{alert.name} {'resolved' if episode.resolved else 'firing'} ({source})",
                incident_id=joins.id if joins is not None else episode.incident_id,
                data={"fingerprint": alert.fingerprint, "target": episode.target, "signal": episode.signal},
            )
        if episode.resolved:
            tx.save_episode(episode)
            return episode.incident_id
        if episode.incident_id is None:
            episode = self._attach(tx, episode)
        tx.save_episode(episode)
        return episode.incident_id

    def _attach(self, tx: Transaction, episode: Episode) -> Episode:
        """Join the target's active incident, or open one; while one is ending the alert waits for the next (`admit`)."""
        incident = tx.active_incident(episode.target)
        if incident is None:
            incident = self._open(tx, episode)
        elif incident.outcome is not None:
            return episode
        elif incident.all_resolved:
            incident = incident.model_copy(update={"all_resolved": False})
            tx.save(incident)
        return episode.model_copy(update={"incident_id": incident.id})

    def _open(self, tx: Transaction, episode: Episode) -> Incident:
        now = self._clock.now()
        incident = Incident(
            id=self._new_id(now),
            target=episode.target,
            component=episode.component,
            signal=episode.signal,
            title=fence(f"{episode.alert.name} on {episode.target}", 120),
            phase=Phase.INVESTIGATE,
            opened_at=now,
        )
        tx.save(incident)
        tx.append(
            "incident.opened",
            f"{incident.title}: {fence(episode.alert.annotations.get('summary', ''), 300)}",
            incident_id=incident.id,
            data={"target": incident.target, "signal": incident.signal, "starts_at": episode.starts_at.isoformat()},
        )
        tx.enqueue(incident)
        return incident

    def _all_resolved(self, tx: Transaction, incident_id: str) -> None:
        """Tell the incident when its last alert has resolved; what it does about that is the workflow's."""
        incident = tx.incident(incident_id)
        if not incident.active or incident.all_resolved or tx.unresolved(incident.id):
            return
        update: dict[str, object] = {"all_resolved": True}
        if not incident.begun:
            reason = "every alert resolved before the investigation began"
            update |= {"phase": Phase.CLOSED, "outcome": Outcome.RECOVERED, "reason": reason, "turn": incident.turn + 1}
            update |= {"closed_at": self._clock.now()}
        tx.save(incident.model_copy(update=update))
        tx.append("alerts.resolved", "every alert of this incident has resolved", incident_id=incident.id)

    def _new_episode(self, alert: Alert) -> Episode:
        target = self._target(alert)
        labels = target.component_labels if target is not None else ("component", "service", "job")
        return Episode(
            fingerprint=alert.fingerprint,
            starts_at=alert.starts_at,
            target=target.name if target is not None else UNASSIGNED,
            component=next((alert.labels[name] for name in labels if alert.labels.get(name)), "service"),
            signal=signal_of(alert),
            alert=alert,
            resolved=alert.status == "resolved",
            ends_at=alert.ends_at,
        )

    def _target(self, alert: Alert) -> Target | None:
        return next((target for target in self._targets.values() if matches(target, alert)), None)


def matches(target: Target, alert: Alert) -> bool:
    """All matchers equal; a target without matchers goes by its name in ``target``, ``service`` or ``job``."""
    if target.matchers:
        return all(alert.labels.get(name) == value for name, value in target.matchers.items())
    return target.name in {alert.labels.get(name) for name in ("target", "service", "job")}


def signal_of(alert: Alert) -> str:
    """The signal an alert speaks of: its ``signal`` label, else a guess from its name, then from its expression."""
    named = alert.labels.get("signal", "")
    if named in SIGNALS:
        return named
    expression = unquote_plus(alert.generator_url).partition("expr=")[2].partition("&g0.")[0]
    for text in (_spaced(alert.name), expression.replace("_", " ")):
        for signal, words in _WORDS:
            if words.search(text):
                return signal
    return "unknown"


def _spaced(name: str) -> str:
    """``HighErrorRate5xx`` as words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z])(?=[0-9])|_", " ", name)
