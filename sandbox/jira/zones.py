"""Times as the site prints them: with the offset of the reader's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.stamps import parsed

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
    try:
        return told(parsed(text), zone)
    except (TypeError, ValueError):
        return text  # a world may hold broken times on purpose; they are served as they are


def iso(at: datetime, zone: tzinfo) -> str:
    """Print an instant as the service desk does in ``iso8601``: ``2026-01-01T02:00:00-0500``."""
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M:%S%z}"
