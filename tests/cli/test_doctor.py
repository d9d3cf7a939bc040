"""``mpa doctor``: one row for each thing the agent needs, with what was looked at and what to do."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from agent.kit.git import Git
from delivery.supervise import start_supervisor, write_configuration
from fakes.repository import Repository
from fakes.target_server import TargetServer

LOCK = f"alpha==1.0 --hash=sha256:{'0' * 64}\n"
RECORDED = {"timestamp": "2025-03-01T07:40:00Z", "route": "/half", "status": 200, "duration_ms": 1.5}
SETTINGS = """
[[target]]
name = "shop"
url = "{url}"
repository = "shop.git"
serve = ["{{python}}", "serve.py", "--port", "{{port}}"]
supervisor = "{root}/s.sock"
release_root = "{root}/run"
log_file = "service.log"
"""


class Shop:
    """A target of which everything is there: two commits, two deployments, a supervisor, a log, and a server."""

    def __init__(self, place: Path, root: Path, server: TargetServer) -> None:
        self.place, self.run, self.server = place, root / "run", server
        work = Repository(root / "work")
        self.commits = [work.commit({"requirements.txt": LOCK, "a": n}, f"change {n}") for n in "12"]
        Git(place).run("clone", "-q", "--bare", str(root / "work"), str(place / "shop.git"))
        for commit in self.commits:
            (self.run / "releases" / commit).mkdir(parents=True)
        (self.run / "current").symlink_to(Path("releases") / self.commits[1])
        lines = [
            {"name": f"d-{n}", "kind": "deploy", "commit": commit, "by": "ci", "started_at": f"2025-03-01T07:4{n}:00Z"}
            for n, commit in enumerate(self.commits)
        ]
        (self.run / "deployments.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (place / "service.log").write_text(json.dumps({**RECORDED, "request": {"method": "GET"}}) + "\n")
        server.serve(5)
        server.build = self.commits[1]
        self.settings = SETTINGS.format(url=server.url, root=root)
        (place / "agent.toml").write_text(self.settings)

    def change(self, old: str, new: str) -> None:
        """Another word in agent.toml."""
        assert old in self.settings
        (self.place / "agent.toml").write_text(self.settings.replace(old, new))


@pytest.fixture
def shop(place):
    root = Path(tempfile.mkdtemp(prefix="mpa-"))  # short: a unix socket's path is limited
    with TargetServer() as server:
        made = Shop(place, root, server)
        argv = [sys.executable, "-c", "import time; time.sleep(600)"]
        started = start_supervisor(write_configuration(root / "run", argv, {}, root / "s.sock"), root / "s.sock")
        started.supervisor.restart()
        yield made
        started.stop()
    shutil.rmtree(root)


@pytest.fixture
def rows(mpa):
    """Runs the doctor: its exit code, and (state, detail) by part; a target's parts without its name."""

    def run(*words):
        said = mpa("doctor", "--json", *words)
        found = json.loads(said.out)
        return said.code, {row["part"].removeprefix("shop: "): (row["state"], row["detail"]) for row in found}

    return run


def test_doctor_is_content_when_all_is_there(rows, shop, service):
    """Exit 0, and every row says what was found."""
    code, found = rows()
    assert {part: state for part, (state, _) in found.items() if state != "ok"} == {}
    assert code == 0
    old, new = (commit[:10] for commit in shop.commits)
    assert found["repository"][1] == f"{shop.place / 'shop.git'}, main is {new}"
    assert found["lock"][1] == f"requirements.txt at {new} pins 1 packages"
    assert found["release"][1] == f"{shop.run / 'current'} is {new}"
    assert found["deployments"][1] == f"last good release known: {old}"
    assert found["log"][1].endswith("1 of the newest lines are recorded requests, 1 can be replayed")
    assert found["signals"][1].startswith("error_ratio, latency_p95 (not there: mae_ratio: no prediction_mae_ratio")
    assert found["agent"][0] == "ok"


def test_an_agent_that_is_not_started_yet_is_no_fault(rows, shop):
    """One is told to look before the first start; at an address that was named it has to be."""
    code, found = rows()
    assert (code, found["agent"]) == (0, ("note", "not started: `mpa serve`"))
    code, found = rows("--url", "http://127.0.0.1:9")
    assert (code, found["agent"][0]) == (1, "failing")


@pytest.mark.parametrize(
    ("old", "new", "part", "said"),
    [
        ('"shop.git"', '"nowhere.git"', "repository", "there is no folder {place}/nowhere.git"),
        ('"shop.git"', '"{place}"', "repository", "{place} is no git repository"),
        ("log_file", 'branch = "trunk"\nlog_file', "branch", "has no branch 'trunk', but main"),
        ("log_file", 'lock = "uv.lock"\nlog_file', "lock", "there is no uv.lock at"),
        ("log_file", 'lock = "a"\nlog_file', "lock", "--generate-hashes"),
        ("log_file", "test = []\nlog_file", "test", "`test` is empty"),
        ("serve.py", "{{app}}", "serve", "nothing fills in {{app}}"),
        ("{{port}}", "8000", "serve", "holds no {{port}}"),
        ("s.sock", "t.sock", "supervisor", "nothing answers at"),
        ("/run", "/elsewhere", "release", "is no link to a folder releases/COMMIT"),
        ("service.log", "other.log", "log", "{place}/other.log cannot be read (No such file or directory)"),
    ],
)
def test_what_is_wrong_in_the_settings_is_named(rows, shop, old, new, part, said):
    """Each mistake is a row of its own, with what was tried; the rest is looked at all the same."""
    fill = {"place": shop.place}
    shop.change(old.format(**fill), new.format(**fill))
    code, found = rows()
    assert code == 1
    assert said.format(**fill) in found[part][1]
    assert [name for name, (state, _) in found.items() if state in ("missing", "failing")] == [part]


def test_a_target_that_is_down_says_what_to_do(rows, shop):
    """It fails, and nothing else of the target does for that reason."""
    shop.change(shop.server.url, "http://127.0.0.1:9")
    code, found = rows()
    assert code == 1
    assert found["answers"][0] == "failing"
    assert "Start it, then look again" in found["answers"][1]
    assert [name for name, (state, _) in found.items() if state in ("missing", "failing")] == ["answers"]


def test_a_target_that_answers_wrongly_is_told(rows, shop):
    """A health that fails, metrics of other names, and another commit than the one that was released."""
    shop.server.answers["/health"] = (503, b"{}")
    shop.server.answers["/metrics"] = (200, b"app_requests 1\n")
    shop.server.answers["/status"] = (200, json.dumps({"commit": shop.commits[0]}).encode())
    code, found = rows()
    assert code == 1
    assert found["/health"] == ("failing", f"{shop.server.url}/health answered 503")
    assert found["signals"][0] == "failing"
    assert "[target.metrics]" in found["signals"][1]
    assert found["commit"] == (
        "failing",
        f"it says it runs {shop.commits[0][:10]}, but `current` is {shop.commits[1][:10]}",
    )


def test_requests_without_a_status_carry_no_error_ratio(rows, shop):
    """The metric is there, and the label that errors are told by is not."""
    shop.server.answers["/metrics"] = (200, b'http_requests_total{route="/x"} 1\nprocess_resident_memory_bytes 1\n')
    detail = rows()[1]["signals"][1]
    assert detail.startswith("memory_growth (not there: error_ratio: http_requests_total has no label status or code")


def test_one_release_on_record_is_a_note(rows, shop):
    """There is nothing yet to compare a bad release with."""
    line = (shop.run / "deployments.ndjson").read_text().splitlines()[1]
    (shop.run / "deployments.ndjson").write_text(line + "\n")
    code, found = rows()
    assert (code, found["deployments"][0]) == (0, "note")
    assert "last good release not known" in found["deployments"][1]
    (shop.run / "deployments.ndjson").write_text("not a line of JSON\n")
    assert rows()[1]["deployments"][0] == "missing"


def test_a_log_of_another_kind_is_told_from_an_empty_one(rows, shop):
    """Lines that are not the recorder's are a mistake, no lines are not."""
    (shop.place / "service.log").write_text("INFO started\n\nINFO served\n")
    assert rows()[1]["log"][1].startswith(
        f"{shop.place / 'service.log'} holds 2 lines, none of them the flight recorder's"
    )
    (shop.place / "service.log").write_text("")
    assert rows()[1]["log"] == ("note", f"{shop.place / 'service.log'} is empty so far")


def test_a_target_of_which_little_is_said(rows, shop):
    """Without supervisor, releases and log it can be watched; what that costs is a note each."""
    kept = [
        line
        for line in shop.settings.splitlines()
        if line.partition(" ")[0] not in ("supervisor", "release_root", "log_file")
    ]
    (shop.place / "agent.toml").write_text("\n".join(kept))
    code, found = rows()
    assert code == 0
    assert [part for part, (state, _) in found.items() if state == "note"] == ["supervisor", "release", "log", "agent"]


def test_a_program_that_does_not_run_is_told(rows, shop):
    """The supervisor is there, and its program is not."""
    from agent.delivery.supervisor import Supervisor

    Supervisor(shop.run.parent / "s.sock").stop()
    code, found = rows()
    assert code == 1
    assert found["supervisor"][0] == "failing"
    assert "its program is STOPPED" in found["supervisor"][1]


def test_doctor_names_what_is_missing(rows):
    """No target: exit 1, and the line says what to do."""
    code, found = rows()
    assert code == 1
    assert [found[part][0] for part in ("git", "sandbox", "targets", "agent")] == ["ok", "ok", "missing", "note"]
    assert "mpa init" in found["targets"][1]


def test_doctor_tells_of_settings_that_do_less_than_they_seem_to(rows, place, monkeypatch):
    """Nothing is broken, and nobody believes that it acts alone, or that other machines are answered."""
    (place / "agent.toml").write_text('[policy]\nautonomy = "autonomous"\n')
    assert rows()[1]["policy"] == (
        "note",
        'policy.autonomy = "autonomous" is not yet granted to any action: it acts as "approve"',
    )
    monkeypatch.setenv("API_HOST", "0.0.0.0")  # noqa: S104 - what is tested
    state, detail = rows()[1]["address"]
    assert state == "note"
    assert "403 to other machines" in detail
