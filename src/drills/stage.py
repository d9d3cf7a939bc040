"""The stage of one demo: a repository with history, the running target, its traffic, and the agent beside them.

Everything is started detached: the incident goes on when the demo is killed. `Ground.clean` ends it.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import httpx2

from . import environment, prometheus
from .door import Door
from .ground import Run
from .drill import Drill
from .history import History, materialise
from .releases import Releases
from .settings_files import Value, dotenv, toml
from .supervision import Supervisor, configuration

Stack = Literal["embedded", "prometheus"]

PROJECT: Final = Path(__file__).resolve().parents[2]
TARGET: Final = "market-predictor"
APPLICATION: Final = "market_predictor.main:app"
SOURCES: Final = "src:packages/flight-recorder/src"
TRAFFIC_SECONDS: Final = 900.0  # it ends by itself, should nobody end it
_START_SECONDS: Final = 60.0
_LONGEST_SOCKET: Final = 90  # bytes of a unix socket's path, less the pid that the supervisor appends at first
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


@dataclass
class Stage:
    """One staged target and its agent. ``say`` is told what is being done; ``wanted`` is the drill, else the seed chooses."""

    run: Run
    cache: Path
    seed: int
    stack: Stack
    say: Callable[[str], None]
    wanted: Drill | None = None
    ports: Ports = field(init=False)

    def __post_init__(self) -> None:
        self.ports = Ports(*free_ports(4))
        self.secret = secrets.token_urlsafe(24)
        self._socket = socket_file(self.run.folder)
        self.supervisor = Supervisor(self._socket)
        self.broken_commit = ""
        self._history: History | None = None

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
        self._history = materialise(self._origin, self.seed, drill=self.wanted)
        self.say("the target's history is written; now its environment is built, once for each lock")
        self._python = environment.build(self._history.lock, self.cache / "environments")
        self.say("the environment is built; now the target, its traffic and the agent are started")
        for folder in (self._target, self._target / "var", self.run.folder / "state"):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._write_supervisor()
        self._write_agent()

    def start(self) -> None:
        """Start the supervisor, the baseline release, the traffic and the agent. Raises `Broken`."""
        self._start("supervisor", [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._conf)])
        self._until("supervisor", self.supervisor.answers)
        self.releases.deploy(self.history.baseline, name="ci-baseline")
        self._until("supervisor", self.target_answers)
        self._start("traffic", self._traffic_command())
        self._start("agent", [sys.executable, "-m", "agent.cli", "serve"], self._agent_environment())
        if self.stack == "prometheus":
            prometheus.start(self.run, prometheus.find_programs(self.cache), self._wiring())
        door = self.door()
        try:
            self._until("agent", door.healthy)
        finally:
            door.close()

    def inject(self) -> float:
        """Push the next release, fault included, deploy it as the team's CI would; returns when (epoch seconds)."""
        self.broken_commit = self.history.release()
        at = time.time()
        self.releases.deploy(self.broken_commit, name=f"ci-{self.broken_commit[:10]}")
        return at

    def configure(self, env: Mapping[str, str]) -> None:
        """Set variables for the service and restart it: a configuration change goes live."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in env.items()]
        with self._settings.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        self.supervisor.restart()

    def report_change(self, change: Mapping[str, str]) -> None:
        """Tell the agent of a change, as CI would. Raises `Refused`."""
        door, now = self.door(), datetime.now(UTC).isoformat()
        try:
            body = {"id": f"ci-{now}", "timestamp": now, "component": TARGET, "author": "ci", "target": TARGET, **change}
            door.post("/changes", body)
        finally:
            door.close()

    def more_traffic(self, rate: float, seconds: float) -> None:
        """Users come in crowds, for a while."""
        options = {"--url": self.target_url, "--seed": "1", "--rate": str(rate), "--seconds": str(seconds)}
        out = self.run.folder / "crowd.ndjson"
        parts = [part for pair in {**options, "--out": str(out)}.items() for part in pair]
        self._start("crowd", [sys.executable, "-m", "drills.traffic", *parts])

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

    def door(self) -> Door:
        """The agent's public door."""
        return Door(self.agent_url, self.run.folder / "state" / "token")

    def target_answers(self) -> bool:
        """Whether the target is up."""
        try:
            return httpx2.get(f"{self.target_url}/health", timeout=2.0).status_code == httpx2.codes.OK
        except httpx2.HTTPError:
            return False

    @property
    def releases(self) -> Releases:
        """The target's releases."""
        return Releases(self._target, self._origin, self.supervisor)

    @property
    def _origin(self) -> Path:
        return self.run.folder / "forge" / f"{TARGET}.git"

    @property
    def _target(self) -> Path:
        return self.run.folder / "target"

    @property
    def python(self) -> Path:
        """The interpreter of the target's environment."""
        return self._python

    @property
    def target_environment(self) -> dict[str, str]:
        """What the target's own code needs to be found and run."""
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "PYTHONPATH": SOURCES, "HOME": str(self._target)}

    @property
    def target_name(self) -> str:
        """The target's name, as the agent knows it."""
        return TARGET

    @property
    def _settings(self) -> Path:
        return self._target / "service.env"

    @property
    def _conf(self) -> Path:
        return self._target / "supervisord.conf"

    def _start(self, name: str, argv: list[str], env: Mapping[str, str] | None = None) -> None:
        base = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
        base["PYTHONPATH"] = str(PROJECT / "src")
        self.run.processes.start(name, argv, env={**base, **(env or {})}, log=self.run.logs(name), cwd=self.run.folder)

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
        }
        return [sys.executable, "-m", "drills.traffic", *(part for pair in options.items() for part in pair)]

    def _write_supervisor(self) -> None:
        command = f"{self._python} -m uvicorn {APPLICATION} --host 127.0.0.1 --port {self.ports.target}"
        # The release's folder is named by its commit, so the service knows its commit without being told by anybody.
        started = f"/bin/sh -c '. {self._settings}; MP_COMMIT=$(basename $(pwd -P)) exec {command}'"
        self._settings.touch()
        variables = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "PYTHONPATH": SOURCES,
            "PYTHONUNBUFFERED": "1",
            "MP_STATE_DIR": str(self._target / "var"),
            "MP_LOG_FILE": str(self._target / "service.log"),
        }
        text = configuration(
            folder=self._target,
            socket_file=self._socket,
            logs=self.run.logs("supervisor").parent,
            directory=self.releases.current,
            command=started,
            environment=variables,
        )
        self._conf.write_text(text, encoding="utf-8")

    def _write_agent(self) -> None:
        (self.run.folder / "agent.toml").write_text(toml(self._tables()), encoding="utf-8")
        env = self.run.folder / ".env"
        env.touch(mode=0o600)
        env.write_text(dotenv(self._agent_environment()), encoding="utf-8")

    def _tables(self) -> list[tuple[str, Mapping[str, Value]]]:
        target: dict[str, Value] = {
            "name": TARGET,
            "url": self.target_url,
            "repository": self._origin,
            "branch": self.history.branch,
            "serve": ["{python}", "-m", "uvicorn", APPLICATION, "--host", "{host}", "--port", "{port}"],
            "test": ["{python}", "-m", "pytest", "-q"],
            "env": {"PYTHONPATH": SOURCES},
            "replay_env": ["MP_SEED", "MP_MARKET_START", "MP_HOURS_PER_SECOND"],
            "soak_env": {"MP_HOURS_PER_SECOND": "20"},
            "log_env": "MP_LOG_FILE",
            "log_file": self._target / "service.log",
            "supervisor": self._socket,
            "release_root": self._target,
        }
        return [
            ("[[target]]", target),
            ("[limits]", {"environments": self.cache / "environments"}),
            ("[monitoring]", {"raises": self.stack == "embedded"}),
            ("[verification]", {"window_seconds": 8.0, "settle_seconds": 2.0}),
        ]

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

    def _wiring(self) -> prometheus.Wiring:
        return prometheus.Wiring(
            target=TARGET,
            target_port=self.ports.target,
            agent_url=self.agent_url,
            secret=self.secret,
            prometheus_port=self.ports.prometheus,
            alertmanager_port=self.ports.alertmanager,
        )


def _last_words(log: Path) -> str:
    """The end of a log; the folder it lies in may be gone soon."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-12:]) or f"nothing in {log}"


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody uses now, all different."""
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in held]
    finally:
        for each in held:
            each.close()


def socket_file(folder: Path) -> Path:
    """Where the supervisor's socket goes: beside the run, or in a short place when that path is too long for one."""
    path = folder / "supervisor.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET:
        return path
    return Path(tempfile.mkdtemp(prefix="mpa-demo-")) / "s.sock"
