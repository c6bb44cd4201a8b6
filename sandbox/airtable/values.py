"""How Airtable's values turn into one another: text, numbers, instants and truth of what a cell holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.stamps import airtable, parsed

KEPT = frozenset({int, float, dict})  # types whose values are told even when they count as false


class BrokenValue(Exception):
    """A formula that cannot be worked out for a record: ``#ERROR!`` in its cell, and no hit for a filter."""


def empty(value: Any) -> bool:
    """Whether the API leaves the cell out: no value, an unticked box, an empty list or text."""
    return value is None or value is False or value in ("", [])


def truth(value: Any) -> bool:
    """Whether a condition holds."""
    return value not in (None, False, 0, "", [])


def text(value: Any) -> str:
    """Return a value as formulas join it: people and options by name, lists with commas."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, datetime):
        return airtable(value)
    if isinstance(value, Mapping):
        return str(value.get("name") or value.get("email") or value.get("text") or value.get("id") or "")
    if isinstance(value, list):
        return ", ".join(text(part) for part in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def number(value: Any) -> float:
    """Return a value as a number, nothing as 0; raises BrokenValue for text that is none."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value in (None, "", []):
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise BrokenValue("not a number") from error


def instant(value: Any) -> datetime | None:
    """Return a value as an aware UTC time, or None when it is none."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    try:
        return parsed(str(value)).astimezone(UTC) if value else None
    except (ValueError, OverflowError):
        return None
