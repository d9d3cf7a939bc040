"""Trading sessions, in the exchange's own time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
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


OPENS, CLOSES, CLOSES_EARLY = time(9, 30), time(16), time(13)
CLOSED_ONCE = {date(2025, 1, 9): "National Day of Mourning"}
SATURDAY, SUNDAY = 5, 6


def holiday(day: date) -> str | None:
    """The name of the exchange's holiday (US, by the rules since 2022), None when the day is none."""
    return _holidays(day.year).get(day)


def is_holiday(day: date) -> bool:
    """Whether the exchange rests on a day that is no weekend for it."""
    return holiday(day) is not None


def is_half_day(day: date) -> bool:
    """Whether trading ends at 13:00: before Independence Day and Christmas, and after Thanksgiving."""
    eve = (day.month, day.day) in {(7, 3), (12, 24)}
    return _trades(day) and (eve or day == _nth(day.year, 11, 3, 4) + timedelta(days=1))


def opens_at(day: date, timezone: str) -> datetime | None:
    """When regular trading begins; None on a day without it."""
    return datetime.combine(day, OPENS, zone(timezone)) if _trades(day) else None


def closes_at(day: date, timezone: str) -> datetime | None:
    """When regular trading ends; None on a day without it."""
    if not _trades(day):
        return None
    return datetime.combine(day, CLOSES_EARLY if is_half_day(day) else CLOSES, zone(timezone))


def _trades(day: date) -> bool:
    return day.weekday() < SATURDAY and not is_holiday(day)


@lru_cache(maxsize=64)
def _holidays(year: int) -> dict[date, str]:
    fixed = {date(year, 6, 19): "Juneteenth", date(year, 7, 4): "Independence Day", date(year, 12, 25): "Christmas Day"}
    found = {_observed(day): name for day, name in fixed.items()}
    # A New Year's Day on a Saturday is not made up for: the old year's books close on that Friday.
    if (first := date(year, 1, 1)).weekday() != SATURDAY:
        found[_observed(first)] = "New Year's Day"
    found[_nth(year, 1, 0, 3)] = "Martin Luther King Jr. Day"
    found[_nth(year, 2, 0, 3)] = "Washington's Birthday"
    found[_easter(year) - timedelta(days=2)] = "Good Friday"
    found[_nth(year, 6, 0, 1) - timedelta(days=7)] = "Memorial Day"
    found[_nth(year, 9, 0, 1)] = "Labor Day"
    found[_nth(year, 11, 3, 4)] = "Thanksgiving Day"
    return found | {day: name for day, name in CLOSED_ONCE.items() if day.year == year}


def _observed(day: date) -> date:
    return day + timedelta(days={SATURDAY: -1, SUNDAY: 1}.get(day.weekday(), 0))


def _nth(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _easter(year: int) -> date:
    """Easter Sunday, by the anonymous Gregorian computus (Meeus, Astronomical Algorithms, chapter 8)."""
    golden, (century, rest) = year % 19, divmod(year, 100)
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
