"""Mitigations on a real server: what is sent, what is read, what is refused."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agent.actions.former_settings import FormerSettings
from agent.actions.remedies import TargetRemedies
from agent.errors import Misconfigured, Permanent, Unreachable
from agent.kit.http import HttpClient
from agent.model.plan import Option
from agent.model.target import Target, TargetAction
from fakes.clock import FakeClock
from fakes.deployer import FakeDeployer

QUARANTINE = TargetAction(
    kind="quarantine",
    path="/quarantine",
    body='{"scope": "*", "reason": "{reason}", "seconds": {seconds}}',
    seconds=600,
)
RETRAIN = TargetAction(kind="retrain", path="/retrain", answers="candidate")
PROMOTE = TargetAction(kind="promote", path="/models/{version}/promote")


class Answers(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        self.server.asked.append((self.path, body))
        status, answer = self.server.answers.get(self.path, (200, {}))
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made.asked, made.answers = [], {}
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def http():
    made = HttpClient()
    yield made
    made.close()


@pytest.fixture
def target(server, tmp_path):
    address = f"http://127.0.0.1:{server.server_port}"
    return Target(name="shop", url=address, repository=tmp_path, action=(QUARANTINE, RETRAIN, PROMOTE))


@pytest.fixture
def remedies(http, tmp_path):
    return TargetRemedies(FakeDeployer(()), http, FormerSettings(tmp_path / "kept"), FakeClock())


def test_a_quarantine_says_why_and_how_long(remedies, server, target):
    """The reason is a stranger's text: it stays one JSON string, and fills nothing in."""
    deed = remedies.carry_out(target, "quarantine-1", Option(remedy="quarantine"), 'errors", "scope": "{version}')
    path, body = server.asked[0]
    assert (path, json.loads(body)["scope"], json.loads(body)["seconds"]) == ("/quarantine", "*", 600)
    assert json.loads(body)["reason"] == 'errors", "scope": "{version}'
    assert (deed.until - deed.at).total_seconds() == 600


def test_a_quarantine_is_lifted_by_one_that_is_over_at_once(remedies, server, target):
    assert remedies.lift(target, "lift-1").said == "the quarantine was lifted"
    assert json.loads(server.asked[0][1])["seconds"] < 1
    nothing = target.model_copy(update={"action": (RETRAIN,)})
    assert remedies.lift(nothing, "lift-1") is None


def test_training_tells_the_candidate_and_promotion_names_it(remedies, server, target):
    server.answers["/retrain"] = (201, {"candidate": "c2026-7", "serving": "v1"})
    made = remedies.carry_out(target, "retrain-1", Option(remedy="retrain"), "")
    assert (made.version, server.asked) == ("c2026-7", [("/retrain", "")])
    remedies.carry_out(target, "promote-1", Option(remedy="promote", detail=made.version), "")
    assert server.asked[1][0] == "/models/c2026-7/promote"


@pytest.mark.parametrize("version", ["../quarantine", "a/b", "..", "a?b"])
def test_a_version_that_would_name_another_address_is_refused(remedies, server, target, version):
    with pytest.raises(Permanent, match="address"):
        remedies.carry_out(target, "promote-1", Option(remedy="promote", detail=version), "")
    assert server.asked == []


def test_a_refusal_is_told_with_its_reason_and_trouble_is_tried_again(remedies, server, target):
    server.answers["/retrain"] = (409, {"detail": "too few bars"})
    with pytest.raises(Permanent, match="too few bars"):
        remedies.carry_out(target, "retrain-1", Option(remedy="retrain"), "")
    server.answers["/retrain"] = (503, {})
    with pytest.raises(Unreachable):
        remedies.carry_out(target, "retrain-1", Option(remedy="retrain"), "")


def test_a_candidate_without_a_name_cannot_be_promoted(remedies, target):
    with pytest.raises(Permanent, match="answers"):
        remedies.carry_out(target, "retrain-1", Option(remedy="retrain"), "")


def test_what_the_target_does_not_declare_is_not_done(remedies, server, target):
    bare = target.model_copy(update={"action": ()})
    with pytest.raises(Misconfigured, match="quarantine"):
        remedies.carry_out(bare, "quarantine-1", Option(remedy="quarantine"), "")
    assert server.asked == []


def test_what_was_deployed_is_looked_up_by_its_name(remedies, target):
    deployer = remedies._deployer
    deployer.known.add("a" * 40)
    option = Option(remedy="rollback", detail="a" * 40)
    assert remedies.find(target, "rollback-1", option) is None
    done = remedies.carry_out(target, "rollback-1", option, "")
    assert remedies.find(target, "rollback-1", option) == done
    assert deployer.restarts == 1
