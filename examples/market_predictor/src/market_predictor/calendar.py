"""Trading sessions, in the exchange's own time."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

REGULAR, EXTENDED, OVERNIGHT = "regular", "extended", "overnight"


@lru_cache(maxsize=8)
def zone(name: str) -> ZoneInfo:
    """The exchange's time zone."""
    return ZoneInfo(name)


def local_hour(moment: datetime, timezone: str) -> int:
    """Hour of the day on the exchange's clock, 0..23."""
    return moment.astimezone(zone(timezone)).hour


def session(moment: datetime, timezone: str) -> str:
    """Which session a moment lies in: regular 9-16, extended 4-9 and 16-20, overnight else."""
    hour = local_hour(moment, timezone)
    if 9 <= hour < 16:
        return REGULAR
    return EXTENDED if 4 <= hour < 20 else OVERNIGHT
