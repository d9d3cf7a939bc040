"""What Prometheus says of itself: which rules fire on what, and how its scrapes of the targets go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from ..kit.redact import fence, redact_values
from ..model.alert import Alert
from ..model.record import Json
from ..model.sources import Fact
from ..model.target import Target
from .api import Api
from .naming import selecting

SOURCE: Final = "prometheus"
MOST_FACTS: Final = 10
MOST_METADATA: Final = 3_000
LONGEST: Final = 400


@dataclass(frozen=True)
class Scraped:
    """One scrape target as Prometheus knows it."""

    labels: Mapping[str, str]
    places: frozenset[str]
    healthy: bool
    error: str
    since: str
    interval: float | None


@dataclass(frozen=True)
class Surroundings:
    """Rules, scrape targets, and the type of each metric; empty where the server does not tell."""

    rules: tuple[Mapping[str, Any], ...] = ()
    scraped: tuple[Scraped, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)

    def expression(self, alertname: str) -> str | None:
        """What the rule of this name asks."""
        found = (rule.get("query") for rule in self.rules if rule.get("name") == alertname)
        return next((text for text in found if isinstance(text, str)), None)

    def scraped_as(self, target: Target) -> list[dict[str, str]]:
        """The labels under which the target's own address is scraped."""
        place = urlsplit(target.url).netloc.rpartition("@")[2]
        keep = ("job", "instance")
        return [
            {key: one.labels[key] for key in keep if key in one.labels} for one in self.scraped if place in one.places
        ]

    def scrape_seconds(self, target: Target) -> float | None:
        """How often the target is scraped; where it is not known, how often any is, the rarest."""
        place = urlsplit(target.url).netloc.rpartition("@")[2]
        own = [one.interval for one in self.scraped if place in one.places and one.interval]
        return max(own or [one.interval for one in self.scraped if one.interval], default=None)

    def facts(self, target: Target, alerts: Sequence[Alert]) -> list[Fact]:
        """Rules that fire, rules that are broken, and scrapes that fail: of the target first."""
        selected = [set(selecting(alert, target).items()) for alert in alerts]
        place = urlsplit(target.url).netloc.rpartition("@")[2]
        down = [one for one in self.scraped if not one.healthy]
        down.sort(
            key=lambda one: not (place in one.places or any(labels & set(one.labels.items()) for labels in selected))
        )
        return [*map(_of_scrape, down[:MOST_FACTS]), *self._of_rules()]

    def _of_rules(self) -> list[Fact]:
        found = []
        for rule in self.rules:
            name, query = str(rule.get("name")), str(rule.get("query"))
            if rule.get("state") in ("firing", "pending"):
                alerts = rule.get("alerts")
                count = len(alerts) if isinstance(alerts, list) else 0
                summary = f"rule {name} is {rule['state']} ({count} alerts): {query}"
                data: Json = {"rule": fence(name, LONGEST), "state": str(rule["state"]), "alerts": count}
                found.append(Fact(SOURCE, "rule", fence(summary, LONGEST), data))
            if rule.get("health") == "err":
                summary = f"rule {name} cannot be evaluated: {rule.get('lastError')}"
                found.append(Fact(SOURCE, "rule", fence(summary, LONGEST)))
        return found[:MOST_FACTS]


def look_around(api: Api) -> Surroundings:
    """Ask for all three at once."""
    asked = (
        ("/api/v1/rules", {"type": "alert"}, "its rules"),
        ("/api/v1/targets", {"state": "active"}, "its scrape targets"),
        ("/api/v1/metadata", {"limit": MOST_METADATA}, "its metadata"),
    )
    with ThreadPoolExecutor(len(asked), thread_name_prefix=SOURCE) as pool:
        rules, targets, metadata = pool.map(lambda one: api.get(*one), asked)
    groups = _list(rules, "groups")
    found = [rule for group in groups for rule in _list(group, "rules") if rule.get("type") == "alerting"]
    return Surroundings(tuple(found), tuple(map(_scraped, _list(targets, "activeTargets"))), _types(metadata))


def _list(value: Any, name: str) -> list[Mapping[str, Any]]:
    inside = value.get(name) if isinstance(value, dict) else None
    return [one for one in inside if isinstance(one, dict)] if isinstance(inside, list) else []


def _types(metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, dict):
        return {}
    told = {name: entries[0] for name, entries in metadata.items() if isinstance(entries, list) and entries}
    return {name: str(one.get("type")) for name, one in told.items() if isinstance(one, dict)}


def _scraped(item: Mapping[str, Any]) -> Scraped:
    labels = item.get("labels")
    urls = (str(item.get(name) or "") for name in ("scrapeUrl", "globalUrl"))
    return Scraped(
        labels={str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {},
        places=frozenset(_place(url) for url in urls) - {""},
        healthy=item.get("health") != "down",
        error=str(item.get("lastError") or ""),
        since=str(item.get("lastScrape") or ""),
        interval=_seconds(item.get("scrapeInterval")),
    )


def _place(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _of_scrape(one: Scraped) -> Fact:
    where = ", ".join(f"{key}={value}" for key, value in sorted(redact_values(one.labels).items()))
    summary = fence(f"the scrape of {where} fails: {one.error} (last tried {one.since})", LONGEST)
    labels: Json = {fence(key, 100): fence(value, 200) for key, value in one.labels.items()}
    return Fact(SOURCE, "scrape", summary, labels)


def _seconds(text: Any) -> float | None:
    """A duration as Prometheus prints it, such as ``1m30s`` or ``500ms``; None for anything else."""
    from promql_parser import parse_duration

    try:
        return float(parse_duration(text).total_seconds()) or None
    except (ValueError, TypeError):
        return None
