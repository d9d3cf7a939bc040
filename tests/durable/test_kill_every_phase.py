"""``kill -9`` of the real service in every phase of one incident: the same outcome, and everything done once."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable

from durable.service_process import children, running_in, until, waits_for_a_lock
from durable.small_world import World

EFFECTS = ("pull-request", "merge", "deploy")
LONGEST = 60.0


class Killer:
    """Kills the agent at one moment after the other, and starts it again; remembers where each kill fell."""

    def __init__(self, world: World) -> None:
        self.world, self.fell, self.began = world, [], time.monotonic()
        self.end = world.service.kill

    def at(self, moment: str, ready: Callable[[], object], *, phase: str, waiting: str | None = None) -> None:
        """Wait for a moment, kill, look that the incident is in that phase, start again."""
        self._kill(moment, ready, phase, waiting)
        self.world.service.start()

    def at_the_forge(self, moment: str, *, phase: str, before: Callable[[], object] = lambda: None) -> None:
        """Kill the agent while it waits for the forge's records, which somebody holds."""
        service = self.world.service
        with self.world.forge_held():
            before()
            here = lambda: self.world.rows.incident()["phase"] == phase and waits_for_a_lock(service.pid)  # noqa: E731
            self._kill(moment, here, phase, None)
        service.start()

    def story(self) -> str:
        """Where the kills fell, a line each."""
        return "\n".join(json.dumps(line) for line in self.fell)

    def _kill(self, moment: str, ready: Callable[[], object], phase: str, waiting: str | None) -> None:
        self.world.wait(ready, LONGEST, moment)
        self.end()
        incident = self.world.rows.incident()
        effects = {name: self.world.rows.effect(name) for name in EFFECTS}
        self.fell.append((round(time.monotonic() - self.began, 1), moment, incident["phase"], effects))
        assert (incident["phase"], incident["waiting"]) == (phase, waiting), moment


def test_killed_in_every_phase_it_ends_fixed_with_one_pull_request_one_merge_and_one_deploy(world):
    """Ten kills in one incident, from the accepted webhook to the conclusion; then everything is counted."""
    rows, service, killer = world.rows, world.service, Killer(world)
    begin_to_end(world, killer)
    incident = until(lambda: (now := rows.incident())["phase"] == "closed" and now, LONGEST, "the end")
    print(killer.story())  # noqa: T201 - shown when it fails
    assert (incident["outcome"], service.starts) == ("fixed", 11)
    assert len({phase for _, _, phase, _ in killer.fell}) == 5
    exactly_once(world)
    nothing_left(world)


def test_stopped_in_every_phase_it_goes_on_where_it_was(world):
    """Ctrl-C while it works ends within seconds, and is no failure of the incident; nothing is done twice or half."""
    rows, service, killer = world.rows, world.service, Killer(world)
    killer.end = service.interrupt
    alert = world.alert()
    world.deliver(alert)
    killer.at("an experiment", lambda: rows.kinds("experiment.started"), phase="investigate")
    killer.at("a trial", lambda: rows.kinds("candidate.proposed"), phase="repair")
    world.wait(lambda: rows.incident()["waiting"], LONGEST, "the question")
    world.approve()
    world.wait(lambda: rows.effect("merge"), LONGEST, "a merge half made")
    service.interrupt()  # merge and deploy take a moment: they may come to their end in it
    service.start()
    killer.at("watching production", lambda: rows.kinds("verification.observed"), phase="verify", waiting="window")
    world.deliver({**alert, "status": "resolved", "endsAt": world.alert()["startsAt"]})
    incident = until(lambda: (now := rows.incident())["phase"] == "closed" and now, LONGEST, "the end")
    print(killer.story(), rows.kinds("phase.failed"))  # noqa: T201 - shown when it fails
    assert (incident["outcome"], service.starts, rows.kinds("phase.failed")) == ("fixed", 5, [])
    exactly_once(world)
    nothing_left(world)


def begin_to_end(world: World, killer: Killer) -> None:
    """The life of one incident, and a kill wherever there is something to lose."""
    rows, killed = world.rows, killer.at
    alert = world.alert()
    world.deliver(alert)
    killed("an accepted webhook", lambda: True, phase="investigate")
    killed("an experiment", lambda: rows.kinds("experiment.started"), phase="investigate")
    killed("a pull request half made", lambda: rows.effect("pull-request"), phase="repair")
    killed("waiting for a person", lambda: rows.incident()["waiting"], phase="deliver", waiting="approval")
    killer.at_the_forge("approved, not merged", phase="deliver", before=world.approve)
    assert (rows.effect("merge"), world.history.on_main()) == ("", [])
    killed("a merge half made", lambda: rows.effect("merge"), phase="deliver")
    killed("merged, not deployed", lambda: rows.effect("merge") == "done", phase="deliver")
    assert (rows.effect("deploy"), len(world.history.on_main()), len(world.deployments())) == ("", 1, 2)
    killed("a deploy half made", (world.releases / "deployment.intent").exists, phase="deliver")
    killed("watching production", lambda: rows.kinds("verification.observed"), phase="verify", waiting="window")
    world.deliver({**alert, "status": "resolved", "endsAt": world.alert()["startsAt"]})
    killer.at_the_forge("about to close", phase="conclude")


def exactly_once(world: World) -> None:
    """Pull request, merge, deploy and the closing: each there, none twice, and the trail says the same."""
    rows, history = world.rows, world.history
    (pull_request,) = world.pull_requests()
    (merge,) = history.on_main()
    assert (pull_request["state"], pull_request["merge_commit"]) == ("merged", merge)
    assert (history.merges(), history.branches()) == ([merge], [])
    ours = [line for line in world.deployments() if line["by"] != "ci"]
    assert [(line["kind"], line["commit"], line["previous"]) for line in ours] == [("deploy", merge, history.broken)]
    assert (world.releases / "current").resolve().name == merge
    assert world.started_releases() == [history.baseline, history.broken, merge]
    assert {path.name for path in (world.releases / "releases").iterdir()} == set(world.started_releases())
    assert world.answers_well()
    (incident,) = world.service.door.incidents()
    done = [f"{name}-{incident['id']}-1" for name in EFFECTS]
    assert rows.kinds("effect.done") == done
    assert [name for (name,) in rows.ask("SELECT name FROM effects ORDER BY intent_at")] == done
    until(lambda: rows.kinds("people.told"), 5, "people were told")
    assert [len(rows.kinds(kind)) for kind in ("incident.opened", "incident.closed", "people.told")] == [1, 1, 1]
    assert world.service.door.get("/audit/verify")["intact"]


def nothing_left(world: World) -> None:
    """No process of a sandbox, no work folder of a dead process, no half-made environment, no temporary file."""
    service = world.service
    until(lambda: not children(service.pid), 10, "the end of every child process")
    folders = [path.name for path in (service.state / "work").glob("process-*")]
    assert len(folders) == 1
    assert not (world.releases / "deployment.intent").exists()
    assert service.stop() in (0, -signal.SIGTERM)  # uvicorn ends in order, then by the signal it was sent
    assert running_in(service.state) == []
    assert list((world.root / "tmp").iterdir()) == []
