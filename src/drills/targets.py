"""The example services, and how each is run on a stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .drill import KINDS, Drill, Unusable
from .history import OWN, example_of
from .settings_files import Value


@dataclass(frozen=True)
class Staging:
    """How one example service is started, watched and replayed.

    ``serve`` and ``batch`` are argument lists; ``{python}``, ``{host}`` and ``{port}`` stand for what the stage chooses.
    ``batch`` is run again and again in the current release. ``settings`` are for every start of the service; ``{state}``
    is its folder. ``beside`` are processes that stand for the world around it. ``kinds`` of faults can be staged on it.
    ``actions`` are the calls that its owner allows the agent to make, as ``[[target.action]]`` has them.
    ``requests`` is a file of requests that stand for its users; without it ``mix`` says which example's.
    """

    name: str
    serve: tuple[str, ...]
    sources: str
    commit_variable: str
    log_variable: str
    settings: Mapping[str, str]
    mix: str
    agent: Mapping[str, Value] = field(default_factory=dict)
    actions: tuple[Mapping[str, Value], ...] = ()
    batch: tuple[str, ...] = ()
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kinds: tuple[str, ...] = KINDS
    test: tuple[str, ...] = ("{python}", "-m", "pytest", "-q")
    requests: Path | None = None


ACTIONS: Final = "action"  # of an own service's agent table: [[target.action]] of agent.toml
MARKET: Final = Staging(
    name="market-predictor",
    serve=("{python}", "-m", "uvicorn", "market_predictor.main:app", "--host", "{host}", "--port", "{port}"),
    sources="src:packages/flight-recorder/src",
    commit_variable="MP_COMMIT",
    log_variable="MP_LOG_FILE",
    settings={"MP_STATE_DIR": "{state}"},
    mix="market",
    agent={
        "replay_env": ["MP_SEED", "MP_MARKET_START", "MP_HOURS_PER_SECOND"],
        "soak_env": {"MP_HOURS_PER_SECOND": "20"},
    },
    actions=(
        {
            "kind": "quarantine",
            "path": "/quarantine",
            "body": '{"scope": "*", "reason": "{reason}", "expires_in_seconds": {seconds}}',
        },
        {"kind": "retrain", "path": "/retrain", "answers": "candidate"},
        {"kind": "promote", "path": "/models/{version}/promote"},
    ),
)
PARCELS: Final = Staging(
    name="parcel-times",
    serve=("{python}", "-m", "parcel_times", "--host", "{host}", "--port", "{port}"),
    sources="src",
    commit_variable="PT_COMMIT",
    log_variable="PT_LOG_FILE",
    settings={"PT_STATE_DIR": "{state}"},
    mix="parcels",
    batch=("{python}", "-m", "parcel_times.job"),
    beside={"scans": ("{python}", "-m", "parcel_times.scans")},
    kinds=("commit", "process", "data", "traffic", "configuration", "library", "none"),
)
ALL: Final = {one.name: one for one in (MARKET, PARCELS)}


def of(drill: Drill | None) -> Staging:
    """The target of a drill, the market predictor by default. Raises `Unusable` for an unknown name or a fault it cannot have."""
    if drill is None:
        return MARKET
    if OWN in drill.target:
        staging = _own(drill)
    else:
        example_of(drill)
        staging = ALL[str(drill.target.get("example", MARKET.name))]
    unknown = sorted({fault.kind for fault in drill.faults} - set(staging.kinds))
    if unknown:
        raise Unusable(f"a fault of kind {', '.join(unknown)} cannot be staged on {staging.name}")
    return staging


def _own(drill: Drill) -> Staging:
    """A service of the user's, as the drill's [target] table tells it; paths count from the drill's folder."""
    table = drill.target
    missing = [key for key in ("name", "serve", "requests") if not table.get(key)]
    if missing:
        raise Unusable(f"{drill.name}/drill.toml: [target] with a repository needs {', '.join(missing)}, too")
    requests = drill.folder / str(table["requests"])
    if not requests.is_file():
        raise Unusable(f"{drill.name}/drill.toml: [target] requests: there is no file {requests}")
    return Staging(
        name=str(table["name"]),
        serve=tuple(map(str, table["serve"])),
        sources=str(table.get("sources", ".")),
        commit_variable=str(table.get("commit_variable", "COMMIT")),
        log_variable=str(table.get("log_variable", "LOG_FILE")),
        settings={str(name): str(value) for name, value in table.get("settings", {}).items()},
        mix="market",
        agent={str(name): value for name, value in table.get("agent", {}).items() if name != ACTIONS},
        actions=tuple(table.get("agent", {}).get(ACTIONS, ())),
        kinds=("commit", "process", "traffic", "configuration", "library", "none"),
        test=tuple(map(str, table.get("test", ("{python}", "-m", "pytest", "-q")))),
        requests=requests.resolve(),
    )
