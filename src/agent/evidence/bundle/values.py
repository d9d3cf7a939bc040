"""Reads times, numbers and names that strangers wrote."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

LONGEST_NAME: Final = 300
FINER_UNIT: Final = 1e11  # the year 5138 in seconds: it is milli-, micro- or nanoseconds
LAST: Final = 253_402_300_799.0  # the end of the year 9999


class Moments:
    """Reads RFC 3339 times and epoch numbers, and counts those that name no time zone."""

    def __init__(self) -> None:
        self.naive = 0

    def of(self, value: Any) -> float | None:
        """Seconds since the epoch; None where it is no time."""
        if not isinstance(value, str):
            return moment(value)
        try:
            read = datetime.fromisoformat(value.strip())
        except ValueError:
            return moment(value)
        if read.tzinfo is None:
            self.naive += 1
        return _seconds(read)


def moment(value: Any) -> float | None:
    """Seconds since the epoch of a time or a number (seconds, milliseconds, micro- or nanoseconds)."""
    number = number_of(value)
    if number is not None:
        while number > FINER_UNIT:
            number /= 1000.0
        return number if number > 0 else None
    if not isinstance(value, str):
        return None
    with suppress(ValueError):
        return _seconds(datetime.fromisoformat(value.strip()))
    return None


def _seconds(read: datetime) -> float | None:
    """UTC is taken where no time zone is named."""
    with suppress(OverflowError, ValueError):
        seconds = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
        return seconds if 0 < seconds <= LAST else None
    return None


def number_of(value: Any) -> float | None:
    """A finite number, from text too."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if number - number == 0.0 else None


def name_of(value: Any, default: str = "") -> str:
    """A short text."""
    return default if value is None or value == "" else str(value)[:LONGEST_NAME]


def items(value: Any) -> list[Any]:
    """A list, empty where it is none."""
    return value if isinstance(value, list) else []
