"""Settings, read once from the environment (prefix ``MP_``)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """How one process of the service runs.

    ``hours_per_second`` is the speed of market time; 0 holds it still. ``market_start`` sets the market time at
    process start; without it, market time goes on from the anchor kept in ``state_dir``. ``csv`` is a folder of the
    user's own files, see ohlcv.py: a replay starts inside their data. ``feed_url`` names the exchange, whose answers may
    take ``feed_timeout`` seconds; while it fails, bars up to ``feed_grace`` market hours old are served.
    """

    seed: int = 7
    hours_per_second: float = 1.0
    market_start: datetime | None = None
    state_dir: Path = Path("var")
    log_file: Path = Path("var/service.log")
    commit: str = "unknown"
    csv: Path | None = None
    timezone: str = "America/New_York"
    default_horizon: int = 1
    scored_window: int = 200
    feed_url: str | None = None
    feed_timeout: float = 1.0
    feed_grace: int = 6
    warm_seconds: float = 2.0


def from_environment(env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises ValueError that names the variable at fault."""
    env = os.environ if env is None else env
    state = Path(env.get("MP_STATE_DIR", "var"))
    start = env.get("MP_MARKET_START")
    csv = env.get("MP_CSV")
    if csv and env.get("MP_FEED_URL"):
        raise ValueError("MP_CSV and MP_FEED_URL exclude each other: set the one to read from")
    return Settings(
        seed=_number(env, "MP_SEED", int, 7),
        hours_per_second=_number(env, "MP_HOURS_PER_SECOND", float, 1.0),
        market_start=_time(start) if start else None,
        state_dir=state,
        log_file=Path(env.get("MP_LOG_FILE", str(state / "service.log"))),
        commit=env.get("MP_COMMIT", "unknown"),
        csv=Path(csv) if csv else None,
        timezone=env.get("MP_TIMEZONE", "America/New_York"),
        default_horizon=_number(env, "MP_DEFAULT_HORIZON", int, 1),
        scored_window=_number(env, "MP_SCORED_WINDOW", int, 200),
        feed_url=_url(env.get("MP_FEED_URL")),
        feed_timeout=_number(env, "MP_FEED_TIMEOUT", float, 1.0),
        feed_grace=_number(env, "MP_FEED_GRACE", int, 6),
        warm_seconds=_number(env, "MP_WARM_SECONDS", float, 2.0),
    )


def _number(env: Mapping[str, str], name: str, kind: type, default: float) -> float:
    try:
        return kind(env.get(name, default))
    except ValueError as error:
        raise ValueError(f"{name} must be a number, not {env[name]!r}") from error


def _url(text: str | None) -> str | None:
    if text and not text.startswith(("http://", "https://")):
        raise ValueError(f"MP_FEED_URL must begin with http:// or https://, not {text!r}")
    return text or None


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"MP_MARKET_START needs a time zone: {text!r}")
    return moment
