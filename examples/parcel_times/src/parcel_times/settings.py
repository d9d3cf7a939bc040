"""Settings, read once from the environment (prefix ``PT_``). The README lists them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

N = TypeVar("N", int, float)


@dataclass(frozen=True)
class Settings:
    """How the API, the job and the generator of scan files run."""

    state_dir: Path = Path("var")
    scans_dir: Path = Path("var/scans")
    features_file: Path = Path("var/features.json")
    log_file: Path = Path("var/service.log")
    commit: str = "unknown"
    threads: int = 8
    cache_entries: int = 2000
    cache_seconds: float = 30.0
    accuracy_window: int = 200
    window_days: int = 14
    least_scans: int = 5
    seed: int = 11
    scan_seconds: float = 5.0


def from_environment(env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises ValueError that names the variable at fault."""
    env = os.environ if env is None else env
    state = Path(env.get("PT_STATE_DIR", "var"))
    return Settings(
        state_dir=state,
        scans_dir=Path(env.get("PT_SCANS_DIR", state / "scans")),
        features_file=Path(env.get("PT_FEATURES_FILE", state / "features.json")),
        log_file=Path(env.get("PT_LOG_FILE", state / "service.log")),
        commit=env.get("PT_COMMIT", "unknown"),
        threads=_number(env, "PT_THREADS", int, 8),
        cache_entries=_number(env, "PT_CACHE_ENTRIES", int, 2000),
        cache_seconds=_number(env, "PT_CACHE_SECONDS", float, 30.0),
        accuracy_window=_number(env, "PT_ACCURACY_WINDOW", int, 200),
        window_days=_number(env, "PT_WINDOW_DAYS", int, 14),
        least_scans=_number(env, "PT_LEAST_SCANS", int, 5),
        seed=_number(env, "PT_SEED", int, 11),
        scan_seconds=_number(env, "PT_SCAN_SECONDS", float, 5.0),
    )


def _number(env: Mapping[str, str], name: str, kind: type[N], default: N) -> N:
    try:
        return kind(env.get(name, default))
    except ValueError as error:
        raise ValueError(f"{name} must be a number, not {env[name]!r}") from error
