"""The example services, and how each is run on a stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .drill import Drill, Unusable
from .settings_files import Value


@dataclass(frozen=True)
class Staging:
    """How one example service is started, watched and replayed.

    ``serve`` and ``batch`` are argument lists; ``{python}``, ``{host}`` and ``{port}`` stand for what the stage chooses.
    ``batch`` is run again and again in the current release. ``settings`` are for every start of the service; ``{state}``
    is its folder and ``{log}`` its log file. ``beside`` are processes that stand for the world around it.
    """

    name: str
    serve: tuple[str, ...]
    sources: str
    commit_variable: str
    log_variable: str
    settings: Mapping[str, str]
    mix: str
    agent: Mapping[str, Value] = field(default_factory=dict)
    batch: tuple[str, ...] = ()
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
)
ALL: Final = {MARKET.name: MARKET}


def of(drill: Drill | None) -> Staging:
    """The target of a drill, the market predictor by default. Raises `Unusable` for an unknown name."""
    name = str(drill.target.get("example", MARKET.name)) if drill else MARKET.name
    if name not in ALL:
        raise Unusable(f"[target] example is one of {', '.join(ALL)}, not {name!r}")
    return ALL[name]
