"""The built-in monitor: scrapes targets, evaluates the built-in rules, raises alerts through the one door."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from ..errors import AgentError
from ..kit.exposition import parse
from ..kit.http import HttpClient
from ..model.alert import Alert
from ..model.record import Record
from ..model.signals import (
    BUILT_IN,
    GROWTH_SECONDS,
    WINDOW_SECONDS,
    Reading,
    Rule,
    Scrape,
    breached,
    keep,
    read,
)
from ..model.target import Target
from ..ports import Clock, Intake, Trail
from .alertmanager import fingerprint

MOST_SCRAPES = 1_200
CLEAR_AFTER = 2
SCRAPE_SECONDS = 2.0
FEWEST_SCRAPES = 4
SIDE_BY_SIDE = 8
MOST_UNSENT = 1_000
"""Alerts that wait for the store; while it is away a signal may come and go for days."""


class TargetCycle(Record):
    """What one cycle saw of one target."""

    target: str
    up: bool
    healthy: bool
    signals: dict[str, float]
    requests: int
    firing: tuple[str, ...]
    problem: str = ""


class Cycle(Record):
    """What one cycle saw."""

    at: datetime
    targets: tuple[TargetCycle, ...]
    raised: int
    seconds: float


class _Watch:
    """The monitor's memory of one target."""

    def __init__(self) -> None:
        self.scrapes: deque[Scrape] = deque(maxlen=MOST_SCRAPES)
        self.breached_since: dict[str, float] = {}
        self.firing: dict[str, Alert] = {}
        self.clear: dict[str, int] = {}
        self.commit: str | None = None


class Monitor:
    """Watches every target each ``interval`` seconds while it is started; ``cycle`` runs one at any time.

    What the intake does not take is sent again with every cycle until it is taken.
    ``released`` is called with every commit that a target is newly seen to run, ``looked`` with every cycle.
    """

    source = "monitor"

    def __init__(
        self,
        targets: Mapping[str, Target],
        http: HttpClient,
        intake: Intake,
        clock: Clock,
        trail: Trail,
        *,
        interval: float,
        rules: Sequence[Rule] = BUILT_IN,
        raises: bool = True,
        firing: Mapping[str, Sequence[Alert]] | None = None,
        released: Callable[[Target, str], None] | None = None,
        looked: Callable[[Target], None] | None = None,
    ) -> None:
        self._targets, self._http, self._intake, self._clock, self._trail = targets, http, intake, clock, trail
        self.interval, self._rules = interval, rules
        # Whatever the interval, a rate and a slope need a few scrapes.
        self.window = max(WINDOW_SECONDS, FEWEST_SCRAPES * interval)
        self._growth = max(GROWTH_SECONDS, FEWEST_SCRAPES * interval)
        self._raises, self._released, self._looked = raises, released, looked
        self._watches = {name: _Watch() for name in targets}
        self._cycle_lock, self._control = threading.Lock(), threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._unsent: dict[tuple[str, datetime], Alert] = {}
        self._lost = 0
        self._problems = 0
        self.last: Cycle | None = None
        for name, alerts in (firing or {}).items():
            if name in self._watches:
                self._watches[name].firing = {alert.name: alert for alert in alerts if alert.status == "firing"}

    @property
    def running(self) -> bool:
        """Whether the monitor watches by itself."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def broken(self) -> bool:
        """Whether it was started, not stopped, and does not watch all the same."""
        thread = self._thread
        return thread is not None and not thread.is_alive()

    def start(self) -> bool:
        """Begin to watch; False when it already did."""
        with self._control:
            if self.running:
                return False
            self._stop = threading.Event()
            self._thread = threading.Thread(target=self._loop, args=(self._stop,), name="monitor", daemon=True)
            self._thread.start()
            return True

    def stop(self) -> bool:
        """Stop watching; False when it did not."""
        with self._control:
            thread, self._thread = self._thread, None
            self._stop.set()
        if thread is None:
            return False
        thread.join(timeout=SCRAPE_SECONDS * 4)
        return True

    def scrapes(self, target: str) -> tuple[Scrape, ...]:
        """What was scraped, oldest first, at most the last 1,200."""
        watch = self._watches.get(target)
        return tuple(watch.scrapes) if watch is not None else ()

    def reading(self, target: Target, since: datetime | None = None) -> Reading:
        """Signals over the trailing window, or over all that was scraped since a time."""
        scrapes = self.scrapes(target.name)
        if since is None:
            return self._read(scrapes, target, self.window)
        begin = since.timestamp()
        return self._read([scrape for scrape in scrapes if scrape.at >= begin], target, float("inf"))

    def _read(self, scrapes: Sequence[Scrape], target: Target, window: float) -> Reading:
        return read(scrapes, target.metrics, self._ignored(target), window, self._growth)

    def firing(self, target: str) -> tuple[str, ...]:
        """Signals whose rules fire now."""
        watch = self._watches.get(target)
        names = set(watch.firing) if watch is not None else set()
        return tuple(rule.signal for rule in self._rules if rule.alertname in names)

    def commit(self, target: str) -> str | None:
        """The commit in the target's build information, when the last scrape had one."""
        scrapes = self.scrapes(target)
        names = self._targets[target].metrics
        for (name, labels), _ in scrapes[-1].values.items() if scrapes else ():
            if name == names.build:
                return dict(labels).get("commit") or dict(labels).get("revision")
        return None

    def cycle(self) -> Cycle:
        """Scrape and judge every target once; returns what it saw."""
        with self._cycle_lock:
            began = time.monotonic()
            seen, raised = [], 0
            for target, scraped in zip(self._targets.values(), self._scrape_all(), strict=True):
                view, alerts = self._look(target, *scraped)
                seen.append(view)
                raised += len(alerts)
                self._unsent |= {(alert.fingerprint, alert.starts_at): alert for alert in alerts}
            self.last = Cycle(
                at=self._clock.now(), targets=tuple(seen), raised=raised, seconds=time.monotonic() - began
            )
            self._send()
            return self.last

    def _send(self) -> None:
        """Hand over what is new and what was not taken before; of one episode the newest word."""
        while len(self._unsent) > MOST_UNSENT:
            del self._unsent[next(iter(self._unsent))]
            self._lost += 1
        if self._unsent and self._raises:
            self._intake.accept(tuple(self._unsent.values()), source=self.source)
        self._unsent.clear()
        if self._lost:
            said = f"{self._lost} alerts were given up: more than {MOST_UNSENT} waited for the store"
            self._trail.append("monitor.problem", said)
            self._lost = 0

    def _loop(self, stop: threading.Event) -> None:
        due = time.monotonic()
        while not stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + self.interval, time.monotonic())
            try:
                self.cycle()
            except Exception as error:  # noqa: BLE001 - one bad cycle must not end the watch; it is written down
                self._report(error)

    def _report(self, error: Exception) -> None:
        self._problems += 1
        if self._problems in {1, 10, 100} or self._problems % 1000 == 0:
            said = f"a monitoring cycle failed ({self._problems} so far): {error}"
            try:
                self._trail.append("monitor.problem", said)
            except Exception:  # often the trail is what failed: the log has it then, and the watch goes on
                logging.getLogger(__name__).exception("%s", said)

    def _scrape_all(self) -> list[tuple[Scrape, str]]:
        """All targets side by side: a slow one holds up no other by more than its own time."""
        with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="scrape") as pool:
            return list(pool.map(self._scrape, self._targets.values()))

    def _look(self, target: Target, scrape: Scrape, problem: str) -> tuple[TargetCycle, list[Alert]]:
        watch, now = self._watches[target.name], datetime.fromtimestamp(scrape.at, UTC)
        watch.scrapes.append(scrape)
        self._see_release(target, watch)
        if self._looked is not None:
            self._looked(target)
        reading = self._read(tuple(watch.scrapes), target, self.window)
        raised = [
            alert for rule in self._rules if (alert := self._judge(target, watch, rule, reading, now)) is not None
        ]
        view = TargetCycle(
            target=target.name,
            up=scrape.up,
            healthy=scrape.up and not problem,
            signals=reading.signals,
            requests=reading.total,
            firing=tuple(sorted(watch.firing)),
            problem=problem,
        )
        return view, raised

    def _see_release(self, target: Target, watch: _Watch) -> None:
        commit = self.commit(target.name)
        if commit is not None and commit != watch.commit:
            watch.commit = commit
            if self._released is not None:
                self._released(target, commit)

    def _scrape(self, target: Target) -> tuple[Scrape, str]:
        """What the target shows, and what is wrong with it; within twice two seconds, however it answers."""
        now = self._clock.now()
        down = Scrape(now.timestamp(), up=False, values={})
        try:
            metrics = self._http.get(target.url + target.metrics_path, timeout=SCRAPE_SECONDS)
            health = self._http.get(target.url + target.health_path, timeout=SCRAPE_SECONDS)
        except AgentError as error:
            return down, str(error)
        if metrics.status != 200:  # noqa: PLR2004 - HTTP OK
            return down, f"{target.metrics_path} answered {metrics.status}"
        problem = "" if health.status < 400 else f"{target.health_path} answered {health.status}"  # noqa: PLR2004
        return keep(now.timestamp(), parse(metrics.text), target.metrics), problem

    def _judge(self, target: Target, watch: _Watch, rule: Rule, reading: Reading, now: datetime) -> Alert | None:
        """The alert to send, one of each an episode: firing at the start, resolved at the end."""
        firing = watch.firing.get(rule.alertname)
        if breached(rule, reading):
            watch.clear.pop(rule.alertname, None)
            since = watch.breached_since.setdefault(rule.alertname, now.timestamp())
            if firing is None and now.timestamp() - since >= rule.for_seconds:
                watch.firing[rule.alertname] = self._alert(target, rule, reading, datetime.fromtimestamp(since, UTC))
                return watch.firing[rule.alertname]
            return None
        if not watch.scrapes[-1].up and rule.signal != "down":
            return None  # nothing was measured, which neither breaks a rule nor keeps it
        watch.breached_since.pop(rule.alertname, None)
        if firing is None:
            return None
        watch.clear[rule.alertname] = watch.clear.get(rule.alertname, 0) + 1
        if watch.clear[rule.alertname] < CLEAR_AFTER:
            return None
        del watch.firing[rule.alertname], watch.clear[rule.alertname]
        return firing.model_copy(update={"status": "resolved", "ends_at": now})

    def _alert(self, target: Target, rule: Rule, reading: Reading, since: datetime) -> Alert:
        labels = {
            "alertname": rule.alertname,
            "target": target.name,
            "signal": rule.signal,
            "severity": rule.severity,
            **target.matchers,
        }
        value = reading.signals[rule.signal]
        summary = f"{rule.summary}: {value:.4g}, limit {rule.limit:g}"
        return Alert(
            status="firing",
            labels=labels,
            annotations={"summary": summary},
            starts_at=since,
            ends_at=None,
            generator_url="",
            fingerprint=fingerprint(labels),
        )

    def _ignored(self, target: Target) -> tuple[str, ...]:
        return target.health_path, target.status_path, target.metrics_path
