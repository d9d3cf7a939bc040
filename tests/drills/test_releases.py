"""The team's deploys and the agent's are one at a time."""

from __future__ import annotations

import subprocess
import threading

import httpx2
import pytest

from agent.delivery.releases import Releases as AgentsReleases
from agent.errors import Busy
from drills.releases import Releases
from drills.sitting import BREAKS


class Restarts:
    """A supervisor that is watched while it restarts."""

    def __init__(self, watch):
        self._watch = watch

    def restart(self):
        self._watch()


@pytest.fixture
def repository(tmp_path):
    """One commit; returns the folder and the commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "file").write_text("text")
    for args in (
        ("init", "-q", "."),
        ("add", "."),
        ("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "One"),
    ):
        subprocess.run(["git", *args], cwd=folder, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout
    return folder, head.strip()


def test_a_deploy_waits_for_the_agents_and_the_agent_sees_it(tmp_path, repository):
    """Both lock the same file in the release folder."""
    folder, commit = repository
    root = tmp_path / "root"
    agents = AgentsReleases(root, folder)
    seen = []

    def watch():
        with pytest.raises(Busy), agents.locked():
            pass
        seen.append(agents.current())

    releases = Releases(root, folder, Restarts(watch))
    with agents.locked():
        deploy = threading.Thread(target=releases.deploy, args=(commit,), kwargs={"name": "ci-1"})
        deploy.start()
        deploy.join(0.5)
        assert releases.running() is None
    deploy.join(20)
    assert seen == [commit]
    assert [line["name"] for line in releases.deployments()] == ["ci-1"]
    with agents.locked():
        assert releases.knows(commit[:10])
        assert not releases.knows("f" * 40)
        assert releases.knows("v1.2")


@pytest.mark.parametrize(
    "error", [subprocess.CalledProcessError(1, "git"), subprocess.TimeoutExpired("git", 1), httpx2.ConnectError("gone")]
)
def test_what_breaks_on_the_way_costs_one_staging_only(error):
    """It is the result's problem, not a traceback."""
    assert isinstance(error, BREAKS)
