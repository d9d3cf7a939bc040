"""How a staged target is started by its supervisor, and told to the agent. Pure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .settings_files import Value
from .supervision import configuration
from .targets import Staging


@dataclass(frozen=True)
class Wiring:
    """One target in one run: where everything lies."""

    staging: Staging
    folder: Path
    origin: Path
    branch: str
    socket_file: Path
    environments: Path
    python: Path
    settings: Path
    current: Path
    url: str
    port: int

    @property
    def log(self) -> Path:
        """The service's log file."""
        return self.folder / "service.log"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the service and of its batch job; the file ``settings`` adds to it."""
        own = {name: value.format(state=self.folder / "var") for name, value in self.staging.settings.items()}
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "PYTHONPATH": self.staging.sources,
            "PYTHONUNBUFFERED": "1",
            self.staging.log_variable: str(self.log),
            **own,
        }

    def supervisor(self, logs: Path) -> str:
        """The text of ``supervisord.conf``.

        Each release runs with the environment of its own lock file. Its folder is named by its commit, so the service
        knows its commit without being told by anybody.
        """
        words = {"python": "$PYTHON", "host": "127.0.0.1", "port": str(self.port)}
        command = " ".join(part.format(**words) for part in self.staging.serve)
        built = f"{self.environments}/$(sha256sum requirements.txt | cut -c-64)/bin/python"
        find = f"PYTHON={built}; [ -x $PYTHON ] || PYTHON={self.python}"
        named = f"{self.staging.commit_variable}=$(basename $(pwd -P))"
        return configuration(
            folder=self.folder,
            socket_file=self.socket_file,
            logs=logs,
            directory=self.current,
            command=f"/bin/sh -c '. {self.settings}; {find}; {named} exec {command}'",
            environment=self.variables,
        )

    def agent(self, *, raises: bool, autonomy: str) -> list[tuple[str, Mapping[str, Value]]]:
        """The tables of ``agent.toml``; ``raises`` when the agent's own monitor raises the alarms."""
        target: dict[str, Value] = {
            "name": self.staging.name,
            "url": self.url,
            "repository": self.origin,
            "branch": self.branch,
            "serve": list(self.staging.serve),
            "test": list(self.staging.test),
            "env": {"PYTHONPATH": self.staging.sources},
            **self.staging.agent,
            "log_env": self.staging.log_variable,
            "log_file": self.log,
            "supervisor": self.socket_file,
            "release_root": self.folder,
            "settings_file": self.settings,
        }
        tables: list[tuple[str, Mapping[str, Value]]] = [
            ("[[target]]", target),
            *(("[[target.action]]", action) for action in self.staging.actions),
            ("[limits]", {"environments": self.environments}),
            ("[monitoring]", {"raises": raises}),
            ("[verification]", {"window_seconds": 8.0, "settle_seconds": 2.0}),
        ]
        return tables if autonomy == "approve" else [*tables, ("[policy]", {"autonomy": autonomy})]
