"""What formulas do with instants: shift, compare by unit, take apart, read and write. Days are days in UTC."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.airtable.values import BrokenValue, instant, number, text

_SECONDS = {
    "millisecond": 0.001, "ms": 0.001, "second": 1, "s": 1, "minute": 60, "m": 60, "hour": 3600, "h": 3600,
    "day": 86400, "d": 86400, "week": 604800, "w": 604800,
}  # fmt: skip
_MONTHS = {"month": 1, "M": 1, "quarter": 3, "Q": 3, "year": 12, "y": 12}
_TOKENS = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "DD": "%d", "dddd": "%A", "ddd": "%a",
    "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "A": "%p", "Z": "%z",
}  # fmt: skip
_BARE = {"M": "month", "D": "day", "H": "hour", "m": "minute", "s": "second"}
_TOKEN = re.compile(r"\[[^\]]*\]|YYYY|YY|M{1,4}|D{1,2}|d{3,4}|H{1,2}|h{1,2}|m{1,2}|s{1,2}|SSS|A|a|Z|X|x|[A-Za-z]")


def is_instant(value: Any) -> bool:
    """Whether a value is an instant rather than text that may spell one."""
    return isinstance(value, datetime)


def _unit(value: Any) -> str:
    """Return a unit in the one form the tables know; raises BrokenValue for an unknown one."""
    given = text(value).strip()
    known = _SECONDS.keys() | _MONTHS.keys()
    for candidate in (given, given.lower(), given.lower().removesuffix("s")):
        if candidate in known:
            return candidate
    raise BrokenValue(f"unknown unit {given}")


def shifted(value: Any, count: Any, unit: Any) -> datetime | None:
    """Return the instant so many units later, None for no date."""
    start, name, by = instant(value), _unit(unit), number(count)
    if start is None:
        return None
    if name in _SECONDS:
        return start + timedelta(seconds=by * _SECONDS[name])
    months = start.year * 12 + start.month - 1 + int(by) * _MONTHS[name]
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        raise BrokenValue("no such year")
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


def difference(a: Any, b: Any, unit: Any = "seconds") -> int | None:
    """Return how many whole units the first instant lies behind the second."""
    left, right, name = instant(a), instant(b), _unit(unit)
    if left is None or right is None:
        return None
    if name in _SECONDS:
        return int((left - right).total_seconds() / _SECONDS[name])
    later, earlier = max(left, right), min(left, right)
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    if (later.day, later.timetz()) < (earlier.day, earlier.timetz()):
        months -= 1
    return int(months / _MONTHS[name]) * (1 if left >= right else -1)


def same(a: Any, b: Any, unit: Any = None) -> bool:
    """Whether two instants are the same, or fall into the same unit."""
    left, right = instant(a), instant(b)
    if left is None or right is None:
        return False
    if unit is None or text(unit) == "":
        return left == right
    return _begin(left, _unit(unit)) == _begin(right, _unit(unit))


def _begin(at: datetime, unit: str) -> datetime:
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit in {"week", "w"}:
        return day - timedelta(days=(day.weekday() + 1) % 7)
    if unit in {"quarter", "Q"}:
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    if unit in {"year", "y"}:
        return day.replace(month=1, day=1)
    if unit in {"month", "M"}:
        return day.replace(day=1)
    if unit in {"day", "d"}:
        return day
    seconds = _SECONDS[unit]
    return day + timedelta(seconds=(at - day) // timedelta(seconds=seconds) * seconds)


def part(value: Any, name: str) -> int | None:
    """Return one part (`year` to `second`) of an instant."""
    at = instant(value)
    return None if at is None else int(getattr(at, name))


def weekday(value: Any, first: Any = None) -> int | None:
    """Return the day of the week, 0 being Sunday, or Monday when that is the first day."""
    at = instant(value)
    if at is None:
        return None
    return at.weekday() if text(first).lower() == "monday" else (at.weekday() + 1) % 7


def in_zone(value: Any, zone: Any) -> datetime | None:
    """Return the instant on the clocks of a time zone."""
    at = instant(value)
    return None if at is None else at.astimezone(named_zone(text(zone)))


def named_zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name; raises BrokenValue for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BrokenValue(f"unknown time zone {name}") from error


def formatted(value: Any, pattern: Any = None) -> str | None:
    """Write an instant in a pattern of Moment's letters; raises BrokenValue for letters outside the subset."""
    at = instant(value)
    if at is None:
        return None
    return _TOKEN.sub(lambda found: _written(at, found[0]), text(pattern) or "YYYY-MM-DDTHH:mm:ss.SSSZ")


def _written(at: datetime, token: str) -> str:
    if token.startswith("["):
        return token[1:-1]
    if token in _BARE:
        return str(getattr(at, _BARE[token]))
    if token in {"X", "x"}:
        return str(int(at.timestamp() * (1 if token == "X" else 1000)))  # noqa: S105  (a letter of a pattern)
    if token == "SSS":  # noqa: S105  (a letter of a pattern)
        return f"{at.microsecond // 1000:03d}"
    if token == "h":  # noqa: S105  (a letter of a pattern)
        return str(at.hour % 12 or 12)
    if token == "a":  # noqa: S105  (a letter of a pattern)
        return at.strftime("%p").lower()
    if token == "Z":  # noqa: S105  (a letter of a pattern)
        offset = at.strftime("%z")
        return f"{offset[:3]}:{offset[3:]}"
    if token in _TOKENS:
        return at.strftime(_TOKENS[token])
    raise BrokenValue(f"unknown letters {token}")


def read(value: Any, pattern: Any = None, locale: Any = None) -> datetime | None:
    """Read an instant, in a pattern where one is given; None for what does not fit. The locale is not needed."""
    del locale
    if isinstance(value, datetime) or pattern is None:
        return instant(value)
    try:
        at = datetime.strptime(text(value), _directives(text(pattern)))  # noqa: DTZ007  (a pattern may hold the offset)
    except (ValueError, re.error):  # the second: a pattern that names a part twice
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


@lru_cache(maxsize=64)
def _directives(pattern: str) -> str:
    def directive(found: re.Match[str]) -> str:
        token = found[0]
        if token.startswith("["):
            return token[1:-1].replace("%", "%%")
        bare = {"M": "%m", "D": "%d", "H": "%H", "h": "%I", "m": "%M", "s": "%S", "SSS": "%f", "a": "%p"}
        known = _TOKENS.get(token) or bare.get(token)
        if known is None:
            raise BrokenValue(f"unknown letters {token}")
        return known

    return _TOKEN.sub(directive, pattern)
