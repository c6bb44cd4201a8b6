"""What a date in a query means: epoch milliseconds, a date in the asker's zone, `-5m`, `startOfDay(-1)`."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sandbox.jira.errors import bad_jql
from sandbox.jira.jql import Operand
from sandbox.rights import Rights

_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_FORMS = ("%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M", "%Y/%m/%d")
_LAST_MOMENT = timedelta(milliseconds=1)
# function -> the unit its argument counts in when it names none
_PERIODS = {"startofday": "d", "endofday": "d", "startofweek": "w", "endofweek": "w",
            "startofmonth": "M", "endofmonth": "M", "startofyear": "y", "endofyear": "y"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and when: dates without an offset are read in the asker's own time zone."""

    account: str
    zone: tzinfo
    now: datetime
    rights: Rights = field(default_factory=Rights)


def instant(value: Operand, asker: Asker) -> datetime:
    """Return the instant meant (aware UTC); raises RefusedCall (400) in the site's words for anything else."""
    try:
        return _meant(value, asker)
    except OverflowError as error:
        raise _unusable(value.text or "".join(value.arguments)) from error


def whole_day(value: Operand, asker: Asker) -> tuple[datetime, datetime]:
    """Return the first and last instant meant by `ON`: a date alone is the whole day in the asker's zone."""
    first = instant(value, asker)
    if re.fullmatch(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}", value.text.strip()):
        day = first.astimezone(asker.zone).date()
        return first, _midnight(day + timedelta(days=1), asker.zone) - _LAST_MOMENT
    return first, first + timedelta(minutes=1) - _LAST_MOMENT


def _meant(value: Operand, asker: Asker) -> datetime:
    if value.function:
        return _function(value, asker)
    text = value.text.strip()
    if re.fullmatch(r"\d{5,}", text):
        try:
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        except (ValueError, OSError) as error:
            raise _unusable(text) from error
    span = _span(text)
    if span is not None:
        return asker.now + span
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=asker.zone).astimezone(UTC)
        except ValueError:
            continue
    raise _unusable(text)


def _function(value: Operand, asker: Asker) -> datetime:
    name = value.function.lower()
    if name == "now":
        if value.arguments:
            raise bad_jql(f"Function 'now' expected '0' arguments but received '{len(value.arguments)}'.")
        return asker.now
    unit = _PERIODS.get(name)
    if unit is None:
        raise bad_jql(f"Unable to find JQL function '{value.function}({', '.join(value.arguments)})'.")
    if len(value.arguments) > 1:
        raise bad_jql(f"Function '{value.function}' expected between '0' and '1' arguments.")
    local = asker.now.astimezone(asker.zone)
    if value.arguments:
        local = _moved(local, value.arguments[0].strip(), unit, value.function)
    starts = _STARTS[unit]
    first = starts(local.date())
    if name.startswith("start"):
        return _midnight(first, asker.zone)
    return _midnight(_NEXT[unit](first), asker.zone) - _LAST_MOMENT


def _moved(local: datetime, text: str, unit: str, function: str) -> datetime:
    match = re.fullmatch(r"([+-]?\d{1,6})([yMwdhm]?)", text)
    if match is None:
        raise bad_jql(f"Unable to parse the argument '{text}' of the function '{function}'.")
    count, unit = int(match[1]), match[2] or unit
    if unit in {"M", "y"}:
        month = local.month - 1 + count * (12 if unit == "y" else 1)
        year = local.year + month // 12
        if not 1 <= year <= 9998:  # the last year has no start of the next one
            raise OverflowError
        day = min(local.day, calendar.monthrange(year, month % 12 + 1)[1])
        return local.replace(year=year, month=month % 12 + 1, day=day)
    return local + timedelta(seconds=count * _SECONDS[unit])


def _week(day: date) -> date:
    return day - timedelta(days=(day.weekday() + 1) % 7)  # weeks begin on Sunday, as in the site's own language


_STARTS: dict[str, Callable[[date], date]] = {
    "d": lambda day: day,
    "w": _week,
    "M": lambda day: day.replace(day=1),
    "y": lambda day: day.replace(month=1, day=1),
}
_NEXT: dict[str, Callable[[date], date]] = {
    "d": lambda first: first + timedelta(days=1),
    "w": lambda first: first + timedelta(days=7),
    "M": lambda first: (first.replace(day=1) + timedelta(days=32)).replace(day=1),
    "y": lambda first: first.replace(year=first.year + 1, month=1, day=1),
}


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _span(text: str) -> timedelta | None:
    """Return the period meant by `-5d` or `-4w 2d`; a sign counts for the whole period."""
    match = re.fullmatch(r"([+-]?)((?:\d{1,9}[mhdw]\s*)+)", text, re.IGNORECASE)
    if match is None:
        return None
    parts = re.findall(r"(\d+)([mhdw])", match[2].lower())
    whole = timedelta(seconds=sum(int(count) * _SECONDS[unit] for count, unit in parts))
    return -whole if match[1] == "-" else whole


def _unusable(text: str) -> Exception:
    return bad_jql(
        f"Date value '{text}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', "
        "'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
    )
