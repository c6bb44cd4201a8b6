"""Times as the site prints them: with the offset of the reader's own time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.stamps import parsed

_KEPT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:[0-5]\d:[0-5]\d\.\d{3}\+0000", re.ASCII)
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


def retold(text: str, zone: tzinfo) -> str:
    """Print a kept time for a reader in that zone."""
    if zone is UTC and text.endswith("+0000"):
        return text
    if _KEPT.fullmatch(text):
        hour = _hour(text[:13], zone)
        if hour is not None:
            first, following, minutes, offset = hour
            if not minutes:
                return f"{first}{text[13:23]}{offset}"
            minute = int(text[14:16]) + minutes
            return f"{first if minute < 60 else following}:{minute % 60:02d}{text[16:23]}{offset}"
    try:
        return told(parsed(text), zone)
    except (TypeError, ValueError):
        return text  # a world may hold broken times on purpose; they are served as they are


@lru_cache(maxsize=100_000)
def _hour(text: str, zone: tzinfo) -> tuple[str, str, int, str] | None:
    """Return how times of an hour of UTC are told there: the hour it begins in, the next, minutes to add, offset.

    None where the clocks change meanwhile, or offsets have seconds.
    """
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
