"""Gathers all evidence of an incident in parallel; a source that is down, slow or broken becomes a gap."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from ..errors import AgentError, Unreachable
from ..kit.git import SHA_LENGTH
from ..kit.http import HttpClient
from ..kit.redact import fence, redact_json
from ..model.alert import Episode
from ..model.delivery import Release
from ..model.evidence import Change, Evidence, EvidenceSet, Exchange, Gap, Series
from ..model.incident import Incident
from ..model.record import Json, Window
from ..model.signals import Reading, Scrape, course
from ..model.sources import Fact, Logs, Metrics
from ..model.target import Target
from ..ports import Clock, History, LogSource, MetricSource
from . import logfile
from .history import current_release, deploys

SOURCE_SECONDS = 4.0
BEFORE = timedelta(seconds=120)
AROUND = timedelta(seconds=15)
REPORTED_BEFORE = timedelta(hours=24)
MOST_COMMITS = 60
MOST_POINTS = 600
LONGEST_REASON = 500
ENDPOINT_BYTES = 256 << 10
BASELINE = timedelta(minutes=30)
MOST_SERIES = 60
MOST_FACTS = 12
FAILED_LEVELS = frozenset(("ERROR", "CRITICAL"))


class Scrapes(Protocol):
    """Where scraped series come from: the built-in monitor."""

    def scrapes(self, target: str) -> tuple[Scrape, ...]:
        """What was scraped, oldest first."""
        ...

    def reading(self, target: Target, since: datetime | None = None) -> Reading:
        """Signals over a window."""
        ...


class _Found:
    """Builds up the set while sources come in; ids are given in a fixed order at the end."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, str, str, Json]] = []
        self.gaps: list[Gap] = []

    def take(self, found: object) -> tuple[Series, ...]:
        """What a server of metrics or logs brought; its courses as series, the most telling first."""
        if isinstance(found, Logs):
            self.facts += [(one.source, one.kind, one.summary, one.data) for one in _failures(found)]
        if not isinstance(found, Logs | Metrics):
            return ()
        self.facts += [(one.source, one.kind, one.summary, one.data) for one in found.facts[:MOST_FACTS]]
        self.gaps += found.gaps
        courses = found.courses if isinstance(found, Metrics) else ()
        return tuple(
            Series(
                name=one.metric,
                labels={"component": one.component},
                points=tuple(zip(one.at.tolist(), one.values.tolist(), strict=True)),
            )
            for one in courses[:MOST_SERIES]
        )

    def gap(self, source: str, reason: str) -> None:
        """Name what could not be observed; an error's text may quote anything, a password too."""
        self.gaps.append(Gap(source=source, reason=fence(reason, LONGEST_REASON)))


class EvidenceCollector:
    """Implements `Collector` over the target's endpoints, log file, scraped series, git history and deploys."""

    def __init__(
        self,
        http: HttpClient,
        scrapes: Scrapes,
        history: Callable[[Target], History],
        reported: Callable[[], Sequence[Change]],
        clock: Clock,
        running: Callable[[Target], Release],
        metrics: Sequence[MetricSource] = (),
        logs: Sequence[LogSource] = (),
    ) -> None:
        self._http, self._scrapes, self._history, self._clock = http, scrapes, history, clock
        self._runs = running
        self._reported = reported
        self._metrics, self._logs = metrics, logs

    def collect(self, incident: Incident, target: Target, episodes: tuple[Episode, ...]) -> EvidenceSet:
        """Everything the sources can tell about the incident."""
        began = time.monotonic()
        now = self._clock.now()
        start = min((episode.starts_at for episode in episodes), default=incident.opened_at)
        found = _Found()
        sources: dict[str, Callable[[], object]] = {
            "log": lambda: logfile.read(_required(target), start - AROUND - 2 * BEFORE),
            "health": lambda: self._endpoint(target.url + target.health_path),
            "status": lambda: self._endpoint(target.url + target.status_path),
            "metrics": lambda: self._scrapes.scrapes(target.name),
            "signals": lambda: self._scrapes.reading(target),
            "deploys": lambda: self._deploys(target),
            "process": lambda: self._runs(target),
            **self._servers(target, Window(start=min(start, now) - BASELINE, end=now), episodes),
        }
        results = self._gather(sources, found)
        log: logfile.Log = results.get("log") or logfile.Log((), cut=False)  # type: ignore[assignment]
        if log.cut:
            found.gap("log", "the log is larger than what is read of it: older lines are missing")
        recorded: tuple[Change, ...] = results.get("deploys") or ()  # type: ignore[assignment]
        scrapes: tuple[Scrape, ...] = results.get("metrics") or ()  # type: ignore[assignment]
        status: JsonValue = results.get("status")  # type: ignore[assignment]
        running = self._running(target, status, recorded, found)
        window = _window(start, now, recorded, running)
        before = Window(start=window.start - BEFORE, end=window.start)
        failures, healthy = self._exchanges(log.exchanges, window, before, target, found)
        commits = self._commits(target, running, found)
        self._say_signals(results.get("signals"), episodes, found)
        self._say_deploys(recorded, found)
        _say_process(results.get("process"), found)
        names = [one.name for one in self._metrics] + [one.name for one in self._logs]
        beside = [found.take(results.get(name)) for name in names]
        told = _told(self._reported(), target, window)
        for change in told[:5]:
            found.facts.append(("reports", change.kind, f"{change.title} at {change.timestamp:%H:%M:%S}", {}))
        return EvidenceSet(
            window=window,
            evidence=tuple(
                Evidence(id=f"E{n}", source=source, kind=kind, window=window, summary=summary, data=data)
                for n, (source, kind, summary, data) in enumerate(found.facts, 1)
            ),
            gaps=tuple(found.gaps),
            failing=failures,
            healthy=healthy,
            series=(*_series(scrapes), *(one for some in beside for one in some)),
            alerted_at=start,
            spells=logfile.spells(log.exchanges, failures),
            log_begins=min((exchange.timestamp for exchange in log.exchanges), default=None),
            course=course(scrapes[-MOST_POINTS:], target.metrics, _unasked(target), incident.signal),
            commits=commits,
            deploys=recorded,
            reported=told,
            running=running,
            last_good=_last_good(recorded, running),
            health=results.get("health"),
            status=status,
            seconds=time.monotonic() - began,
        )

    def _servers(self, target: Target, window: Window, episodes: Sequence[Episode]) -> dict[str, Callable[[], object]]:
        """What is asked of each server of metrics and of logs."""
        alerts = [episode.alert for episode in episodes]
        return {
            **{one.name: partial(one.courses, target, window, alerts) for one in self._metrics},
            **{one.name: partial(one.lines, target, window, alerts) for one in self._logs},
        }

    def _gather(self, sources: dict[str, Callable[[], object]], found: _Found) -> dict[str, object]:
        """Run all sources at once; one that raises or is too slow leaves a gap."""
        pool = ThreadPoolExecutor(len(sources), thread_name_prefix="evidence")
        futures: dict[str, Future[object]] = {name: pool.submit(source) for name, source in sources.items()}
        wait(futures.values(), timeout=SOURCE_SECONDS)
        results: dict[str, object] = {}
        for name, future in futures.items():
            if not future.done():
                found.gap(name, f"gave nothing within {SOURCE_SECONDS:.0f} s")
                continue
            error = future.exception()
            if error is None:
                results[name] = future.result()
            else:
                found.gap(name, f"{type(error).__name__}: {error}")
        pool.shutdown(wait=False, cancel_futures=True)
        return results

    def _endpoint(self, url: str) -> JsonValue:
        response = self._http.get(url, timeout=SOURCE_SECONDS - 1, max_bytes=ENDPOINT_BYTES)
        try:
            value: JsonValue = json.loads(response.body)
        except ValueError as error:
            raise Unreachable(f"{url} answered {response.status} with something that is not JSON") from error
        return redact_json(value)

    def _deploys(self, target: Target) -> tuple[Change, ...]:
        if target.release_root is None:
            raise Unreachable("no `release_root` is set for this target, so deploys are not known")
        return deploys(target.release_root / "deployments.ndjson", target.name)

    def _running(self, target: Target, status: JsonValue, recorded: Sequence[Change], found: _Found) -> str | None:
        """What the deployer made current, else what the target says, else the newest deploy on record."""
        said = status.get("commit") if isinstance(status, dict) else None
        claimed = said if isinstance(said, str) and len(said) == SHA_LENGTH else None
        placed = current_release(target.release_root) if target.release_root else None
        known = placed or (recorded[0].commit if recorded else None)
        if claimed and known and claimed != known:
            why = f"the target says it runs {claimed[:10]}, the deployer says {known[:10]}"
            found.gap("release", f"{why}: {(placed or claimed)[:10]} is taken for what runs")
        return placed or claimed or known

    def _exchanges(
        self, exchanges: Sequence[Exchange], window: Window, before: Window, target: Target, found: _Found
    ) -> tuple[tuple[Exchange, ...], tuple[Exchange, ...]]:
        grown = logfile.new_signatures(exchanges, window, before)
        for signature, count, past in grown[:5]:
            where = signature.frames[-1] if signature.frames else "no frame of the target's own"
            summary = f"{signature.exception} in {where}: {count} times, {past} before"
            found.facts.append(("log", "failure", summary, {"signature": signature.fingerprint, "count": count}))
        failures = logfile.failing(exchanges, [signature for signature, _, _ in grown], window)
        return failures, logfile.healthy(exchanges, window, _unasked(target))

    def _commits(self, target: Target, running: str | None, found: _Found) -> tuple[Change, ...]:
        try:
            history = self._history(target)
            return history.commits(running or history.branch_head(), MOST_COMMITS)
        except AgentError as error:
            found.gap("git", str(error))
            return ()

    def _say_signals(self, reading: object, episodes: Sequence[Episode], found: _Found) -> None:
        for episode in episodes[:10]:
            summary = f"{episode.alert.name} since {episode.starts_at:%H:%M:%S}: {episode.alert.annotations.get('summary', '')}"
            found.facts.append(("alert", "alert", summary[:400], {"signal": episode.signal}))
        if isinstance(reading, Reading):
            for signal, value in sorted(reading.signals.items()):
                found.facts.append(
                    ("metrics", "signal", f"{signal} is {value:.4g}", {"signal": signal, "value": value})
                )

    def _say_deploys(self, recorded: Sequence[Change], found: _Found) -> None:
        for change in recorded[:3]:
            found.facts.append(
                ("deploys", "deploy", f"{change.title} at {change.timestamp:%H:%M:%S} by {change.author}", {})
            )


def _required(target: Target) -> Path:
    if target.log_file is None:
        raise Unreachable("no `log_file` is set for this target")
    return target.log_file


def _unasked(target: Target) -> tuple[str, ...]:
    """Routes that no user asks for."""
    return target.health_path, target.status_path, target.metrics_path


def _window(start: datetime, now: datetime, recorded: Sequence[Change], running: str | None) -> Window:
    """From the newest deploy, when the alert began soon after it, else from a little before the alert."""
    deployed = next((change.timestamp for change in recorded if change.commit == running), None)
    begin = start - AROUND
    if deployed is not None and begin - BEFORE < deployed < now:
        begin = deployed
    return Window(start=min(begin, now), end=now)


def _told(reported: Sequence[Change], target: Target, window: Window) -> tuple[Change, ...]:
    """Reported changes of this target, or of nobody in particular, from some time before the window to its end."""
    first = window.start - REPORTED_BEFORE
    fits = (change for change in reported if change.target in (None, target.name))
    return tuple(change for change in fits if first <= change.timestamp <= window.end)


def _last_good(recorded: Sequence[Change], running: str | None) -> str | None:
    """The newest deployed commit before the running one: the last that ran without this alert."""
    newest_first = [change.commit for change in recorded if change.commit]
    after = newest_first[newest_first.index(running) + 1 :] if running in newest_first else newest_first
    return next((commit for commit in after if commit != running), None)


def _series(scrapes: Sequence[Scrape]) -> tuple[Series, ...]:
    """Gauges of the target over time, for charts and bundles."""
    points: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[float, float]]] = {}
    for scrape in scrapes[-MOST_POINTS:]:
        for key, value in scrape.values.items():
            if not key[0].endswith(("_bucket", "_total", "_info")) and math.isfinite(value):
                points.setdefault(key, []).append((scrape.at, value))
    return tuple(Series(name=name, labels=dict(labels), points=tuple(rows)) for (name, labels), rows in points.items())


def _failures(logs: Logs) -> list[Fact]:
    """What the lines say most often of failures."""
    failed = [line for line in logs.lines if line.level in FAILED_LEVELS]
    counts = Counter((line.component, line.message.partition("\n")[0][:LONGEST_REASON]) for line in failed)
    return [
        Fact("log lines", "failure", f"{component} wrote {count} times: {head}", {"count": count})
        for (component, head), count in counts.most_common(5)
    ]


def _say_process(seen: object, found: _Found) -> None:
    if isinstance(seen, Release) and seen.process:
        found.facts.append(("process", "state", f"its supervisor says {seen.process}", {"healthy": seen.healthy}))
