"""Long runs on real processes, `make chaos`: kills at random moments, and a service that is kept busy for minutes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from agent.store.store import MOST_DELIVERIES
from chaos.figures import Figures
from drills.door import Refused
from drills.ground import Ground
from drills.processes import born
from drills.stage import PROJECT, Stage
from drills.targets import MARKET
from durable.service_process import Rows, children, living, running_in, until
from durable.small_world import World

pytestmark = pytest.mark.chaos
KILLS = 12
PHASES = ("investigate", "repair", "deliver", "verify")  # to conclude takes no time that one could aim at
EFFECTS = ("pull-request", "merge", "deploy")
INCIDENT_SECONDS = 600.0
LONGEST_LIFE = 60.0  # seconds between two kills
ENDURANCE_SECONDS = float(os.environ.get("CHAOS_SECONDS", "300"))
NEWS_SHARE = 0.7  # of the time; after it only what is known already is sent again
SEED = 20


class Staged:
    """The demo target on its stage, with an agent that is killed and started again."""

    def __init__(self, seed: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mpa-"))  # short: a unix socket's path is limited
        run = Ground(self.folder).new_run()
        self.stage = Stage(run, Ground(PROJECT / ".mpa-demo").cache, seed, "embedded", lambda _: None)
        self.processes, self.state = run.processes, run.folder / "state"
        self.rows = Rows(self.state / "agent.db")
        self.door = self.stage.door()
        self.fell: list[str] = []
        self.left: dict[int, int] = {}  # what ran when the agent was killed

    def open(self) -> None:
        """Calm first, then the fault."""
        self.stage.build()
        self.stage.start()
        until(lambda: self.door.signals().get("error_ratio") is not None, 30, "traffic to be measured")
        self.stage.inject()

    def close(self) -> None:
        """End and remove everything."""
        self.door.close()
        self.processes.end_all()
        shutil.rmtree(self.folder)

    def kill(self) -> None:
        """SIGKILL of the agent alone; what it leaves running is remembered."""
        agent = self.processes._recorded("agent")
        self.left |= {**children(agent.pid), agent.pid: agent.born}
        os.kill(agent.pid, signal.SIGKILL)
        until(lambda: born(agent.pid) != agent.born, 10, "the end of the agent")
        incident = self.rows.incident()
        self.fell.append(f"{incident.get('phase', 'before it opened')} ({incident.get('waiting') or 'working'})")

    def start(self) -> None:
        """The agent again, on the same state."""
        argv = [sys.executable, "-m", "agent.cli", "serve"]
        self.stage._start("agent", argv, self.stage._agent_environment())

    def entries(self) -> int:
        """How long the trail is."""
        return (self.rows.ask("SELECT max(seq) FROM audit") or [(0,)])[0][0] or 0

    def answer(self) -> None:
        """The person says yes as soon as the agent asks and is up."""
        incident = self.rows.incident()
        if incident.get("waiting") != "approval":
            return
        try:
            asked = self.door.get(f"/incidents/{incident['id']}")["approvals"][-1]
            if asked["state"] == "pending":
                self.door.post(f"/incidents/{incident['id']}/approve", {"by": "ines", "subject": asked["subject"]})
        except Refused:
            return  # it is starting: asked again

    def closed(self) -> bool:
        """Whether the incident is over; the person looks on."""
        self.answer()
        return self.rows.incident().get("phase") == "closed"

    def live_on(self, phase: str, chance: random.Random) -> None:
        """Let it work until a random moment of a phase: at once, after some steps, or when it is just over."""
        deadline = time.monotonic() + LONGEST_LIFE
        late = PHASES[PHASES.index(phase) :]
        self._watch(lambda: self.rows.incident().get("phase", PHASES[0]) not in late, deadline)
        goal = self.entries() + chance.choice((0, chance.randint(1, 3), chance.randint(1, 12)))
        self._watch(lambda: self.entries() < goal and self._in(phase), deadline)
        moment = time.monotonic() + chance.uniform(0, 0.8)
        self._watch(lambda: time.monotonic() < moment and self._in(phase), deadline)

    def _in(self, phase: str) -> bool:
        return self.rows.incident().get("phase", PHASES[0]) == phase

    def _watch(self, going_on: Callable[[], bool], deadline: float) -> None:
        while going_on() and time.monotonic() < deadline and not self.closed():
            time.sleep(0.02)


@pytest.fixture
def staged(request) -> Iterator[Staged]:
    """The demo's stage, broken."""
    made = Staged(request.param)
    try:
        made.open()
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("staged", [1, 2], indirect=True, ids=lambda seed: f"seed {seed}")
def test_a_dozen_kills_at_random_moments_end_in_one_verified_fix(staged, capsys):
    """Wherever they fall, in the start-up too: the same outcome, one pull request, one merge, one deploy."""
    chance = random.Random(SEED + staged.stage.seed)
    for phase in PHASES:
        for _ in range(KILLS // len(PHASES)):
            staged.live_on(phase, chance)
            if not staged.closed():
                staged.kill()
                staged.start()
    kills = len(staged.fell)
    try:
        until(staged.closed, INCIDENT_SECONDS, "the end of the incident", every=0.2)
    finally:
        with capsys.disabled():
            sys.stdout.write(
                f"\nchaos seed {SEED + staged.stage.seed}, fault {staged.stage.fault.name}, {kills} kills: "
            )
            sys.stdout.write(f"{dict(Counter(staged.fell))}\n")
    until(staged.door.healthy, 60, "the agent's health")
    assert kills > KILLS * 3 // 4  # the last ones may come too late
    once_and_well(staged)
    nothing_left(staged)


def once_and_well(staged: Staged) -> None:
    """Everything there, nothing twice, and the trail holds."""
    rows = staged.rows
    incident = rows.incident()
    trail = "\n".join(
        f"{kind}: {said[:300]}" for kind, said in rows.ask("SELECT kind, message FROM audit ORDER BY seq")
    )
    assert incident["outcome"] == "fixed", trail
    assert len(rows.ask("SELECT id FROM incidents")) == 1, trail
    records = [json.loads(path.read_text()) for path in (staged.state / "forge" / MARKET.name).glob("*.json")]
    (pull_request,) = [record["pull_request"] for record in records]
    assert pull_request["state"] == "merged"
    lines = (staged.stage._target / "deployments.ndjson").read_text().splitlines()
    ours = [line for line in map(json.loads, lines) if line["by"] != "ci"]
    assert [(line["kind"], line["commit"]) for line in ours] == [("deploy", pull_request["merge_commit"])]
    assert staged.stage.releases.current.resolve().name == pull_request["merge_commit"]
    assert rows.kinds("effect.done") == [f"{name}-{incident['id']}-1" for name in EFFECTS], trail
    assert len(rows.kinds("incident.closed")) == 1
    assert staged.door.get("/audit/verify")["intact"]


def nothing_left(staged: Staged) -> None:
    """Of all the killed agents no work folder; of the last one, when it is ended, no process."""
    agent = staged.processes._recorded("agent")
    until(lambda: not children(agent.pid), 20, "the end of every child process")
    assert living(staged.left) == []
    assert len(list((staged.state / "work").glob("process-*"))) == 1
    staged.processes.end("agent")
    assert running_in(staged.state) == []


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    """The small target, well; nothing is wrong with it whatever the alerts say."""
    made = World(tmp_path / "environments")
    try:
        made.deploy("ci-baseline", made.history.baseline)
        made.service.start()
        yield made
    finally:
        made.close()


class Stream:
    """Deliveries as a busy Alertmanager pair sends them: new alerts, the same ones again, resolved ones, nonsense."""

    def __init__(self, world: World, seed: int) -> None:
        self._world, self._chance = world, random.Random(seed)
        self._known: list[dict[str, Any]] = []
        self.sent: Counter[str] = Counter()

    def send(self, *, fresh: bool) -> None:
        """One delivery; without ``fresh`` only what was sent before."""
        kinds = ("new", "again", "again", "resolved", "many", "nonsense") if fresh else ("again", "nonsense")
        kind = self._chance.choice(kinds) if self._known else "new"
        self.sent[kind] += 1
        if kind == "nonsense":
            self._nonsense()
        else:
            self._world.deliver(*self._alerts(kind))

    def _alerts(self, kind: str) -> list[dict[str, Any]]:
        if kind == "new":
            self._known.append(self._new())
            return self._known[-1:]
        if kind == "many":
            return self._chance.choices(self._known, k=20)
        index = self._chance.randrange(len(self._known))
        if kind == "resolved":
            self._known[index] = {**self._known[index], "status": "resolved", "endsAt": self._world.alert()["startsAt"]}
        return [self._known[index]]

    def _new(self) -> dict[str, Any]:
        number = self._chance.randrange(10)
        target = "sums" if self._chance.random() < 0.8 else "somebody-else"
        return self._world.alert(alertname=f"HighErrorRatio{number}", target=target)

    def _nonsense(self) -> None:
        answer = httpx2.post(
            f"{self._world.service.door.url}/webhook/alerts",
            content=self._chance.choice((b"{", b"[]", b'{"version": "3"}', b'{"version": "4", "alerts": 1}')),
            headers={"authorization": "Bearer a-webhook-secret", "content-type": "application/json"},
            timeout=10,
        )
        assert 400 <= answer.status_code < 500


def settled(rows: Rows) -> bool:
    """Whether no incident is being worked on."""
    active = rows.ask("SELECT body FROM incidents WHERE phase <> 'closed'")
    return all(json.loads(body)["waiting"] == "operator" for (body,) in active)


def test_a_busy_service_stays_small_and_quick(world, capsys):
    """Minutes of webhooks and monitor cycles: memory and files bounded, health within a second, nothing kept twice."""
    stream, figures, rows = Stream(world, SEED), Figures(world.service, world.rows), world.rows
    began = time.monotonic()
    only_known = began + ENDURANCE_SECONDS * NEWS_SHARE
    kept: dict[str, int] = {}
    while (now := time.monotonic()) < began + ENDURANCE_SECONDS:
        stream.send(fresh=now < only_known)
        if not kept and now >= only_known and settled(rows):
            kept = figures.tables()
        figures.take(every=ENDURANCE_SECONDS / 30)
        time.sleep(0.05)
    figures.take(every=0)
    with capsys.disabled():
        sys.stdout.write(f"\nseed {SEED}, {ENDURANCE_SECONDS:.0f} s, sent {dict(stream.sent)}\n{figures.table()}\n")
    grown = {name: count - kept[name] for name, count in figures.tables().items() if count != kept[name]}
    assert set(grown) <= {"deliveries"}, "what was known already was kept again"
    assert figures.tables()["deliveries"] <= MOST_DELIVERIES
    figures.check()
    assert world.service.door.get("/audit/verify")["intact"]
