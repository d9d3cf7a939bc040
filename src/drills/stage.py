"""The stage of one demo: a repository with history, the running target, its traffic, and the agent beside them.

Everything is started detached: the incident goes on when the demo is killed. `Ground.clean` ends it.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from . import environment, prometheus, targets
from .addresses import HeldPorts, answers, socket_file
from .door import Door
from .drill import Drill
from .ground import Run
from .history import History, materialise
from .meter import Meter
from .releases import Releases
from .settings_files import dotenv, toml
from .supervision import Supervisor
from .targets import Staging
from .wiring import Wiring

Stack = Literal["embedded", "prometheus"]

PROJECT: Final = Path(__file__).resolve().parents[2]
EXCHANGE_MODULE: Final = "market_predictor.exchange"
TRAFFIC_SECONDS: Final = 900.0  # it ends by itself, should nobody end it
_BATCH_SECONDS: Final = 3.0  # between two runs of a target's batch job
_START_SECONDS: Final = 60.0
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


class Broken(Exception):
    """A part of the stage did not come up; the message says which and where its log is."""


@dataclass(frozen=True)
class Ports:
    """Loopback ports of one run."""

    target: int
    agent: int
    prometheus: int
    alertmanager: int
    exchange: int
    upstream: int


@dataclass
class Stage:
    """One staged target and its agent. ``say`` is told what is being done; ``wanted`` is the drill, else the seed chooses.

    ``autonomy`` is how far the agent may go; with ``rehearsal`` the history also holds a release without the faults.
    """

    run: Run
    cache: Path
    seed: int
    stack: Stack
    say: Callable[[str], None]
    wanted: Drill | None = None
    autonomy: str = "approve"
    rehearsal: bool = False
    ports: Ports = field(init=False)

    def __post_init__(self) -> None:
        self.staging: Staging = targets.of(self.wanted)
        self.secret = secrets.token_urlsafe(24)
        self._socket = socket_file(self.run.folder)
        self.supervisor = Supervisor(self._socket)
        self.broken_commit = ""
        self._pushed = self._crowds = 0
        self._orders: list[dict[str, Any]] = []
        self._history: History | None = None
        self._helpers: list[str] = []
        self._held: HeldPorts | None = None

    @property
    def target_url(self) -> str:
        """Where the target answers."""
        return f"http://127.0.0.1:{self.ports.target}"

    @property
    def agent_url(self) -> str:
        """Where the agent answers."""
        return f"http://127.0.0.1:{self.ports.agent}"

    @property
    def traffic_file(self) -> Path:
        """Where the traffic process writes what it saw."""
        return self.run.folder / "traffic.ndjson"

    @property
    def history(self) -> History:
        """The materialised history. Raises `Broken` before `build`."""
        if self._history is None:
            raise Broken("the stage was not built")
        return self._history

    @property
    def drill(self) -> Drill:
        """The drill that the seed chose, or the one that was asked for."""
        return self.history.drill

    def build(self) -> None:
        """Make the repository, the target's environment and all configuration. Raises `Broken`."""
        self._history = materialise(
            self._origin,
            self.seed,
            drill=self.wanted,
            innocent=self.rehearsal,
            workshop=self.run.papers / "workshop.git",
        )
        self.say("the target's history is written; now its environment is built, once for each lock")
        for commit in (self._history.head, self._history.baseline):
            self._python = environment.build(self._history.lock_of(commit), self._environments)
        self._held = HeldPorts(6)  # late, and until this process ends: a server that restarts finds its port again
        self.ports = Ports(*self._held.numbers)
        self.say("the environment is built; now the target, its traffic and the agent are started")
        for folder in (self._target, self._target / "var", self.run.folder / "state"):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._settings.write_text(_exports(self._first_settings()), encoding="utf-8")
        self._write_supervisor()
        self._write_agent()

    def start(self) -> None:
        """Start the supervisor, the baseline release, the traffic and the agent. Raises `Broken`."""
        self._start("supervisor", [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._conf)])
        self._until("supervisor", self.supervisor.answers)
        self.releases.unpack(self.history.baseline)
        self._start_world()
        self.deploy(self.history.baseline, name="ci-baseline")
        self._start_batch()
        self._until("supervisor", self.target_answers)
        self._start("traffic", self._traffic_command())
        self._start("agent", [sys.executable, "-m", "agent.cli", "serve"], self._agent_environment(), helper=False)
        if self.stack == "prometheus":
            self._helpers += ["alertmanager", "prometheus"]
            prometheus.start(self.run, prometheus.find_programs(self.cache), self._servers())
        door = self.door()
        try:
            self._until("agent", door.healthy)
        finally:
            door.close()

    def close(self) -> None:
        """Let go of the ports, once everything has ended; so does the end of this process."""
        if self._held is not None:
            self._held.close()

    def inject(self) -> float:
        """Push the next release and deploy it as the team's CI would; returns when (epoch seconds)."""
        push = self.history.pushes[self._pushed]
        self.history.release(self._pushed)
        self._pushed += 1
        at = time.time()
        self.deploy(push.head, name=f"ci-{push.head[:10]}")
        self.broken_commit = push.head if push.broken else self.broken_commit
        return at

    def deploy(self, commit: str, *, name: str, by: str = "ci", kind: str = "deploy") -> None:
        """Put any commit of the history live, as the team's CI would."""
        self.releases.deploy(commit, name=name, by=by, kind=kind)

    def configure(self, env: Mapping[str, str]) -> None:
        """Set variables for the service and restart it: a configuration change goes live."""
        with self._settings.open("a", encoding="utf-8") as file:
            file.write(_exports(env))
        self.supervisor.restart()

    def order(self, orders: list[dict[str, Any]]) -> None:
        """What goes wrong in front of the target's upstream from now on; nothing with an empty list."""
        fresh = self._orders_file.with_suffix(".new")
        fresh.write_text(json.dumps({"orders": orders}), encoding="utf-8")
        fresh.replace(self._orders_file)
        self._orders = orders

    @property
    def orders(self) -> list[dict[str, Any]]:
        """What goes wrong there now."""
        return list(self._orders)

    def set_clock(self, market: datetime | None) -> None:
        """Market time jumps, with a restart; None puts it back to where it would have been."""
        file = self._target / "var" / "clock.json"
        kept = file.with_suffix(".kept")
        if not kept.exists():
            kept.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        jumped = json.dumps({"market": market.isoformat(), "wall": time.time()}) if market else None
        file.write_text(jumped or kept.read_text(encoding="utf-8"), encoding="utf-8")
        self.supervisor.restart()

    def serve_shipped_model(self) -> None:
        """Nothing promoted serves any more, from a restart on."""
        (self._target / "var" / "models" / "serving").unlink(missing_ok=True)
        self.supervisor.restart()

    def report_change(self, change: Mapping[str, str]) -> None:
        """Tell the agent of a change, as CI would. Raises `Refused`."""
        door, now = self.door(), datetime.now(UTC).isoformat()
        try:
            body = {
                "id": f"ci-{now}",
                "timestamp": now,
                "component": self.target_name,
                "author": "ci",
                "target": self.target_name,
                **change,
            }
            door.post("/changes", body)
        finally:
            door.close()

    def more_traffic(self, rate: float, seconds: float, requests: Sequence[Mapping[str, Any]] = ()) -> None:
        """Users come in crowds, for a while; with ``requests`` they ask for exactly these, else for the usual."""
        self._crowds += 1
        options = {"--url": self.target_url, "--seed": "1", "--rate": str(rate), "--seconds": str(seconds)}
        options |= {"--out": str(self.run.folder / f"crowd-{self._crowds}.ndjson"), "--mix": self.staging.mix}
        if requests:
            script = self.run.folder / f"crowd-{self._crowds}.json"
            script.write_text(json.dumps(list(requests)), encoding="utf-8")
            options["--script"] = str(script)
        elif self.staging.requests:
            options["--script"] = str(self.staging.requests)
        self._start(f"crowd-{self._crowds}", [sys.executable, "-m", "drills.traffic", *_flags(options)], helper=False)

    def spoil_model(self, action: str, factor: float) -> None:
        """Promote a model file that is cut short, or whose weights are multiplied; it serves from the next start on."""
        shipped = self.releases.current / "src" / "market_predictor" / "artifacts" / "model-v1.json"
        text = shipped.read_text(encoding="utf-8")
        folder = self._target / "var" / "models"
        folder.mkdir(exist_ok=True)
        if action == "truncate":
            spoiled = text[: len(text) // 2]
        else:
            model = json.loads(text)
            for horizons in model["coefficients"].values():
                for weights in horizons.values():
                    weights[:] = [weight * factor for weight in weights]
            spoiled = json.dumps({**model, "version": "v2"})
        (folder / "v2.json").write_text(spoiled, encoding="utf-8")
        (folder / "serving").write_text("v2", encoding="utf-8")
        self.supervisor.restart()

    def log_tail(self, size: int) -> str:
        """The end of the service's log."""
        file = self._target / "service.log"
        if not file.exists():
            return ""
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - size))
            return log.read().decode("utf-8", errors="replace")

    def door(self) -> Door:
        """The agent's public door."""
        return Door(self.agent_url, self.run.folder / "state" / "token")

    def target_answers(self) -> bool:
        """Whether the target is up, and is ours: where it says which commit it runs, that one was unpacked here."""
        if not answers(f"{self.target_url}/health"):
            return False
        meter = Meter(self.target_url, self.traffic_file)
        try:
            commit = meter.running()
        finally:
            meter.close()
        return commit is None or self.releases.knows(commit)

    def helpers_alive(self) -> list[str]:
        """The names of those that were started around the agent and have died, sorted; crowds may go."""
        return sorted(name for name in self._helpers if not self.run.processes.alive(name))

    @property
    def releases(self) -> Releases:
        """The target's releases."""
        return Releases(self._target, self._origin, self.supervisor)

    @property
    def _origin(self) -> Path:
        return self.run.folder / "forge" / f"{self.target_name}.git"

    @property
    def _target(self) -> Path:
        return self.run.folder / "target"

    @property
    def python(self) -> Path:
        """The interpreter that the current release runs with."""
        lock = self.releases.current / "requirements.txt"
        found = environment.interpreter(lock.read_text(encoding="utf-8"), self._environments) if lock.exists() else None
        return found or self._python

    @property
    def target_environment(self) -> dict[str, str]:
        """What the target's own code needs to be found and run."""
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "PYTHONPATH": self.staging.sources,
            "HOME": str(self._target),
        }

    @property
    def target_name(self) -> str:
        """The target's name, as the agent knows it."""
        return self.staging.name

    @property
    def _environments(self) -> Path:
        return self.cache / "environments"

    @property
    def _orders_file(self) -> Path:
        return self.run.folder / "orders.json"

    @property
    def _settings(self) -> Path:
        return self._target / "service.env"

    @property
    def _conf(self) -> Path:
        return self._target / "supervisord.conf"

    def _start(self, name: str, argv: list[str], env: Mapping[str, str] | None = None, *, helper: bool = True) -> None:
        self._helpers += [name] if helper else []
        self.run.processes.start(
            name, argv, env={**child_environment(), **(env or {})}, log=self.run.logs(name), cwd=self.run.folder
        )

    def _until(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not ready():
            if time.monotonic() > deadline or not self.run.processes.alive(name):
                raise Broken(f"the {name} did not come up: {_last_words(self.run.logs(name))}")
            time.sleep(0.1)

    def _traffic_command(self) -> list[str]:
        options = {
            "--url": self.target_url,
            "--seed": str(self.seed),
            "--seconds": str(TRAFFIC_SECONDS),
            "--out": str(self.traffic_file),
            "--mix": self.staging.mix,
        }
        if self.staging.requests:
            options["--script"] = str(self.staging.requests)
        return [sys.executable, "-m", "drills.traffic", *_flags(options)]

    def _start_world(self) -> None:
        """What the target needs around it, of the baseline release: its files and its upstream, faults in front of both."""
        release = self.releases.folder(self.history.baseline)
        here = {**self._wiring.variables, "PYTHONPATH": _absolute(self.staging.sources, release)}
        needs = self.wanted is not None and self.wanted.upstream
        self.order([])
        if needs and self.staging.name == targets.PARCELS.name:
            source, arrived = self.run.folder / "carriers", self._target / "var" / "scans"
            here["PT_SCANS_DIR"] = str(source)
            options = {"--source": str(source), "--to": str(arrived), "--orders": str(self._orders_file)}
            self._start("courier", [sys.executable, "-m", "drills.courier", *_flags(options)])
        for name, command in self.staging.beside.items():
            self._start(name, [part.format(python=self._python) for part in command], here)
        if needs and self.staging.name == targets.MARKET.name:
            self._start_exchange(here)

    def _start_exchange(self, env: Mapping[str, str]) -> None:
        exchange = [str(self._python), "-m", EXCHANGE_MODULE, "--port", str(self.ports.exchange)]
        self._start("exchange", exchange, env)
        options = {
            "--listen": str(self.ports.upstream),
            "--exchange": f"http://127.0.0.1:{self.ports.exchange}",
            "--orders": str(self._orders_file),
        }
        self._start("upstream", [sys.executable, "-m", "drills.upstream", *_flags(options)])
        self._until("upstream", lambda: answers(f"http://127.0.0.1:{self.ports.upstream}/health"))

    def _start_batch(self) -> None:
        """The target's batch job, again and again, always of the current release."""
        if self.staging.batch:
            job = shlex.join(part.format(python=self._python) for part in self.staging.batch)
            current, settings = shlex.quote(str(self.releases.current)), shlex.quote(str(self._settings))
            loop = f"while :; do (. {settings}; cd {current} && {job}); sleep {_BATCH_SECONDS}; done"
            self._start("batch", ["/bin/sh", "-c", loop], self._wiring.variables)

    def _first_settings(self) -> dict[str, str]:
        """What the service is told besides the stage's own variables."""
        drill = self.wanted
        asked = {name: str(value) for name, value in (drill.target.get("env") or {}).items()} if drill else {}
        if drill and drill.upstream and self.staging.name == targets.MARKET.name:
            asked.setdefault("MP_FEED_URL", f"http://127.0.0.1:{self.ports.upstream}")
        return asked

    @property
    def _wiring(self) -> Wiring:
        return Wiring(
            staging=self.staging,
            folder=self._target,
            origin=self._origin,
            branch=self.history.branch,
            socket_file=self._socket,
            environments=self._environments,
            python=self._python,
            settings=self._settings,
            current=self.releases.current,
            url=self.target_url,
            port=self.ports.target,
        )

    def _write_supervisor(self) -> None:
        text = self._wiring.supervisor(self.run.logs("supervisor").parent)
        (self._conf).write_text(text, encoding="utf-8")

    def _write_agent(self) -> None:
        tables = self._wiring.agent(raises=self.stack == "embedded", autonomy=self.autonomy)
        (self.run.folder / "agent.toml").write_text(toml(tables), encoding="utf-8")
        env = self.run.folder / ".env"
        env.touch(mode=0o600)
        env.write_text(dotenv(self._agent_environment()), encoding="utf-8")

    def _agent_environment(self) -> dict[str, str]:
        beside = {}
        if self.stack == "prometheus":
            beside["PROMETHEUS_URL"] = f"http://127.0.0.1:{self.ports.prometheus}"
            beside["ALERTMANAGER_URL"] = f"http://127.0.0.1:{self.ports.alertmanager}"
        return {
            **beside,
            "ENVIRONMENT": "development",
            "API_HOST": "127.0.0.1",
            "API_PORT": str(self.ports.agent),
            "MPA_STATE": str(self.run.folder / "state"),
            "MPA_CONFIG": str(self.run.folder / "agent.toml"),
            "MONITORING_INTERVAL": "0.5",
            "WEBHOOK_SECRET": self.secret,
        }

    def _servers(self) -> prometheus.Wiring:
        return prometheus.Wiring(
            target=self.target_name,
            target_port=self.ports.target,
            agent_url=self.agent_url,
            secret=self.secret,
            prometheus_port=self.ports.prometheus,
            alertmanager_port=self.ports.alertmanager,
        )


def child_environment() -> dict[str, str]:
    """What processes of a stage get of this one's environment, and where to find the project's code."""
    base = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    return {**base, "PYTHONPATH": str(PROJECT / "src")}


def _exports(env: Mapping[str, str]) -> str:
    """Shell lines that set variables; an empty value unsets one."""
    return "".join(
        f"export {name}={shlex.quote(value)}\n" if value else f"unset {name}\n" for name, value in env.items()
    )


def _flags(options: Mapping[str, str]) -> list[str]:
    return [part for pair in options.items() for part in pair]


def _absolute(sources: str, folder: Path) -> str:
    return os.pathsep.join(str(folder / part) for part in sources.split(os.pathsep))


def _last_words(log: Path) -> str:
    """The end of a log; the folder it lies in may be gone soon."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-12:]) or f"nothing in {log}"
