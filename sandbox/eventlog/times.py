"""Reads the ways in which logs write an instant."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

Reader = Callable[[str], datetime]
_NUMBERS = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})(?:[ T,]+(.+))?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?\s*([AaPp][Mm])?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CENTURY = 2000


def _day_first(text: str) -> datetime:
    return _numbers(text, day_at=1, month_at=2)


def _month_first(text: str) -> datetime:
    return _numbers(text, day_at=2, month_at=1)


def _numbers(text: str, *, day_at: int, month_at: int) -> datetime:
    found = _NUMBERS.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year = int(found[3]) + (_CENTURY if len(found[3]) == 2 else 0)
    day = datetime(year, int(found[month_at]), int(found[day_at]))  # noqa: DTZ001  (the map's zone is added later)
    clock = _CLOCK.fullmatch(found[4].strip()) if found[4] else None
    if clock is None:
        if found[4]:
            raise ValueError(text)
        return day
    hour, half = int(clock[1]), (clock[5] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    micro = int((clock[4] or "").ljust(6, "0") or 0)
    return day.replace(hour=hour, minute=int(clock[2]), second=int(clock[3] or 0), microsecond=micro)


def _seconds(text: str) -> datetime:
    return _EPOCH + timedelta(seconds=float(text))


def _milliseconds(text: str) -> datetime:
    return _EPOCH + timedelta(milliseconds=float(text))


_NAMED: dict[str, Reader] = {
    "iso": datetime.fromisoformat,
    "day_first": _day_first,
    "month_first": _month_first,
    "epoch": _seconds,
    "epoch_ms": _milliseconds,
}
NAMES = tuple(_NAMED)


def reader(formats: Sequence[str], zone: tzinfo) -> Reader:
    """Give a function that reads a time in the first format that fits, as UTC; it raises ValueError.

    A format is iso, day_first (31/01/2024 9:30), month_first, epoch, epoch_ms, or one of ``strptime``. Times
    without an offset are in the zone.
    """
    readers = tuple(_NAMED.get(name) or _strptime(name) for name in formats or ("iso",))

    def read(text: str) -> datetime:
        for one in readers:
            try:
                at = one(text)
                return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)
            except (ValueError, OverflowError):
                continue
        raise ValueError(text)

    return read


def _strptime(form: str) -> Reader:
    return lambda text: datetime.strptime(text, form)  # noqa: DTZ007  (the map's zone is added later)
