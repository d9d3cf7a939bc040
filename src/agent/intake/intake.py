"""The one door for alerts. Episodes do not depend on the order of deliveries, nor do the active incidents (ADR 4)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from urllib.parse import unquote_plus

from ..errors import Busy
from ..kit.redact import fence
from ..model.alert import Alert, Episode
from ..model.incident import Incident, Outcome, Phase
from ..model.target import Target
from ..ports import Clock, Transaction, UnitOfWork

Key = tuple[str, datetime]
Group = TypeVar("Group", str, str | None)
UNASSIGNED = "unassigned"
MOST_UNRESOLVED = 2_000
"""Unresolved episodes of one active incident: all have to resolve before it is over, so none is dropped; the next
is refused, and sent again by who sent it."""
MOST_RESOLVED = 2_000
"""Resolved episodes that one incident keeps; older ones are counted only."""
HANDFUL = 5
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
    """Stores alerts as episodes and opens or joins incidents, in one transaction and with few statements."""

    def __init__(
        self, work: UnitOfWork, targets: Mapping[str, Target], clock: Clock, new_id: Callable[[datetime], str]
    ) -> None:
        self._work, self._targets, self._clock, self._new_id = work, targets, clock, new_id
        self._full: set[str] = set()

    def accept(self, alerts: tuple[Alert, ...], *, source: str, raw: str | None = None) -> tuple[str, ...]:
        """Store the delivery as it came and its alerts, then return the ids of the incidents they belong to.

        Raises `Busy` when an incident has no room for some: all others are stored, and the same may be sent again.
        """
        with self._work.begin() as tx:
            if raw is not None:
                tx.put_delivery(raw, source)
            known = {each.key: each for each in tx.known_episodes({(a.fingerprint, a.starts_at) for a in alerts})}
            merged = self._merge(alerts, known, source)
            settled = [each for each in merged if each.resolved or each.incident_id is not None]
            tx.save_episodes([each for each in settled if each != known.get(each.key)])
            over = [each for each in settled if each.resolved and not (each.key in known and known[each.key].resolved)]
            for incident_id, group in _grouped(over, lambda each: each.incident_id).items():
                self._tell(tx, group, source, incident_id)
            fresh = [each for each in merged if not each.resolved and each.incident_id is None]
            joined = [self._join(tx, group, source) for group in _grouped(fresh, lambda each: each.target).values()]
            for incident_id in _incidents(over):
                self._when_over(tx, incident_id)
        taken = [each for group in joined for each in group]
        if len(taken) < len(fresh):
            count = len(fresh) - len(taken)
            raise Busy(
                f"no room for {count} alerts, {MOST_UNRESOLVED} of their incident are unresolved: send them again"
            )
        return _incidents([*settled, *taken])

    def _merge(self, alerts: tuple[Alert, ...], known: Mapping[Key, Episode], source: str) -> list[Episode]:
        """The episodes of a delivery, each with all that is known of it."""
        merged: dict[Key, Episode] = {}
        for alert in alerts:
            key = alert.fingerprint, alert.starts_at
            before = merged.get(key) or known.get(key)
            merged[key] = self._new_episode(alert, source) if before is None else before.absorb(alert)
        return list(merged.values())

    def _join(self, tx: Transaction, fresh: list[Episode], source: str) -> list[Episode]:
        """One target's new episodes join its active incident, or open one; those without room are left out."""
        incident = tx.active_incident(fresh[0].target)
        if incident is not None and incident.outcome is not None:
            return self._wait(tx, fresh, source, incident)
        room = MOST_UNRESOLVED if incident is None else max(0, MOST_UNRESOLVED - tx.unresolved(incident.id))
        taken = fresh[:room]
        self._tell(tx, taken[:1], source, None if incident is None else incident.id)
        if incident is None:
            incident = self._open(tx, fresh[0])
        elif incident.all_resolved:
            incident = incident.model_copy(update={"all_resolved": False})
            tx.save(incident)
        self._tell(tx, taken[1:], source, incident.id)
        self._tell_full(tx, incident, len(fresh) - len(taken))
        joined = [each.model_copy(update={"incident_id": incident.id}) for each in taken]
        tx.save_episodes(joined)
        return joined

    def _wait(self, tx: Transaction, fresh: list[Episode], source: str, ending: Incident) -> list[Episode]:
        """What comes while an incident is ending waits for the next one (`admit`)."""
        waiting = {each.key for each in tx.waiting(ending.target)}
        new = [each for each in fresh if each.key not in waiting][: max(0, MOST_UNRESOLVED - len(waiting))]
        self._tell(tx, new, source, None)
        tx.save_episodes(new)
        kept = waiting | {each.key for each in new}
        return [each for each in fresh if each.key in kept]

    def admit(self, tx: Transaction, target: str) -> None:
        """Open the next incident for alerts that came while a target's last one was ending, if there are any."""
        waiting = list(tx.waiting(target))
        if waiting:
            incident = self._open(tx, waiting[0])
            tx.save_episodes([each.model_copy(update={"incident_id": incident.id}) for each in waiting])

    def _tell(self, tx: Transaction, episodes: Sequence[Episode], source: str, incident_id: str | None) -> None:
        """A handful of alerts one by one, the others together: a storm does not bury what else the trail says."""
        for episode in episodes[:HANDFUL]:
            tx.append(
                "alert.received",
                f"{episode.alert.name} {'resolved' if episode.resolved else 'firing'} ({source})",
                incident_id=incident_id,
                data={"fingerprint": episode.fingerprint, "target": episode.target, "signal": episode.signal},
            )
        rest = episodes[HANDFUL:]
        if rest:
            resolved = sum(episode.resolved for episode in rest)
            tx.append(
                "alerts.received",
                f"{len(rest)} more alerts, {len(rest) - resolved} firing and {resolved} resolved ({source})",
                incident_id=incident_id,
                data={
                    "firing": len(rest) - resolved,
                    "resolved": resolved,
                    "names": dict(Counter(episode.alert.name for episode in rest).most_common(HANDFUL)),
                },
            )

    def _tell_full(self, tx: Transaction, incident: Incident, refused: int) -> None:
        """Say once, not with every repetition, that an incident takes no more alerts for now."""
        if not refused:
            self._full.discard(incident.id)
        elif incident.id not in self._full:
            self._full.add(incident.id)
            tx.append(
                "alerts.held",
                f"{MOST_UNRESOLVED} alerts of this incident are unresolved: {refused} more, and what else comes, are "
                "refused as busy until some resolve; their sender sends them again",
                incident_id=incident.id,
                data={"refused": refused},
            )

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

    def _when_over(self, tx: Transaction, incident_id: str) -> None:
        """Of an incident's resolved episodes the newest are kept, the others counted."""
        incident = tx.incident(incident_id)
        forgotten = tx.forget_resolved(incident_id, MOST_RESOLVED)
        if forgotten:
            incident = incident.model_copy(update={"episodes_forgotten": incident.episodes_forgotten + forgotten})
            tx.save(incident)
        self._all_resolved(tx, incident)

    def _all_resolved(self, tx: Transaction, incident: Incident) -> None:
        """Tell the incident when its last alert has resolved; what it does about that is the workflow's."""
        if not incident.active or incident.all_resolved or tx.unresolved(incident.id):
            return
        update: dict[str, object] = {"all_resolved": True}
        if not incident.begun and incident.outcome is None:
            reason = "every alert resolved before the investigation began"
            update |= {"phase": Phase.CLOSED, "outcome": Outcome.RECOVERED, "reason": reason, "turn": incident.turn + 1}
            update |= {"closed_at": self._clock.now()}
        waits = incident.phase is Phase.MITIGATE and incident.waiting == "approval"
        if waits:  # what is asked for may be needed no longer
            update |= {"turn": incident.turn + 1, "waiting": None, "wake_at": None}
        told = incident.model_copy(update=update)
        tx.save(told)
        if waits:
            tx.enqueue(told)
        tx.append("alerts.resolved", "every alert of this incident has resolved", incident_id=incident.id)

    def _new_episode(self, alert: Alert, source: str) -> Episode:
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
            source=source,
        )

    def _target(self, alert: Alert) -> Target | None:
        return next((target for target in self._targets.values() if matches(target, alert)), None)


def _grouped(episodes: Sequence[Episode], by: Callable[[Episode], Group]) -> dict[Group, list[Episode]]:
    groups: dict[Group, list[Episode]] = {}
    for episode in episodes:
        groups.setdefault(by(episode), []).append(episode)
    return groups


def _incidents(episodes: Sequence[Episode]) -> tuple[str, ...]:
    """The incidents they belong to, each once."""
    return tuple(dict.fromkeys(episode.incident_id for episode in episodes if episode.incident_id is not None))


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
