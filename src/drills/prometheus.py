"""The real Prometheus and Alertmanager of Debian's packages, on loopback with fast intervals.

Missing binaries are fetched with ``apt-get download`` and unpacked into the cache: nothing is installed and no service
starts. Debian's Alertmanager reads its templates from ``/usr/share/prometheus``, so bubblewrap shows it the unpacked
ones there; it isolates nothing here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .environment import building, complete, used
from .ground import Run
from .rules import RULES, Rule

PACKAGES: Final = ("prometheus", "prometheus-alertmanager")
_SHARED: Final = "usr/share/prometheus"
_START_SECONDS: Final = 20.0


class Missing(Exception):
    """A program is not there and could not be fetched; the message says what to install."""


@dataclass(frozen=True)
class Programs:
    """Where the two servers are; ``shared`` is the folder to show as ``/usr/share/prometheus``, if it is not there."""

    prometheus: Path
    alertmanager: Path
    shared: Path | None


def find_programs(cache: Path) -> Programs:
    """The installed programs, or those unpacked into ``cache``. Raises `Missing`."""
    installed = [shutil.which(name) for name in PACKAGES]
    if installed[0] and installed[1] and Path("/", _SHARED, "alertmanager/default.tmpl").exists():
        return Programs(Path(installed[0]), Path(installed[1]), None)
    folder = cache / "prometheus"
    if not used(folder):
        with building(folder.parent):
            if not used(folder):
                _unpack(folder)
    binaries = folder / "usr/bin"
    return Programs(binaries / PACKAGES[0], binaries / PACKAGES[1], folder / _SHARED)


def _unpack(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        _download(folder)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package.name, "."], cwd=folder, check=True, capture_output=True, timeout=120)
            package.unlink()
    except (OSError, subprocess.SubprocessError) as error:
        advice = f"run: apt-get update && apt-get install {' '.join(PACKAGES)}"
        raise Missing(f"Prometheus and Alertmanager could not be fetched ({error}); {advice}") from error
    complete(folder)


def _download(folder: Path) -> None:
    """A bare Debian has no package lists: without them the download fails, so they are read first."""
    fetch = ["apt-get", "download", *PACKAGES]
    if subprocess.run(fetch, cwd=folder, check=False, capture_output=True, timeout=300).returncode != 0:
        subprocess.run(["apt-get", "update", "-qq"], cwd=folder, check=True, capture_output=True, timeout=300)
        subprocess.run(fetch, cwd=folder, check=True, capture_output=True, timeout=300)


@dataclass(frozen=True)
class Wiring:
    """What the two servers are told. Ports are on loopback; ``secret`` authenticates the webhook."""

    target: str
    target_port: int
    agent_url: str
    secret: str
    prometheus_port: int
    alertmanager_port: int


def write_configuration(folder: Path, wiring: Wiring, rules: Sequence[Rule] = RULES) -> None:
    """Write ``prometheus.yml``, ``rules.yml`` and ``alertmanager.yml`` (JSON is YAML)."""
    files = {
        "prometheus.yml": _prometheus(wiring),
        "rules.yml": rule_groups(wiring.target, rules),
        "alertmanager.yml": _alertmanager(wiring),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def rule_groups(target: str, rules: Sequence[Rule]) -> dict[str, Any]:
    """The alerting rules in Prometheus' own form, labelled with target and signal."""
    alerts = [
        {
            "alert": rule.alert,
            "expr": rule.expression,
            "for": f"{rule.seconds:g}s",
            "labels": {"target": target, "signal": rule.signal, "severity": "critical"},
            "annotations": {"summary": rule.summary, "value": "{{ $value }}"},
        }
        for rule in rules
    ]
    return {"groups": [{"name": target, "interval": "500ms", "rules": alerts}]}


def start(run: Run, programs: Programs, wiring: Wiring) -> None:
    """Start both servers detached and wait until they are ready. Raises `Missing` when they do not come up."""
    folder = run.folder / "prometheus"
    write_configuration(folder, wiring)
    environment = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    commands = {
        "alertmanager": [*_shown(programs), str(programs.alertmanager), *_alertmanager_options(folder, wiring)],
        "prometheus": [str(programs.prometheus), *_prometheus_options(folder, wiring)],
    }
    for name, argv in commands.items():
        run.processes.start(name, argv, env=environment, log=run.logs(name), cwd=folder)
    deadline = time.monotonic() + _START_SECONDS
    for name, port in (("alertmanager", wiring.alertmanager_port), ("prometheus", wiring.prometheus_port)):
        while not _ready(port):
            if time.monotonic() > deadline or not run.processes.alive(name):
                raise Missing(f"{name} did not become ready; see {run.logs(name)}")
            time.sleep(0.1)


def _shown(programs: Programs) -> list[str]:
    if programs.shared is None:
        return []
    if shutil.which("bwrap") is None:
        raise Missing("bubblewrap is needed to show Alertmanager its templates; run: apt-get install bubblewrap")
    shown = ["--tmpfs", "/usr/share", "--ro-bind", str(programs.shared), f"/{_SHARED}"]
    return ["bwrap", "--dev-bind", "/", "/", *shown, "--"]


def _prometheus_options(folder: Path, wiring: Wiring) -> list[str]:
    return [
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{wiring.prometheus_port}",
        "--storage.tsdb.retention.time=2h",
        "--rules.alert.resend-delay=1s",
        "--log.level=warn",
    ]


def _alertmanager_options(folder: Path, wiring: Wiring) -> list[str]:
    return [
        f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}/alerts",
        f"--web.listen-address=127.0.0.1:{wiring.alertmanager_port}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]


def _prometheus(wiring: Wiring) -> dict[str, Any]:
    scraped = {"targets": [f"127.0.0.1:{wiring.target_port}"], "labels": {"target": wiring.target}}
    return {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{wiring.alertmanager_port}"]}]}]},
        "scrape_configs": [{"job_name": wiring.target, "static_configs": [scraped]}],
    }


def _alertmanager(wiring: Wiring) -> dict[str, Any]:
    webhook = {
        "url": f"{wiring.agent_url}/webhook/alerts",
        "send_resolved": True,
        "http_config": {"authorization": {"credentials": wiring.secret}},
    }
    return {
        "route": {
            "receiver": "agent",
            "group_by": ["target"],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1m",
        },
        "receivers": [{"name": "agent", "webhook_configs": [webhook]}],
    }


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1.0) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP OK
    except (OSError, urllib.error.URLError):
        return False
