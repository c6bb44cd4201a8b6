"""The ways the simulated tools write an instant; all times inside are aware UTC datetimes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Return the present in UTC."""
    return datetime.now(UTC)


def stamp(at: datetime) -> str:
    """Sortable text with microseconds: the store's own order of change."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def salesforce(at: datetime) -> str:
    """Salesforce form: ``2026-01-01T00:00:00.000+0000``."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def jira(at: datetime) -> str:
    """Jira form, the same letters as Salesforce's: ``2026-01-01T00:00:00.000+0000``."""
    return salesforce(at)


def airtable(at: datetime) -> str:
    """Airtable form: ``2026-01-01T00:00:00.000Z``."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def parsed(text: str) -> datetime:
    """Read any of the forms above; text without an offset is UTC. Raises ValueError for anything else."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
