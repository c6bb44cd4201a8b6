"""SOQL text from names and values, so that no value can become part of the query. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from hub.errors import ConfigurationError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*")
_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"})


def name(text: str) -> str:
    """A field or object name, possibly a path; raises ConfigurationError for anything else."""
    if not _NAME.fullmatch(text):
        raise ConfigurationError(
            f"{text!r} is not a Salesforce name", hint="use API names (Phase__c), not labels, in the charter"
        )
    return text


def literal(value: str | datetime | bool) -> str:
    """A quoted text, a UTC instant in milliseconds, or a boolean."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return "'" + value.translate(_ESCAPES) + "'"


def compare(field: str, operator: str, value: str | datetime | bool) -> str:
    """One comparison; `operator` is one of ours, never from outside."""
    return f"{name(field)} {operator} {literal(value)}"


def behind(stamp: datetime, id_: str) -> tuple[str, str]:
    """What comes behind a record in the order of (SystemModstamp, Id); the first condition can use an index."""
    later = compare("SystemModstamp", ">", stamp)
    return compare("SystemModstamp", ">=", stamp), f"({later} OR {compare('Id', '>', id_)})"


def within(field: str, values: Iterable[str]) -> str:
    """`field IN (...)`."""
    return f"{name(field)} IN ({','.join(literal(value) for value in values)})"


def select(
    fields: Sequence[str],
    sobject: str,
    *conditions: str,
    order: Sequence[str] = (),
    limit: int | None = None,
) -> str:
    """A query; the conditions (built by this module) are joined by AND."""
    text = f"SELECT {','.join(name(field) for field in fields)} FROM {name(sobject)}"
    if conditions:
        text += " WHERE " + " AND ".join(conditions)
    if order:
        text += " ORDER BY " + ",".join(name(field) for field in order)
    return text if limit is None else f"{text} LIMIT {limit}"


def count(sobject: str, *conditions: str) -> str:
    """A query for the number of records."""
    text = f"SELECT COUNT() FROM {name(sobject)}"
    return f"{text} WHERE {' AND '.join(conditions)}" if conditions else text
