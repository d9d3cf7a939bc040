"""When a depot works: opening hours by weekday and holidays, in the depot's own time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

MOST_DAYS = 14  # further ahead nobody looks for the next opening
MOST_KNOWN = 400  # days of all depots kept at hand
SLOT_HOURS = 4
SATURDAY, SUNDAY = 5, 6


class NeverOpen(Exception):
    """The depot does not open within the next two weeks."""


@dataclass(frozen=True)
class Hours:
    """The opening hours of one depot; a day is a pair of wall-clock texts, or None when closed."""

    zone: ZoneInfo
    weekdays: tuple[str, str] | None
    saturday: tuple[str, str] | None
    sunday: tuple[str, str] | None
    holidays: frozenset[str]

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Hours:
        """The hours of one depot in ``network.json``."""
        days = (tuple(entry[name]) if entry[name] else None for name in ("weekdays", "saturday", "sunday"))
        return cls(ZoneInfo(entry["time_zone"]), *days, frozenset(entry["holidays"]))

    @lru_cache(maxsize=MOST_KNOWN)
    def opening(self, day: date) -> tuple[datetime, datetime] | None:
        """When the depot opens and closes on a day of its own calendar (UTC), or None."""
        if f"{day:%m-%d}" in self.holidays:
            return None
        span = {SATURDAY: self.saturday, SUNDAY: self.sunday}.get(day.weekday(), self.weekdays)
        return (self._at(day, span[0]), self._at(day, span[1])) if span else None

    def starts(self, moment: datetime) -> datetime:
        """When work on a parcel starts that is dispatched at ``moment`` (UTC). Raises `NeverOpen`."""
        first = moment.astimezone(self.zone).date()
        for ahead in range(MOST_DAYS):
            span = self.opening(first + timedelta(days=ahead))
            if span and moment < span[1]:
                return max(moment.astimezone(UTC), span[0])
        raise NeverOpen(f"closed for {MOST_DAYS} days from {first}")

    def slot(self, moment: datetime) -> tuple[int, int]:
        """Weekday (Monday is 0) and four-hour slot (0 to 5) of a moment in the depot's own time."""
        local = moment.astimezone(self.zone)
        return local.weekday(), local.hour // SLOT_HOURS

    def _at(self, day: date, clock: str) -> datetime:
        # Two datetimes of one zone are compared by their wall clocks, so all arithmetic is done in UTC.
        if clock == "24:00":
            day, clock = day + timedelta(days=1), "00:00"
        return datetime.combine(day, time.fromisoformat(clock), self.zone).astimezone(UTC)
