"""A small world for the real agent: the small target under a real supervisor, its traffic, its alert, its person."""

from __future__ import annotations

import fcntl
import http.client
import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from agent.delivery.supervised import SupervisedDeployer
from agent.kit.clock import SystemClock
from agent.model.target import Target
from delivery.supervise import start_supervisor, write_configuration
from drills.addresses import free_ports
from drills.settings_files import toml
from durable.service_process import Rows, Service, until
from durable.small_target import History

NAME, SECRET = "sums", "a-webhook-secret"
REQUESTS_A_SECOND = 50


class Traffic:
    """Users: numbers from 1 to 10, one after the other, until closed."""

    def __init__(self, port: int) -> None:
        self._port, self._stop = port, threading.Event()
        self._thread = threading.Thread(target=self._send, name="users", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Go home."""
        self._stop.set()
        self._thread.join(10)

    def _send(self) -> None:
        connection, number = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5), 0
        while not self._stop.wait(1 / REQUESTS_A_SECOND):
            number = number % 10 + 1
            try:
                connection.request("GET", f"/half?n={number}")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                connection.close()  # the service is being restarted: opened again by the next request
        connection.close()


class World:
    """Everything there is. `close` ends and removes it all, however far it came."""

    def __init__(self, environments: Path) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="mpa-"))  # short: a unix socket's path is limited
        self.history = History(self.root)
        self.port, agent_port = free_ports(2)
        self.releases, self._socket = self.root / "run", self.root / "s.sock"
        self.starts = self.root / "starts"
        argv = [sys.executable, "-B", "-m", "app.service", "127.0.0.1", str(self.port)]
        env = {"SERVICE_LOG": str(self.root / "service.log"), "STATUS_SECONDS": "0.5", "STARTS": str(self.starts)}
        configuration = write_configuration(self.releases, argv, env, self._socket)
        (self.root / "agent.toml").write_text(toml(self._tables(environments)))
        (self.root / "tmp").mkdir()
        self.service = Service(self.root, agent_port, self._environment())
        self.rows = Rows(self.service.state / "agent.db")
        self._supervisor = start_supervisor(configuration, self._socket)
        self._traffic = Traffic(self.port)

    def close(self) -> None:
        """End and remove everything."""
        self._traffic.close()
        self.service.end()
        self._supervisor.stop()
        shutil.rmtree(self.root)

    def deploy(self, name: str, commit: str) -> None:
        """A deploy by the team's own CI."""
        target = Target(
            name=NAME,
            url=f"http://127.0.0.1:{self.port}",
            repository=self.history.origin,
            supervisor=self._socket,
            release_root=self.releases,
        )
        deployer = SupervisedDeployer(SystemClock(), by="ci")
        deployer.deploy(target, name, commit, kind="deploy")
        deployer.close()

    def alert(self, status: str = "firing", alertname: str = "HighErrorRatio", **labels: str) -> dict[str, Any]:
        """One alert as Alertmanager would send it now."""
        return {
            "status": status,
            "labels": {"alertname": alertname, "target": NAME, "severity": "critical", **labels},
            "annotations": {"summary": "share of failed requests 20 %"},
            "startsAt": datetime.now(UTC).isoformat(),
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus:9090/graph",
            "fingerprint": "",
        }

    def deliver(self, *alerts: dict[str, Any], timeout: float = 10.0) -> list[str]:
        """One Alertmanager version 4 webhook; the incidents that the agent names."""
        body = {
            "version": "4",
            "groupKey": '{}:{alertname="HighErrorRatio"}',
            "truncatedAlerts": 0,
            "status": alerts[0]["status"],
            "receiver": "agent",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager:9093",
            "alerts": list(alerts),
        }
        answer = httpx2.post(
            f"{self.service.door.url}/webhook/alerts",
            json=body,
            headers={"authorization": f"Bearer {SECRET}"},
            timeout=timeout,
        )
        assert answer.status_code == httpx2.codes.OK, answer.text
        return answer.json()["incidents"]

    def approve(self) -> None:
        """A person says yes to what is asked now."""
        incident = self.rows.incident()["id"]
        asked = self.service.door.get(f"/incidents/{incident}")["approvals"][-1]
        said = {"by": "ines", "subject": asked["subject"], "comment": "go on"}
        self.service.door.post(f"/incidents/{incident}/approve", said)

    @contextmanager
    def forge_held(self) -> Iterator[None]:
        """Nobody else gets at the forge's records meanwhile: who wants to, waits."""
        folder = self.service.state / "forge" / NAME
        with (folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def deployments(self) -> list[dict[str, Any]]:
        """The deployer's record."""
        return [json.loads(line) for line in (self.releases / "deployments.ndjson").read_text().splitlines()]

    def pull_requests(self) -> list[dict[str, Any]]:
        """The forge's records."""
        records = (self.service.state / "forge" / NAME).glob("*.json")
        return [json.loads(path.read_text())["pull_request"] for path in records]

    def started_releases(self) -> list[str]:
        """Commits in the order in which the supervisor started them."""
        return self.starts.read_text().split() if self.starts.exists() else []

    def answers_well(self) -> bool:
        """Whether the target serves what the broken release could not."""
        answer = httpx2.get(f"http://127.0.0.1:{self.port}/half?n=5", timeout=5)
        return (answer.status_code, answer.json()) == (httpx2.codes.OK, {"n": 5, "half": 2.5})

    def wait(self, ready: Any, seconds: float, what: str) -> Any:
        """Wait closely (every 4 ms) for a moment in the life of the incident."""
        try:
            return until(ready, seconds, what, every=0.004)
        except AssertionError as error:
            trail = "\n".join(
                f"{k}: {m[:300]}" for k, m in self.rows.ask("SELECT kind, message FROM audit ORDER BY seq")
            )
            raise AssertionError(f"{error}\n{trail}\n{self.service.last_words()}") from error

    def _environment(self) -> dict[str, str]:
        return {
            "ENVIRONMENT": "development",
            "MPA_CONFIG": str(self.root / "agent.toml"),
            "MONITORING_INTERVAL": "0.2",
            "WEBHOOK_SECRET": SECRET,
            "TMPDIR": str(self.root / "tmp"),
        }

    def _tables(self, environments: Path) -> list[tuple[str, dict[str, Any]]]:
        target = {
            "name": NAME,
            "url": f"http://127.0.0.1:{self.port}",
            "repository": self.history.origin,
            "serve": ["{python}", "-m", "app.service", "{host}", "{port}"],
            "test": ["{python}", "run_tests.py"],
            "source": "app",
            "env": {"PYTHONPATH": "."},
            "log_env": "SERVICE_LOG",
            "log_file": self.root / "service.log",
            "supervisor": self._socket,
            "release_root": self.releases,
        }
        return [
            ("[[target]]", target),
            ("[limits]", {"environments": environments}),
            ("[monitoring]", {"raises": False}),
            ("[verification]", {"window_seconds": 3.0, "settle_seconds": 0.5, "min_requests": 20}),
        ]
