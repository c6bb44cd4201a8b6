"""Times as the site prints them: with the offset of the reader's own time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.stamps import parsed

_HOUR = re.compile(r"\d{4}-\d\d-\d\dT\d\d", re.ASCII)
_REST = re.compile(r":[0-5]\d:[0-5]\d\.\d{3}\+0000", re.ASCII)
_MOST_WORKED = 100_000
_NEARLY_AN_HOUR = timedelta(minutes=59, seconds=59, milliseconds=999)
_AS_KEPT = frozenset({"UTC", "Etc/UTC", "Etc/GMT", "GMT"})


@lru_cache(maxsize=256)
def zone_named(name: str) -> tzinfo:
    """Return a time zone; UTC for names nobody knows, as a site falls back to its own."""
    if not name or name in _AS_KEPT:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def told(at: datetime, zone: tzinfo) -> str:
    """Print an instant: ``2026-01-01T02:00:00.000-0500``."""
    at = at.astimezone(zone)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}{at:%z}"


class Retelling:
    """Prints kept times for a reader in one zone; each hour and each minute is worked out once."""

    def __init__(self, zone: tzinfo) -> None:
        """Print for one zone."""
        self._zone = zone
        self._hours = _Worked(lambda text: _hour(text, zone))
        self._rests = _Worked(_REST.fullmatch)

    def __call__(self, text: str) -> str:
        """Return a kept time as that reader is told it; a broken one as it is."""
        if self._zone is UTC and text.endswith("+0000"):
            return text
        hour = self._hours[text[:13]]
        if hour is not None and self._rests[text[13:]]:
            first, following, minutes, offset = hour
            if not minutes:
                return f"{first}{text[13:23]}{offset}"
            minute = int(text[14:16]) + minutes
            return f"{first if minute < 60 else following}:{minute % 60:02d}{text[16:23]}{offset}"
        try:
            return told(parsed(text), self._zone)
        except (TypeError, ValueError):
            return text  # a world may hold broken times on purpose; they are served as they are


class _Worked(dict[str, Any]):
    """What came out for a text before."""

    def __init__(self, work: Callable[[str], Any]) -> None:
        super().__init__()
        self._work = work

    def __missing__(self, text: str) -> Any:
        if len(self) >= _MOST_WORKED:
            self.clear()
        self[text] = out = self._work(text)
        return out


@lru_cache(maxsize=256)
def retelling(zone: tzinfo) -> Retelling:
    """Return what prints times for readers in that zone."""
    return Retelling(zone)


def _hour(text: str, zone: tzinfo) -> tuple[str, str, int, str] | None:
    """Return how times of an hour of UTC are told there: the hour it begins in, the next, minutes to add, offset.

    None for what is no hour, where the clocks change meanwhile, or where offsets have seconds.
    """
    if _HOUR.fullmatch(text) is None:
        return None
    try:
        first = datetime.fromisoformat(f"{text}:00:00+00:00")
        there, last = first.astimezone(zone), (first + _NEARLY_AN_HOUR).astimezone(zone)
    except (ValueError, OverflowError):
        return None
    offset = f"{there:%z}"
    if there.second or f"{last:%z}" != offset:
        return None
    return f"{there:%Y-%m-%dT%H}", f"{last:%Y-%m-%dT%H}", there.minute, offset


def iso(at: datetime, zone: tzinfo) -> str:
    """Print an instant as the service desk does in ``iso8601``: ``2026-01-01T02:00:00-0500``."""
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M:%S%z}"
