"""SOQL's date literals (TODAY, LAST_N_DAYS:7): which span of time each means at a moment and in a zone."""

from __future__ import annotations

import re
from datetime import date, timedelta

_PLAIN = re.compile(r"(THIS|LAST|NEXT)_(WEEK|MONTH|QUARTER|YEAR)")
_COUNTED = re.compile(r"(LAST|NEXT)_N_(DAY|WEEK|MONTH|QUARTER|YEAR)S")
_AGO = re.compile(r"N_(DAY|WEEK|MONTH|QUARTER|YEAR)S_AGO")
_DAYS = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}
LONGEST = 10_000  # a larger number would leave the calendar


def span_of(literal: str, today: date) -> tuple[date, date]:
    """Return the first day and the day after the last; raises ValueError for a literal nobody knows.

    `literal` is upper case, a number follows a colon. Weeks begin on Sunday, as in the locale en_US.
    """
    name, _, number = literal.partition(":")
    n = int(number) if number else 0
    if n > LONGEST:
        raise ValueError(f"invalid number in {literal}")
    if name in _DAYS and not number:
        day = today + timedelta(days=_DAYS[name])
        return day, day + timedelta(days=1)
    if name in {"LAST_90_DAYS", "NEXT_90_DAYS"} and not number:
        name, n, number = f"{name[:4]}_N_DAYS", 90, "90"
    if not number and (plain := _PLAIN.fullmatch(name)):
        shift = {"THIS": 0, "LAST": -1, "NEXT": 1}[plain[1]]
        start = _start(plain[2], today)
        return _moved(start, plain[2], shift), _moved(start, plain[2], shift + 1)
    if number and (counted := _COUNTED.fullmatch(name)):
        return _counted(counted[1], counted[2], n, today)
    if number and (ago := _AGO.fullmatch(name)):
        start = _start(ago[1], today)
        return _moved(start, ago[1], -n), _moved(start, ago[1], 1 - n)
    raise ValueError(f"invalid date literal {literal}")


def _counted(way: str, unit: str, n: int, today: date) -> tuple[date, date]:
    start = _start(unit, today)
    if unit == "DAY":  # the last n days reach to the end of today; the next n begin tomorrow
        if way == "LAST":
            return _moved(today, unit, -n), today + timedelta(days=1)
        return today + timedelta(days=1), _moved(today, unit, n + 1)
    if way == "LAST":
        return _moved(start, unit, -n), start
    return _moved(start, unit, 1), _moved(start, unit, n + 1)


def _start(unit: str, day: date) -> date:
    if unit == "WEEK":
        return day - timedelta(days=(day.weekday() + 1) % 7)
    if unit == "MONTH":
        return day.replace(day=1)
    if unit == "QUARTER":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1) if unit == "YEAR" else day


def _moved(start: date, unit: str, n: int) -> date:
    try:
        if unit in {"DAY", "WEEK"}:
            return start + timedelta(days=n * (7 if unit == "WEEK" else 1))
        months = start.year * 12 + start.month - 1 + n * {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
        return start.replace(year=months // 12, month=months % 12 + 1)
    except (OverflowError, ValueError) as error:
        raise ValueError("a date literal leaves the calendar") from error
