"""The service looked after, as `agent.toml` describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from .record import Record
from .signals import MetricNames


class TargetAction(Record):
    """``[[target.action]]``: a call on the target's own address that the agent may make when policy and a person allow it.

    In ``path`` and ``body`` (JSON text) ``{reason}``, ``{seconds}`` and ``{version}`` are filled in; ``answers`` names the
    field of a JSON answer that says what was made (``retrain``: the candidate). ``seconds`` is how long a quarantine holds.
    """

    kind: Literal["quarantine", "release", "retrain", "promote"]
    method: Literal["POST", "PUT", "DELETE"] = "POST"
    path: Annotated[str, Field(pattern=r"^/[^\s?#]*$")]
    body: str = ""
    answers: str = ""
    seconds: Annotated[float, Field(gt=0, le=86_400)] = 3600.0
    timeout: Annotated[float, Field(gt=0, le=600)] = 120.0


class Target(Record):
    """One target: where it answers, where its code is, how it is started and tested.

    ``serve`` and ``test`` are argument lists; ``{python}``, ``{port}`` and ``{host}`` are filled in. ``replay_env``
    lists the only environment names that a recorded exchange may set; ``soak_env`` is set when a signal, not a
    request, is reproduced. ``settings_file`` is read by the service at its start (``NAME=value`` lines); its former
    versions are kept, so that a change can be taken back. ``action`` lists calls that stop harm.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")]
    repository: Path
    branch: str = "main"
    lock: str = "requirements.txt"
    serve: tuple[str, ...] = ("{python}", "-m", "uvicorn", "{app}", "--host", "{host}", "--port", "{port}")
    test: tuple[str, ...] = ("{python}", "-m", "pytest", "-q")
    source: str = "src"
    tests: str = "tests"
    env: dict[str, str] = {}
    replay_env: tuple[str, ...] = ()
    soak_env: dict[str, str] = {}
    log_env: str | None = None
    log_file: Path | None = None
    health_path: str = "/health"
    status_path: str = "/status"
    metrics_path: str = "/metrics"
    matchers: dict[str, str] = {}
    component_labels: tuple[str, ...] = ("component", "service", "job")
    metrics: MetricNames = MetricNames()
    supervisor: Path | None = None
    release_root: Path | None = None
    settings_file: Path | None = None
    action: tuple[TargetAction, ...] = ()
    protected: tuple[str, ...] = ()
