"""The supervised deployer with a real supervisord, a real repository and a tiny service."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from agent.delivery.releases import KEPT_LINES, MOST_LINES, MOST_RELEASES, Releases
from agent.delivery.supervised import SupervisedDeployer
from agent.delivery.supervisor import Supervisor
from agent.errors import Busy, Misconfigured, Permanent, Unreachable
from agent.kit.clock import SystemClock
from agent.kit.git import Git
from agent.model.target import Target
from delivery.contract import DeployerContract
from delivery.supervise import start_supervisor, write_configuration
from fakes.clock import FakeClock
from fakes.target_server import TargetServer
from fakes.trail import FakeTrail

SERVICE = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        known = {"/health": {"status": "ok"}, "/status": {"build": {"commit": os.environ["SERVICE_COMMIT"]}}}
        body = json.dumps(known.get(self.path, {})).encode()
        self.send_response(200 if self.path in known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

with open(os.environ["STARTS"], "a") as starts:
    starts.write(os.environ["SERVICE_COMMIT"] + "\\n")
HTTPServer.allow_reuse_address = True
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
BROKEN = "import sys\nprint('token=abcdefgh no such table', file=sys.stderr)\nsys.exit(1)\n"
SOURCES = Path(__file__).resolve().parents[2] / "src"


class Place:
    """A repository with four commits, a release folder, and its supervisor."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.socket = root / "s.sock"
        self.starts = root / "starts"
        work = root / "work"
        work.mkdir()
        git = Git(work)
        git.run("init", "-q", "-b", "main")
        self.commits = tuple(
            self._commit(git, text) for text in (SERVICE, SERVICE + "# two\n", SERVICE + "# three\n", BROKEN)
        )
        git.run("clone", "-q", "--bare", str(work), str(root / "target.git"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.target = Target(
            name="shop",
            url=f"http://127.0.0.1:{self.port}",
            repository=root / "target.git",
            supervisor=self.socket,
            release_root=root / "run",
        )
        argv = [sys.executable, "-B", "service.py", str(self.port)]
        conf = write_configuration(root / "run", argv, {"STARTS": str(self.starts)}, self.socket, retries=1)
        self.started = start_supervisor(conf, self.socket)

    @staticmethod
    def _commit(git: Git, text: str) -> str:
        (git.path / "service.py").write_text(text)
        git.run("add", "-A")
        git.run("commit", "-q", "-m", "change")
        return git.resolve("HEAD")

    def started_commits(self) -> list[str]:
        return self.starts.read_text().split() if self.starts.exists() else []

    @property
    def releases(self) -> Releases:
        return Releases(self.root / "run", self.root / "target.git")


@pytest.fixture
def place():
    root = Path(tempfile.mkdtemp(prefix="mpa-"))  # short: a unix socket's path is limited
    made = Place(root)
    yield made
    made.started.stop()
    shutil.rmtree(root)


@pytest.fixture
def deployer():
    made = SupervisedDeployer(SystemClock(), health_timeout=30.0)
    yield made
    made.close()


@pytest.fixture
def target(place):
    return place.target


class TestSupervisedDeployer(DeployerContract):
    @pytest.fixture
    def good(self, place):
        return place.commits[:2]

    @pytest.fixture
    def broken(self, place):
        return place.commits[3]


def test_the_put_back_is_on_record_and_the_log_is_told(deployer, place, target):
    """The error quotes the log's end without its secrets; the history says who was put back."""
    deployer.deploy(target, "deploy-1", place.commits[0], kind="deploy")
    with pytest.raises(Permanent, match="no such table") as told:
        deployer.deploy(target, "deploy-2", place.commits[3], kind="deploy")
    assert "abcdefgh" not in str(told.value)
    back = deployer.find(target, "deploy-2-put-back")
    assert (back.kind, back.commit, back.previous) == ("rollback", place.commits[0], place.commits[3])


def test_a_first_release_that_does_not_come_up_says_that_nothing_can_be_put_back(deployer, place, target):
    """There is no other release."""
    with pytest.raises(Permanent, match="no other release"):
        deployer.deploy(target, "deploy-1", place.commits[3], kind="deploy")


def test_a_release_is_a_whole_read_only_checkout_named_by_its_commit(deployer, place, target):
    """``current`` points at it, and the record line has exactly the promised fields."""
    deployer.deploy(target, "deploy-1", place.commits[0], kind="deploy")
    folder = place.root / "run" / "releases" / place.commits[0]
    assert (place.root / "run" / "current").resolve() == folder
    assert not (folder / "service.py").stat().st_mode & 0o222
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".")]
    line = json.loads((place.root / "run" / "deployments.ndjson").read_text())
    assert set(line) == {"name", "kind", "commit", "previous", "by", "started_at", "finished_at"}


def test_another_program_s_record_lines_are_read_and_torn_ones_passed_over(deployer, place, target):
    """CI appends to the same file; a torn last line does not swallow the next one."""
    lines = place.root / "run" / "deployments.ndjson"
    when = "2026-11-02T12:00:00+00:00"
    theirs = {"name": "ci-1", "kind": "deploy", "commit": place.commits[0], "by": "ci", "started_at": when, "x": 1}
    lines.write_text(json.dumps(theirs) + '\nnull\n{"name": "torn')
    assert deployer.find(target, "ci-1").by == "ci"
    deployer.deploy(target, "deploy-1", place.commits[0], kind="deploy")
    assert [one.name for one in place.releases.deployments()] == ["ci-1", "deploy-1"]


def test_a_supervisor_that_is_down_is_unreachable_and_nothing_is_recorded(deployer, place, target):
    """Worth another try; what runs is still told from the record."""
    deployer.deploy(target, "deploy-1", place.commits[0], kind="deploy")
    place.started.stop()
    with pytest.raises(Unreachable):
        deployer.deploy(target, "deploy-2", place.commits[1], kind="deploy")
    release = deployer.running(target)
    assert (release.commit, release.healthy, release.pid) == (place.commits[0], False, None)


def test_a_target_that_is_wrong_about_its_commit_is_not_believed(place):
    """What its process was started from is what runs; that the two disagree stands in the trail."""
    trail = FakeTrail(FakeClock())
    deployer = SupervisedDeployer(SystemClock(), trail)
    deployer.deploy(place.target, "deploy-1", place.commits[0], kind="deploy")
    with TargetServer() as liar:
        liar.build = place.commits[2]
        asked = place.target.model_copy(update={"url": liar.url})
        assert deployer.running(asked).commit == place.commits[0]
    (entry,) = [entry for entry in trail.entries() if entry.kind == "release.disagrees"]
    assert entry.data == {"started": place.commits[0], "claimed": place.commits[2]}
    deployer.close()


def test_one_deployment_at_a_time(deployer, place, target):
    """A second one while the first is under way is asked to wait."""
    with place.releases.locked(), pytest.raises(Busy):
        deployer.deploy(target, "deploy-1", place.commits[0], kind="deploy")


def test_a_target_without_a_supervisor_is_said(deployer, target):
    """The message names the settings."""
    bare = target.model_copy(update={"supervisor": None})
    with pytest.raises(Misconfigured, match="release_root"):
        deployer.running(bare)


def test_an_unknown_program_is_said(place):
    """A supervisor without the program is a wrong setting, not an outage."""
    with pytest.raises(Misconfigured, match="no program"):
        Supervisor(place.socket, "other").state()


KILLED = """
import os, signal, sys
from pathlib import Path
from agent.delivery import releases, supervised, supervisor
from agent.kit.clock import SystemClock
from agent.model.target import Target

target, name, commit, when = sys.argv[1:]
calls = {"n": 0, "log": []}

def bomb(owner, attribute):
    real = getattr(owner, attribute)
    def call(*args, **kwargs):
        for _ in ("before", "after"):
            calls["n"] += 1
            if calls["n"] == int(when):
                os.kill(os.getpid(), signal.SIGKILL)
            if _ == "before":
                result = real(*args, **kwargs)
        return result
    setattr(owner, attribute, call)

bomb(releases.Releases, "intend")
bomb(releases.Releases, "unpack")
bomb(releases.Releases, "switch")
bomb(supervisor.Supervisor, "stop")
bomb(supervisor.Supervisor, "restart")
bomb(releases, "append_line")
bomb(releases.Releases, "record")
deployer = supervised.SupervisedDeployer(SystemClock(), health_timeout=30.0)
try:
    deployer.deploy(Target.model_validate_json(target), name, commit, kind="deploy")
except supervised.Permanent:
    sys.exit(3)
"""


def deploy_and_die(place, name, commit, when):
    """Deploy in a process that kills itself before or after its n-th effect; its return code."""
    return subprocess.run(
        [sys.executable, "-c", KILLED, place.target.model_dump_json(), name, commit, str(when)],
        env={"PYTHONPATH": str(SOURCES), "PATH": os.environ["PATH"]},
        check=False,
        timeout=60,
    ).returncode


def starts_once(place, commit):
    """Wait until the service's own start is written, then count the starts of one commit."""
    deadline = time.monotonic() + 5
    while commit not in place.started_commits() and time.monotonic() < deadline:
        time.sleep(0.05)
    return place.started_commits().count(commit)


def test_killed_anywhere_then_deployed_again_is_one_restart_and_one_record(deployer, place, target):
    """Fourteen places to die in: the second call ends with the same release, started once, recorded once."""
    deployer.deploy(target, "deploy-0", place.commits[0], kind="deploy")
    died = 0
    for when in range(1, 30):
        commit = place.commits[1 + when % 2]
        before = len(place.started_commits())
        code = deploy_and_die(place, f"deploy-{when}", commit, when)
        if code == 0:
            break
        assert code == -9
        died += 1
        done = deployer.deploy(target, f"deploy-{when}", commit, kind="deploy")
        assert done.commit == commit
        assert place.started_commits()[before:] == [commit]
        assert [one.name for one in place.releases.deployments()].count(f"deploy-{when}") == 1
        assert deployer.running(target).commit == commit
        assert place.releases.intent() is None
    assert died == 14


@pytest.mark.parametrize("when", [11, 12, 13, 15, 18, 19, 21])
def test_killed_while_putting_back_then_called_again_still_puts_back(deployer, place, target, when):
    """Whichever step of the failed deployment died, the former release runs afterwards and it is said once."""
    deployer.deploy(target, "deploy-1", place.commits[0], kind="deploy")
    assert deploy_and_die(place, "deploy-2", place.commits[3], when) == -9
    with pytest.raises(Permanent, match="put back"):
        deployer.deploy(target, "deploy-2", place.commits[3], kind="deploy")
    release = deployer.running(target)
    assert (release.commit, release.healthy) == (place.commits[0], True)
    assert [one.name for one in place.releases.deployments()] == ["deploy-1", "deploy-2-put-back"]
    assert place.started_commits() == [place.commits[0]] * 2
    assert place.releases.intent() is None


def test_a_deployment_cut_short_and_never_resumed_is_settled_by_the_next(deployer, place, target):
    """If its release came to run it is on record; the next deployment's record follows."""
    deployer.deploy(target, "deploy-1", place.commits[0], kind="deploy")
    assert deploy_and_die(place, "deploy-2", place.commits[1], 10) == -9
    assert starts_once(place, place.commits[1]) == 1
    deployer.deploy(target, "deploy-3", place.commits[2], kind="deploy")
    assert [(one.name, one.previous) for one in place.releases.deployments()[1:]] == [
        ("deploy-2", place.commits[0]),
        ("deploy-3", place.commits[1]),
    ]


def test_the_service_outlives_the_deployer(place, target):
    """A deployer that ends leaves the service running."""
    assert deploy_and_die(place, "deploy-1", place.commits[0], 99) == 0
    reader = SupervisedDeployer(SystemClock())
    assert reader.running(target).healthy
    reader.close()


def test_old_releases_and_old_lines_are_removed(tmp_path):
    """At most ten releases besides the kept ones, and a bounded record."""
    releases = Releases(tmp_path, tmp_path)
    for number in range(MOST_RELEASES + 5):
        folder = releases.folder(f"{number:040x}")
        folder.mkdir(parents=True)
        os.utime(folder, (number, number))
    releases.prune(f"{0:040x}")
    left = {path.name for path in (tmp_path / "releases").iterdir()}
    assert left == {f"{number:040x}" for number in (0, *range(5, MOST_RELEASES + 5))}
    line = {"name": "n", "kind": "deploy", "commit": "c", "started_at": "2026-11-02T12:00:00Z"}
    (tmp_path / "deployments.ndjson").write_text((json.dumps(line) + "\n") * MOST_LINES)
    releases.record(releases.deployments()[0].model_copy(update={"name": "last"}))
    assert len(releases.deployments()) == KEPT_LINES
    assert releases.find("last") is not None


@pytest.mark.parametrize(
    ("argv", "env"),
    [(["run", "a ;b"], {}), (["run", "a\nb"], {}), (["run"], {"A": 'x"y'}), (["run"], {"A B": "x"})],
)
def test_what_the_configuration_cannot_say_is_refused(tmp_path, argv, env):
    """Comments, new lines and quotes would change the meaning of supervisord's file."""
    with pytest.raises(Misconfigured):
        write_configuration(tmp_path, argv, env, tmp_path / "s")


def test_a_socket_path_that_is_too_long_is_refused(tmp_path):
    """The limit is the kernel's; the message says so before supervisord fails silently."""
    with pytest.raises(Misconfigured, match="longer"):
        write_configuration(tmp_path, ["run"], {}, tmp_path / ("s" * 100))
