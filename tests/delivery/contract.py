"""What every deployer promises.

A subclass gives the fixtures ``deployer``, ``target``, ``good`` (two commits that come up) and ``broken`` (one that
does not).
"""

import pytest

from agent.errors import NotFound, Permanent


class DeployerContract:
    def test_a_deployment_that_never_was_is_not_found(self, deployer, target):
        """Looking up an unknown name gives nothing."""
        assert deployer.find(target, "deploy-1") is None

    def test_what_was_deployed_runs(self, deployer, target, good):
        """After a deploy the commit runs, answers, and is on record."""
        done = deployer.deploy(target, "deploy-1", good[0], kind="deploy")
        assert (done.commit, done.kind, done.name) == (good[0], "deploy", "deploy-1")
        assert done.finished_at is not None
        assert deployer.find(target, "deploy-1") == done
        release = deployer.running(target)
        assert (release.commit, release.healthy) == (good[0], True)

    def test_deploying_twice_restarts_once(self, deployer, target, good):
        """The second call of the same name gives the first one's record, and the same process goes on."""
        done = deployer.deploy(target, "deploy-1", good[0], kind="deploy")
        pid = deployer.running(target).pid
        assert deployer.deploy(target, "deploy-1", good[0], kind="deploy") == done
        assert deployer.running(target).pid == pid

    def test_a_roll_back_puts_the_former_release_back(self, deployer, target, good):
        """Deploy A, deploy B, roll back to A: A runs, and the record says so."""
        deployer.deploy(target, "deploy-1", good[0], kind="deploy")
        assert deployer.deploy(target, "deploy-2", good[1], kind="deploy").previous == good[0]
        assert deployer.running(target).commit == good[1]
        back = deployer.deploy(target, "rollback-2", good[0], kind="rollback")
        assert (back.kind, back.previous) == ("rollback", good[1])
        assert deployer.running(target).commit == good[0]

    def test_a_restart_is_another_process_of_the_same_release(self, deployer, target, good):
        """Once for each name."""
        deployer.deploy(target, "deploy-1", good[0], kind="deploy")
        first = deployer.running(target)
        done = deployer.restart(target, "restart-1")
        second = deployer.running(target)
        assert (done.kind, done.commit, second.commit) == ("restart", good[0], good[0])
        assert first.pid != second.pid
        assert deployer.restart(target, "restart-1") == done
        assert deployer.running(target).pid == second.pid

    def test_a_release_that_does_not_come_up_is_put_back(self, deployer, target, good, broken):
        """The deploy fails and says so, the former release runs, and trying again under the name changes nothing."""
        deployer.deploy(target, "deploy-1", good[0], kind="deploy")
        with pytest.raises(Permanent, match="put back"):
            deployer.deploy(target, "deploy-2", broken, kind="deploy")
        release = deployer.running(target)
        assert (release.commit, release.healthy) == (good[0], True)
        assert deployer.find(target, "deploy-2") is None
        with pytest.raises(Permanent, match="put back"):
            deployer.deploy(target, "deploy-2", broken, kind="deploy")
        assert deployer.running(target).pid == release.pid

    def test_an_unknown_commit_is_not_deployed(self, deployer, target, good):
        """`NotFound`, and what ran goes on."""
        deployer.deploy(target, "deploy-1", good[0], kind="deploy")
        with pytest.raises(NotFound):
            deployer.deploy(target, "deploy-2", "f" * 40, kind="deploy")
        assert deployer.running(target).commit == good[0]
