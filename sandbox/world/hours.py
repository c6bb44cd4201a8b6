"""When a person works: zone, hours, holidays of the country, and leave. Instants go in and come out in UTC."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_LAST_MINUTES = timedelta(minutes=25)  # nobody begins what takes twenty minutes just before going home
_PATIENCE = 60  # days looked ahead for a working day
_THURSDAY = 3
# Public holidays that fall on a fixed day, (month, day); Thanksgiving is the one that does not.
_FIXED = {
    "US": ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25)),
    "DE": ((1, 1), (5, 1), (10, 3), (12, 25), (12, 26)),
    "IN": ((1, 26), (8, 15), (10, 2), (12, 25)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Days somebody is away, both included, in the person's own zone."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Monday to Friday between two minutes of the local day, except on holidays and on leave."""

    zone: str
    country: str
    start: int = 9 * 60
    end: int = 17 * 60 + 30
    leave: tuple[Leave, ...] = ()

    def away(self, at: datetime) -> Leave | None:
        """Give the leave an instant falls into, or None."""
        day = at.astimezone(zone(self.zone)).date()
        return next((leave for leave in self.leave if leave.first <= day <= leave.last), None)

    def works(self, at: datetime) -> bool:
        """Tell whether the person is at work at an instant."""
        local = at.astimezone(zone(self.zone))
        return self._on(local.date()) and self.start <= local.hour * 60 + local.minute < self.end

    def next(self, at: datetime) -> datetime:
        """Give the first instant from ``at`` on at which the person begins something (UTC, whole seconds)."""
        local = at.astimezone(zone(self.zone))
        day, minute = local.date(), local.hour * 60 + local.minute
        if self._on(day):
            if minute < self.start:
                return self._opens(day)
            if local + _LAST_MINUTES <= _moment(day, self.end, self.zone):
                return at
        return self._opens(self._next_day(day))

    def next_morning(self, at: datetime) -> datetime:
        """Give the beginning of the next working day after the one ``at`` lies in (UTC)."""
        return self._opens(self._next_day(at.astimezone(zone(self.zone)).date()))

    def _next_day(self, day: date) -> date:
        for ahead in range(1, _PATIENCE):
            if self._on(day + timedelta(days=ahead)):
                return day + timedelta(days=ahead)
        return day + timedelta(days=_PATIENCE)

    def _opens(self, day: date) -> datetime:
        return _moment(day, self.start, self.zone).astimezone(UTC)

    def _on(self, day: date) -> bool:
        return (
            day.weekday() < 5
            and day not in holidays(self.country, day.year)
            and not any(leave.first <= day <= leave.last for leave in self.leave)
        )


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Give a time zone by its IANA name."""
    return ZoneInfo(name)


@lru_cache(maxsize=256)
def holidays(country: str, year: int) -> frozenset[date]:
    """Give the public holidays of a year in a country; none for a country without a table."""
    days = {date(year, month, day) for month, day in _FIXED.get(country, ())}
    if country == "US":
        first = date(year, 11, 1)
        days.add(first + timedelta(days=(_THURSDAY - first.weekday()) % 7 + 21))
    return frozenset(days)


def leave_of(seed: int, person: str, first: date, last: date) -> tuple[Leave, ...]:
    """Invent when a person is away between two days: three to twelve days, every six to sixteen weeks."""
    return tuple(_leave(random.Random(f"{seed}/leave/{person}"), first, last))


def _leave(rng: random.Random, first: date, last: date) -> Iterator[Leave]:
    day = first + timedelta(days=rng.randint(5, 60))
    while day < last:
        away = Leave(first=day, last=day + timedelta(days=rng.randint(2, 11)))
        yield away
        day = away.last + timedelta(days=rng.randint(42, 112))


def _moment(day: date, minute: int, name: str) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone(name))
