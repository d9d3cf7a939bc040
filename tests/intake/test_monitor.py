"""The built-in monitor, from exposition text over real HTTP to alerts at the one door."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agent.errors import Unreachable
from agent.evidence.watch import DirectWatcher
from agent.intake import monitor as module
from agent.intake.monitor import MOST_SCRAPES, SCRAPE_SECONDS, Monitor
from agent.kit.http import HttpClient
from agent.model.target import Target
from fakes.clock import NOON, FakeClock
from fakes.target_server import TargetServer
from fakes.trail import FakeTrail

MEBI = 1 << 20
COMMIT = "c" * 40


class FakeIntake:
    """Implements `Intake`: keeps what was raised; ``away`` is a database that takes nothing."""

    def __init__(self):
        self.alerts = []
        self.away = False

    def accept(self, alerts, *, source, raw=None):
        assert (source, raw) == ("monitor", None)
        if self.away:
            raise Unreachable("the database did not take it: database is locked")
        self.alerts += alerts
        return ()


class AwayTrail(FakeTrail):
    """A trail in a database that takes nothing."""

    def append(self, *args, **options):
        raise Unreachable(f"the database did not take {args} {options}")


class Watched:
    """A target, its monitor, and time that passes second by second."""

    def __init__(self, server, folder, **options):
        self.server, self.clock, self.intake = server, FakeClock(), FakeIntake()
        self.trail = FakeTrail(self.clock)
        self.target = Target(name="shop", url=server.url, repository=folder, matchers={"team": "a"})
        self.http = HttpClient()
        targets = {"shop": self.target}
        self.monitor = Monitor(targets, self.http, self.intake, self.clock, self.trail, interval=0.02, **options)

    def pass_seconds(self, count, each=lambda: None):
        """A cycle a second; what the last one saw."""
        for _ in range(count):
            each()
            self.clock.move(1)
            seen = self.monitor.cycle().targets[0]
        return seen

    def said(self):
        """Every alert that was raised, in order."""
        return [(alert.name, alert.status) for alert in self.intake.alerts]


@pytest.fixture
def server():
    with TargetServer() as server:
        yield server


@pytest.fixture
def watched(server, tmp_path):
    watched = Watched(server, tmp_path)
    yield watched
    watched.monitor.stop()
    watched.http.close()


def well(watched):
    """Twenty good requests."""
    watched.server.serve(20)


def test_a_healthy_target_raises_nothing(watched):
    """A quarter of a minute of traffic."""
    seen = watched.pass_seconds(15, lambda: well(watched))
    assert (seen.up, seen.healthy, seen.firing) == (True, True, ())
    assert seen.signals["error_ratio"] == 0.0
    assert watched.said() == []


def both(watched):
    """Eighteen good requests and two failures: a ratio of a tenth."""
    watched.server.serve(18)
    watched.server.serve(2, status="500")


def slow(watched):
    watched.server.serve(20, seconds=0.4)


def gauge(name, value):
    def change(watched):
        watched.server.gauges[name] = value
        well(watched)

    return change


def leak(watched):
    name = "process_resident_memory_bytes"
    watched.server.gauges[name] = watched.server.gauges.get(name, 100 * MEBI) + 4 * MEBI
    well(watched)


RULES = [
    ("HighErrorRatio", "error_ratio", 0.1, both, well),
    ("HighLatencyP95", "latency_p95", 0.4875, slow, well),
    ("ModelWorseThanNaive", "mae_ratio", 1.5, gauge("prediction_mae_ratio", 1.5), gauge("prediction_mae_ratio", 0.9)),
    ("StaleData", "data_age", 30_000, gauge("data_age_seconds", 30_000), gauge("data_age_seconds", 60)),
    ("MemoryGrowth", "memory_growth", 4.0, leak, well),
]


@pytest.mark.parametrize(("name", "signal", "value", "bad", "good"), RULES, ids=[rule[0] for rule in RULES])
def test_a_rule_fires_once_and_resolves(watched, name, signal, value, bad, good):
    """Quiet, then in breach, then quiet again: one firing and one resolved alert of the same episode, nothing else."""
    watched.pass_seconds(3, lambda: well(watched))
    seen = watched.pass_seconds(12, lambda: bad(watched))
    assert seen.signals[signal] == pytest.approx(value)
    assert watched.said() == [(name, "firing")]
    assert watched.monitor.firing("shop") == (signal,)
    watched.pass_seconds(14, lambda: good(watched))
    assert watched.said() == [(name, "firing"), (name, "resolved")]
    assert watched.monitor.firing("shop") == ()
    firing, resolved = watched.intake.alerts
    assert (firing.fingerprint, firing.starts_at) == (resolved.fingerprint, resolved.starts_at)
    assert firing.labels == {"alertname": name, "target": "shop", "signal": signal, "severity": "critical", "team": "a"}
    assert resolved.ends_at > firing.starts_at
    assert "limit" in firing.annotations["summary"]


def test_a_target_that_does_not_answer_is_down(server, tmp_path):
    """For some seconds, not for one missed scrape; up again it resolves."""
    watched = Watched(server, tmp_path)
    watched.pass_seconds(3, lambda: well(watched))
    server.answers["/metrics"] = (503, b"")
    seen = watched.pass_seconds(1)
    assert (seen.up, seen.problem, seen.signals) == (False, "/metrics answered 503", {"down": 0.0})
    watched.pass_seconds(3)
    assert watched.said() == []
    watched.pass_seconds(2)
    assert watched.said() == [("TargetDown", "firing")]
    del server.answers["/metrics"]
    watched.pass_seconds(2, lambda: well(watched))
    assert watched.said() == [("TargetDown", "firing"), ("TargetDown", "resolved")]
    watched.http.close()


def test_nothing_at_the_address_is_down_too(tmp_path):
    """Connection refused, from the first cycle on."""
    with TargetServer() as gone:
        watched = Watched(gone, tmp_path)
    seen = watched.pass_seconds(8)
    assert (seen.up, watched.said()) == (False, [("TargetDown", "firing")])
    assert "did not answer" in seen.problem
    watched.http.close()


def test_one_missed_scrape_is_nothing(watched, server):
    """Every other scrape fails for a while: the service is slow to answer, not down."""
    watched.pass_seconds(3, lambda: well(watched))
    for n in range(10):
        server.answers |= {"/metrics": (503, b"")}
        if n % 2:
            del server.answers["/metrics"]
        watched.pass_seconds(1, lambda: well(watched))
    assert watched.said() == []


def test_a_sick_health_check_is_shown_and_is_no_alert(watched, server):
    """The metrics still come; what they say decides."""
    server.answers["/health"] = (503, b"{}")
    seen = watched.pass_seconds(6, lambda: well(watched))
    assert (seen.up, seen.healthy, seen.problem) == (True, False, "/health answered 503")
    assert watched.said() == []


def test_flapping_is_one_episode(watched, server):
    """A gauge that jumps above and below its limit each second neither resolves nor opens again and again."""
    for n in range(20):
        server.gauges["data_age_seconds"] = 30_000 if n % 2 == 0 else 60
        watched.pass_seconds(1)
    assert watched.said() == [("StaleData", "firing")]
    watched.pass_seconds(2)
    assert watched.said()[-1] == ("StaleData", "resolved")


def test_a_second_breach_is_another_episode(watched, server):
    """With a later start, so that nobody takes it for the first one."""
    for value in (30_000, 60, 30_000):
        server.gauges["data_age_seconds"] = value
        watched.pass_seconds(4)
    first, _, second = watched.intake.alerts
    assert (first.fingerprint, second.fingerprint) == (first.fingerprint, first.fingerprint)
    assert second.starts_at > first.starts_at


def test_a_restart_is_no_burst_of_errors(watched, server):
    """Counters begin at zero again: what was counted before is not counted twice, nor below zero."""
    watched.pass_seconds(5, lambda: well(watched))
    server.restart()
    seen = watched.pass_seconds(1, lambda: server.serve(30))
    assert seen.requests == 4 * 20 + 30
    assert seen.signals["error_ratio"] == 0.0
    seen = watched.pass_seconds(3, lambda: both(watched))
    assert 0 < seen.signals["error_ratio"] < 0.1
    assert watched.said() == []


def test_a_restart_is_no_growth_of_memory(watched, server):
    """The new process is larger than the old one; only one process is compared with itself."""
    watched.pass_seconds(9, lambda: gauge("process_resident_memory_bytes", 50 * MEBI)(watched))
    server.restart()
    seen = watched.pass_seconds(3, lambda: gauge("process_resident_memory_bytes", 500 * MEBI)(watched))
    assert "memory_growth" not in seen.signals
    assert watched.said() == []


def test_warming_up_is_no_leak(watched):
    """Growth that stays within twenty MiB of where the process began."""
    sizes = iter([*range(100, 119, 2), *[119] * 5])
    seen = watched.pass_seconds(12, lambda: gauge("process_resident_memory_bytes", next(sizes) * MEBI)(watched))
    assert seen.signals["memory_growth"] == 0.0


def test_a_target_that_goes_down_keeps_what_fired(watched, server):
    """Nothing is measured while it is down, which neither ends a breach nor begins one."""
    server.gauges["data_age_seconds"] = 30_000
    watched.pass_seconds(2)
    server.answers["/metrics"] = (503, b"")
    watched.pass_seconds(6)
    assert watched.said() == [("StaleData", "firing"), ("TargetDown", "firing")]
    assert set(watched.monitor.firing("shop")) == {"down", "data_age"}


def test_few_requests_are_no_ratio_to_judge(watched, server):
    """One of three failed: under twenty requests nobody is woken."""
    watched.pass_seconds(2)
    server.serve(2)
    server.serve(1, status="500")
    seen = watched.pass_seconds(1)
    assert seen.signals["error_ratio"] == pytest.approx(1 / 3)
    assert watched.said() == []


def test_the_agents_own_questions_are_not_traffic(watched, server):
    """Failing health checks are no failed requests of users, and slow ones no latency."""
    watched.pass_seconds(2)
    seen = watched.pass_seconds(6, lambda: server.serve(20, status="500", seconds=0.9, route="/health"))
    assert (seen.requests, watched.said()) == (0, [])
    assert "latency_p95" not in seen.signals


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe\x00",
        b"prediction_mae_ratio NaN\n",
        b"prediction_mae_ratio\n" * 10,
        b'http_requests_total{route="x} 1\n',
    ],
    ids=["empty", "bytes", "nan", "cut", "label"],
)
def test_text_that_says_nothing_raises_nothing(watched, server, text):
    """No sample, no signal, no alert; the target counts as up."""
    server.answers["/metrics"] = (200, text)
    seen = watched.pass_seconds(5)
    assert seen.up
    assert set(seen.signals) <= {"down", "error_ratio"}
    assert watched.said() == []


def test_measuring_without_raising(server, tmp_path):
    """When alerts come from Alertmanager, signals and firing rules are still known here."""
    watched = Watched(server, tmp_path, raises=False)
    seen = watched.pass_seconds(5, lambda: gauge("data_age_seconds", 30_000)(watched))
    assert seen.firing == ("StaleData",)
    assert watched.said() == []
    watched.http.close()


def test_what_fired_before_a_restart_of_the_agent_is_resolved_by_it(watched, server, tmp_path):
    """Not opened again while it lasts, and resolved with its own start when it ends."""
    server.gauges["data_age_seconds"] = 30_000
    watched.pass_seconds(2)
    (alert,) = watched.intake.alerts
    later = Watched(server, tmp_path, firing={"shop": [alert], "gone": [alert]})
    later.pass_seconds(3)
    assert later.said() == []
    server.gauges["data_age_seconds"] = 60
    later.pass_seconds(2)
    assert later.said() == [("StaleData", "resolved")]
    again = later.intake.alerts[0]
    assert (again.fingerprint, again.starts_at) == (alert.fingerprint, alert.starts_at)
    later.http.close()


def test_what_is_remembered_is_bounded(watched, server):
    """However long it watches."""
    server.answers["/metrics"] = (503, b"")
    watched.pass_seconds(3)
    assert watched.monitor._watches["shop"].scrapes.maxlen == MOST_SCRAPES
    assert len(watched.monitor.scrapes("shop")) == 3
    assert watched.monitor.scrapes("nobody") == ()
    assert watched.monitor.firing("nobody") == ()


def test_it_watches_by_itself_until_it_is_stopped(watched, server):
    """Starting and stopping twice changes nothing; a bad cycle is written down and does not end the watch."""
    watched.monitor._intake = None  # whatever is raised now fails
    server.gauges["data_age_seconds"] = 30_000
    assert (watched.monitor.start(), watched.monitor.start(), watched.monitor.running) == (True, False, True)
    wait_until(lambda: watched.trail.entries() and watched.monitor.last)
    assert watched.trail.entries()[0].kind == "monitor.problem"
    assert (watched.monitor.stop(), watched.monitor.stop(), watched.monitor.running) == (True, False, False)


def wait_until(true):
    """At most ten seconds."""
    pause = threading.Event()
    for _ in range(1_000):
        if true():
            return
        pause.wait(0.01)
    raise AssertionError("it did not come to that")


def test_a_database_that_is_away_does_not_end_the_watch(watched, server, caplog):
    """Nothing can be stored, not even that: the log says so, and the alert is raised when the database is back."""
    watched.monitor._trail = AwayTrail(watched.clock)
    watched.intake.away = True
    server.gauges["data_age_seconds"] = 30_000
    watched.monitor.start()
    wait_until(lambda: watched.monitor._problems >= 3)
    assert watched.monitor.running
    assert "a monitoring cycle failed" in caplog.text
    watched.intake.away = False
    wait_until(watched.said)
    assert watched.said() == [("StaleData", "firing")]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_watch_that_has_died_does_not_say_that_it_runs(watched, server):
    """It shows as broken, and can be started again."""
    watched.monitor._released = lambda *_: sys.exit()
    server.build = COMMIT
    watched.monitor.start()
    wait_until(lambda: watched.monitor.broken)
    assert not watched.monitor.running
    watched.monitor._released = None
    assert (watched.monitor.start(), watched.monitor.running, watched.monitor.broken) == (True, True, False)


def test_starting_while_it_is_stopped_leaves_it_running_or_stopped(watched):
    """A stop that is late ends the watch that it was meant for, never the next one."""
    for _ in range(50):
        watched.monitor.start()
        both = [threading.Thread(target=watched.monitor.stop), threading.Thread(target=watched.monitor.start)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert not watched.monitor.broken
        assert not (watched.monitor.running and watched.monitor._stop.is_set())
        watched.monitor.stop()


def test_what_could_not_be_stored_is_sent_again(watched, server):
    """A start of a breach and its end, each refused for some cycles, arrive once each and with their own times."""
    server.gauges["data_age_seconds"] = 30_000
    for value in (30_000, 60):
        server.gauges["data_age_seconds"] = value
        watched.intake.away = True
        for _ in range(3):
            with pytest.raises(Unreachable):
                watched.pass_seconds(2)
        watched.intake.away = False
        watched.pass_seconds(2)
    firing, resolved = watched.intake.alerts
    assert (firing.status, resolved.status) == ("firing", "resolved")
    assert (firing.fingerprint, firing.starts_at) == (resolved.fingerprint, resolved.starts_at)
    assert firing.starts_at == NOON + timedelta(seconds=1)


def test_a_breach_that_came_and_went_meanwhile_arrives_as_resolved(watched, server):
    """It is on record, and opens nothing."""
    watched.intake.away = True
    for value in (30_000, 60, 60):
        server.gauges["data_age_seconds"] = value
        with pytest.raises(Unreachable):
            watched.pass_seconds(1)
    watched.intake.away = False
    watched.pass_seconds(1)
    assert watched.said() == [("StaleData", "resolved")]


def test_what_waits_to_be_stored_is_bounded(watched, server, monkeypatch):
    """Of what was given up the trail tells how much it was."""
    monkeypatch.setattr(module, "MOST_UNSENT", 2)
    watched.intake.away = True
    for _ in range(4):
        for value in (30_000, 60, 60):
            server.gauges["data_age_seconds"] = value
            with pytest.raises(Unreachable):
                watched.pass_seconds(1)
    watched.intake.away = False
    watched.pass_seconds(1)
    assert watched.said() == [("StaleData", "resolved")] * 2
    assert "2 alerts were given up" in watched.trail.entries()[-1].message


class Dripping(BaseHTTPRequestHandler):
    """Answers a byte at a time, each well within the time that a single read may take."""

    def do_GET(self):
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(300):
                self.wfile.write(b"x: y\r\n")
                time.sleep(0.1)

    def log_message(self, *args):
        """Say nothing."""


def test_a_target_that_drips_does_not_hold_up_the_others(watched, server, tmp_path):
    """However many do: each is given up after its two seconds, all of them at the same time."""
    slow = ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    slow.daemon_threads = True
    thread = threading.Thread(target=slow.serve_forever, args=(0.01,))
    thread.start()
    names = [f"slow-{number}" for number in range(4)]
    url = f"http://127.0.0.1:{slow.server_port}"
    targets = {name: Target(name=name, url=url, repository=tmp_path) for name in names} | {"shop": watched.target}
    monitor = Monitor(targets, watched.http, watched.intake, watched.clock, watched.trail, interval=1)
    seen = monitor.cycle()
    slow.shutdown()
    thread.join()
    slow.server_close()
    assert {view.target: view.up for view in seen.targets} == {**dict.fromkeys(names, False), "shop": True}
    assert SCRAPE_SECONDS <= seen.seconds < 3 * SCRAPE_SECONDS


def test_the_watcher_counts_what_came_since_a_time(watched, server):
    """For verification: signals of the trailing window, requests since the deploy, those of the failing kind apart."""
    server.build = COMMIT
    watched.pass_seconds(5, lambda: well(watched))
    since = watched.clock.now()
    watched.pass_seconds(4, lambda: (server.serve(10), server.serve(3, route="/other")))
    watcher = DirectWatcher(watched.monitor, watched.clock)
    seen = watcher.observe(watched.target, since, ("/other",))
    assert (seen.commit, seen.requests, seen.failing_kind_requests) == (COMMIT, 4 * 13, 4 * 3)
    assert (seen.window_seconds, seen.signals["error_ratio"], seen.firing) == (10.0, 0.0, ())
    assert watcher.observe(watched.target, since, ()).failing_kind_requests == 4 * 13
    server.gauges["data_age_seconds"] = 30_000
    watched.pass_seconds(1)
    assert watcher.observe(watched.target, since, ()).firing == ("data_age",)


def test_a_noisy_estimate_has_to_last(watched, server):
    """Right after a start few predictions have been scored: a ratio above one for a moment wakes nobody."""
    server.gauges["prediction_mae_ratio"] = 1.5
    watched.pass_seconds(3)
    server.gauges["prediction_mae_ratio"] = 0.5
    watched.pass_seconds(3)
    assert watched.said() == []


def test_a_new_release_is_told_once(server, tmp_path):
    """Whoever wants to be ready for a release hears of it when it is first seen."""
    heard = []
    watched = Watched(server, tmp_path, released=lambda target, commit: heard.append((target.name, commit)))
    server.build = "1" * 40
    watched.pass_seconds(3)
    server.build = "2" * 40
    watched.pass_seconds(2)
    watched.http.close()
    assert heard == [("shop", "1" * 40), ("shop", "2" * 40)]
