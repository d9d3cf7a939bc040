"""Evidence from every source at once; what is down, slow or broken becomes a named gap and nothing more."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import numpy as np
import pytest

from agent.errors import NotFound
from agent.evidence import collector as collecting
from agent.evidence.collector import EvidenceCollector
from agent.evidence.history import GitHistory
from agent.kit.http import HttpClient
from agent.model.alert import Alert, Episode
from agent.model.bundle import Course, LogLine
from agent.model.delivery import Release
from agent.model.signals import MetricNames, Reading, Scrape
from agent.model.sources import Fact
from agent.model.target import Target
from fakes import records
from fakes.clock import NOON, FakeClock
from fakes.repository import Repository
from fakes.sources import FakeLogs, FakeMetrics
from fakes.target_server import TargetServer


class Scraped:
    """What a monitor would have seen."""

    names = MetricNames()

    def scrapes(self, _target):
        values = {
            ("prediction_mae_ratio", ()): 1.5,
            ("http_requests_total", ()): 3.0,
            ("data_age_seconds", ()): float("nan"),
        }
        return tuple(Scrape(NOON.timestamp() + n, True, values) for n in range(3))  # noqa: FBT003 - a field

    def reading(self, _target, since=None):
        assert since is None
        return Reading(signals={"mae_ratio": 1.5}, requests={"/half": 3})


class Scene:
    """A target in every detail that the collector looks at."""

    def __init__(self, folder, server):
        self.repository = Repository(folder / "origin")
        self.good = self.repository.commit({"shop.py": "good\n"})
        self.bad = self.repository.commit({"shop.py": "bad\n"}, "halve otherwise")
        self.server, self.http, self.clock = server, HttpClient(), FakeClock(NOON + timedelta(seconds=40))
        self.release = Release(commit=None, healthy=True)
        self.scrapes, self.reported = Scraped(), ()
        self.metrics = self.logs = ()
        self.log, self.deployments = folder / "service.log", folder / "deployments.ndjson"
        self.target = Target(
            name="shop", url=server.url, repository=self.repository.path, log_file=self.log, release_root=folder
        )
        server.build = self.bad
        self.log.write_text(self.line(-200, 200) + self.line(10, 500) + self.line(11, 200))
        self.deployed(self.good, -3000)
        self.deployed(self.bad, -5)

    def line(self, second, status, **fields):
        frames = [{"file": "shop.py", "line": 1, "function": "answer", "in_app": True}]
        given = {
            "timestamp": (NOON + timedelta(seconds=second)).isoformat(),
            "route": "/half",
            "status": status,
            "duration_ms": 1.0,
            "request": {"method": "GET", "path": "/half", "query": f"n={second}"},
            "exception": {"type": "ZeroDivisionError", "message": "", "frames": frames} if status == 500 else None,
        }
        return json.dumps({**given, **fields}) + "\n"

    def deployed(self, commit, second):
        moment = (NOON + timedelta(seconds=second)).isoformat()
        with self.deployments.open("a") as file:
            file.write(json.dumps({"commit": commit, "finished_at": moment, "by": "ci", "kind": "deploy"}) + "\n")

    def history(self, _target):
        return GitHistory(self.repository.path, "main", "shop")

    def collect(self, **target):
        made = EvidenceCollector(
            self.http, self.scrapes, self.history, lambda: self.reported, self.clock, lambda _target: self.release,
            self.metrics, self.logs,
        )  # fmt: skip
        labels = {"alertname": "HighErrorRatio", "target": "shop"}
        alert = Alert(
            status="firing", labels=labels, annotations={"summary": "errors"}, starts_at=NOON + timedelta(seconds=15),
            ends_at=None, generator_url="", fingerprint="f",
        )  # fmt: skip
        episode = Episode(
            fingerprint="f", starts_at=alert.starts_at, target="shop", component="shop", signal="error_ratio",
            alert=alert, resolved=False, ends_at=None,
        )  # fmt: skip
        return made.collect(records.incident(), self.target.model_copy(update=target), (episode,))


@pytest.fixture
def scene(tmp_path):
    with TargetServer() as server:
        scene = Scene(tmp_path, server)
        yield scene
        scene.http.close()


def sources(found):
    return {gap.source for gap in found.gaps}


def test_everything_that_can_be_told_is_told(scene):
    """The running and the last good release, commits, deploys, recorded requests, signals, numbered facts: no gap."""
    found = scene.collect()
    assert found.gaps == ()
    assert (found.running, found.last_good) == (scene.bad, scene.good)
    assert [change.commit for change in found.commits] == [scene.bad, scene.good]
    assert [change.commit for change in found.deploys] == [scene.bad, scene.good]
    assert [exchange.request.query for exchange in found.failing] == ["n=10"]
    assert [exchange.request.query for exchange in found.healthy] == ["n=11"]
    assert [fact.id for fact in found.evidence] == [f"E{n}" for n in range(1, len(found.evidence) + 1)]
    assert {fact.kind for fact in found.evidence} == {"failure", "alert", "signal", "deploy"}
    assert found.health == {"status": "ok"}


def test_series_are_gauges_without_holes(scene):
    """Counters and values that are no numbers are left out of the charts."""
    (series,) = scene.collect().series
    assert series.name == "prediction_mae_ratio"
    assert [value for _, value in series.points] == [1.5, 1.5, 1.5]


def test_the_alert_s_own_signal_is_told_over_time(scene):
    """From scrape to scrape, so that its beginning can be seen."""
    failed = {("http_requests_total", (("route", "/half"), ("status", "500"))): 0.0}
    scraped = [Scrape(NOON.timestamp() + n, True, {name: 2.0 * max(0, n - 1) for name in failed}) for n in range(4)]  # noqa: FBT003
    scene.scrapes.scrapes = lambda _target: tuple(scraped)
    assert [(at - NOON.timestamp(), value) for at, value in scene.collect().course] == [(2.0, 1.0), (3.0, 1.0)]


def test_the_window_begins_at_the_deploy_before_the_alert(scene):
    """What happened under the release before belongs to the time before."""
    found = scene.collect()
    assert found.window.start == NOON - timedelta(seconds=5)
    assert found.window.end == scene.clock.now()


def test_without_a_deploy_soon_before_it_the_window_begins_a_little_before_the_alert(scene):
    """A release that has run for an hour was well for an hour."""
    scene.deployments.unlink()
    scene.deployed(scene.bad, -3600)
    assert scene.collect().window.start == NOON


def test_a_failure_that_was_there_before_the_window_is_not_new(scene):
    """As frequent before as now: its requests may be replayed, but it is no new fact."""
    old = "".join(scene.line(-second, 500) for second in range(10, 60))
    scene.log.write_text(old + scene.line(10, 500))
    assert "failure" not in {fact.kind for fact in scene.collect().evidence}


def test_when_a_failure_began_is_told_before_some_are_chosen(scene):
    """Ten minutes of failures, of which the newest few can be replayed: the first one is not forgotten."""
    scene.log.write_text(scene.line(-230, 200) + "".join(scene.line(second, 500) for second in range(-220, 15)))
    found = scene.collect()
    (spell,) = found.spells.values()
    assert (spell.first, spell.count, spell.gap) == (NOON - timedelta(seconds=220), 235, 1.0)
    assert min(exchange.timestamp for exchange in found.failing) > spell.first
    assert found.log_begins == NOON - timedelta(seconds=230)
    assert found.alerted_at == NOON + timedelta(seconds=15)


def test_a_target_that_is_down_leaves_gaps_and_the_rest_is_told(scene):
    """Nothing answers at its address; the deployer's record says what runs."""
    found = scene.collect(url="http://127.0.0.1:1")
    assert sources(found) == {"health", "status"}
    assert (found.running, found.last_good) == (scene.bad, scene.good)
    assert len(found.failing) == 1
    assert found.health is None


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff", b"[" * 50_000, b"x" * (1 << 20)], ids=["empty", "html", "bytes", "deep", "large"]
)
def test_an_answer_that_is_no_json_is_a_gap(scene, body):
    """However it is broken."""
    scene.server.answers["/status"] = (200, body)
    found = scene.collect()
    assert sources(found) == {"status"}
    assert found.running == scene.bad


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b'{"commit": 5}', b'{"commit": "main"}', b'{"commit": null}'])
def test_a_status_without_a_commit_is_made_up_for_by_the_record(scene, body):
    """The newest deploy is what runs."""
    scene.server.answers["/status"] = (200, body)
    found = scene.collect()
    assert (found.running, found.gaps) == (scene.bad, ())


def test_a_target_that_is_wrong_about_its_release_is_not_believed(scene, tmp_path):
    """The deployer's own folder counts, and the disagreement is a gap; without one the target's word stands."""
    scene.server.build = scene.good
    found = scene.collect()
    assert (found.running, sources(found)) == (scene.good, {"release"})
    (tmp_path / "current").symlink_to(f"releases/{scene.bad}")
    found = scene.collect()
    assert (found.running, found.last_good) == (scene.bad, scene.good)
    (gap,) = found.gaps
    assert (gap.source, scene.good[:10] in gap.reason, scene.bad[:10] in gap.reason) == ("release", True, True)


def test_secrets_of_the_status_are_not_kept(scene):
    """What the target says is redacted before it is stored."""
    scene.server.answers["/health"] = (200, b'{"api_key": "hunter2", "note": "password=hunter2"}')
    assert "hunter2" not in json.dumps(scene.collect().health)


def test_secrets_of_an_error_are_not_kept(scene):
    """A gap quotes what went wrong, not the password that stood in it."""

    def gone(_target):
        raise NotFound("no repository at https://bob:hunter2@git.example/x")

    scene.history = scene.scrapes.scrapes = gone
    reasons = {gap.source: gap.reason for gap in scene.collect().gaps}
    assert set(reasons) == {"git", "metrics"}
    assert all("https://[redacted]@git.example/x" in reason for reason in reasons.values())


def test_a_slow_source_is_left_behind(scene, monkeypatch):
    """The others are not held up by it."""
    monkeypatch.setattr(collecting, "SOURCE_SECONDS", 1.5)
    release = threading.Event()
    scene.scrapes.reading = lambda _target: release.wait(5)
    found = scene.collect()
    release.set()
    assert "signals" in sources(found)
    assert found.seconds < 4
    assert found.running == scene.bad


def test_a_log_that_is_missing_or_not_configured_is_a_gap(scene):
    """Each with what to do about it."""
    scene.log.unlink()
    assert {gap.reason for gap in scene.collect().gaps} == {
        "Unreachable: service.log is not there: set `log_file` for this target"
    }
    assert "log_file" in scene.collect(log_file=None).gaps[0].reason


def test_deploys_that_nobody_records_are_a_gap(scene):
    """Then the running commit's own word counts, and there is no last good release."""
    found = scene.collect(release_root=None)
    assert sources(found) == {"deploys"}
    assert (found.running, found.last_good) == (scene.bad, None)


def test_a_history_that_is_gone_is_a_gap(scene):
    """The recorded requests are still there."""
    scene.server.build = "f" * 40
    found = scene.collect()
    assert sources(found) == {"git", "release"}
    assert found.commits == ()
    assert len(found.failing) == 1

    def gone(_target):
        raise NotFound("no repository")

    scene.history = gone
    assert "no repository" in {gap.source: gap.reason for gap in scene.collect().gaps}["git"]


def test_a_broken_source_of_any_kind_is_a_gap(scene):
    """A bug in one reader costs one source."""

    def broken(_target):
        raise KeyError("a bug")

    scene.scrapes.scrapes = broken
    found = scene.collect()
    assert sources(found) == {"metrics"}
    assert found.series == ()


def test_a_roll_back_makes_the_release_before_it_the_bad_one(scene):
    """After good, bad, good the last release before the running one is the one that was rolled back from."""
    scene.deployed(scene.good, 5)
    scene.server.build = scene.good
    assert scene.collect().last_good == scene.bad


def test_with_nothing_at_all_there_is_still_an_answer(scene, tmp_path):
    """Every source is down: gaps for all, and no exception."""
    scene.log.unlink()
    scene.scrapes.scrapes = scene.scrapes.reading = lambda *_: 1 / 0
    found = scene.collect(url="http://127.0.0.1:1", release_root=None, repository=tmp_path)
    assert {"log", "health", "status", "metrics", "signals", "deploys"} <= sources(found)
    assert found.running is None
    assert [fact.kind for fact in found.evidence] == ["alert"]


def test_reported_changes_of_this_target_are_evidence(scene):
    """What CI told about it or about nobody in particular, within the last day; not another target's, not the future's."""

    def flag(name, hours, target=None):
        moment = NOON - timedelta(hours=hours)
        made = records.change("a" * 40, title=name)
        return made.model_copy(update={"kind": "flag", "timestamp": moment, "target": target})

    scene.reported = (flag("later", -1), flag("mine", 1, "shop"), flag("anybody", 2), flag("theirs", 1, "other"))
    scene.reported += (flag("old", 48, "shop"),)
    found = scene.collect()
    assert [change.title for change in found.reported] == ["mine", "anybody"]
    assert [fact.summary.split()[0] for fact in found.evidence if fact.source == "reports"] == ["mine", "anybody"]


def test_what_the_supervisor_says_of_the_process_is_evidence(scene):
    """A process that was stopped by hand is no fault of a commit."""
    scene.release = Release(commit=None, healthy=False, process="STOPPED (stopped at noon)")
    facts = [fact for fact in scene.collect().evidence if fact.source == "process"]
    assert [fact.summary for fact in facts] == ["its supervisor says STOPPED (stopped at noon)"]


def test_servers_of_metrics_and_logs_are_asked_beside_the_rest(scene):
    """Their courses become series, what they tell and failed lines facts, their gaps gaps."""
    at = NOON.timestamp() + np.arange(3.0)
    course = Course("shop", "http_requests:error_ratio", at, np.array([0.0, 0.5, 0.5]))
    told = [LogLine(at[0], "shop", "ERROR", "payment timeout\nmore"), LogLine(at[1], "shop", "INFO", "fine")]
    scene.metrics = (FakeMetrics([course], [Fact("fake", "rule", "rule X is firing")]),)
    scene.logs = (FakeLogs(name="logs", broken="loki is away"),)
    found = scene.collect()
    assert found.series[-1].points == tuple(zip(at, [0.0, 0.5, 0.5], strict=True))
    assert found.series[-1].labels == {"component": "shop"}
    assert "rule X is firing" in [fact.summary for fact in found.evidence]
    assert [gap.reason for gap in found.gaps] == ["loki is away"]
    scene.logs = (FakeLogs(told, name="logs"),)
    assert "shop wrote 1 times: payment timeout" in [fact.summary for fact in scene.collect().evidence]
