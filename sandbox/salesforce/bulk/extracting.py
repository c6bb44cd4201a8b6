"""The work of a query job: records become CSV lines, a chunk at a time."""

from __future__ import annotations

import re
from typing import Any

from sandbox.calls import RefusedCall
from sandbox.salesforce.columns import Column
from sandbox.salesforce.errors import refused

_STRINGS = re.compile(r"'(?:\\.|[^'\\])*'")
_AGGREGATE = re.compile(r"\b(?:COUNT|COUNT_DISTINCT|SUM|AVG|MIN|MAX|GROUPING)\s*\(|\bGROUP\s+BY\b", re.IGNORECASE)
_UNSUPPORTED = (
    (re.compile(r"\bSELECT\b[^()]*\(\s*SELECT\b", re.IGNORECASE), "Aggregate Relationships"),
    (_AGGREGATE, "Aggregate Queries"),
    (re.compile(r"\bTYPEOF\b", re.IGNORECASE), "TYPEOF"),
    (re.compile(r"\bOFFSET\s+\d", re.IGNORECASE), "OFFSET"),
    (re.compile(r"\bFIELDS\s*\(", re.IGNORECASE), "FIELDS()"),
)
_WHOLE = frozenset({"int", "long"})
_FRACTIONS = frozenset({"double", "currency", "percent"})


def refuse_unsupported(soql: str) -> None:
    """Refuse (FEATURENOTENABLED) what plain queries may do and bulk queries may not.

    The relationship text was seen in public threads, the others are formed after it.
    """
    bare = _STRINGS.sub("''", soql)
    for pattern, name in _UNSUPPORTED:
        if pattern.search(bare):
            text = f"{name} not supported in Bulk V2 Query with CSV content type"
            raise refused(400, "FEATURENOTENABLED", text)


def cell(value: Any, column: Column) -> str:
    """Return a value as a result shows it: times with milliseconds and Z, booleans in small letters, null as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if column.type == "datetime":
        return str(value).replace("+0000", "Z")
    if isinstance(value, (int, float)):
        if column.type in _WHOLE:
            return str(int(value))
        return repr(float(value)) if column.type in _FRACTIONS or isinstance(value, float) else str(value)
    if isinstance(value, (list, tuple)):
        return ";".join(str(part) for part in value)
    return str(value)


def told_error(error: RefusedCall) -> tuple[str, str, list[str]]:
    """Return code, message and fields of a refusal."""
    import orjson

    row = orjson.loads(error.answer.body)[0]
    return str(row["errorCode"]), str(row["message"]), list(row.get("fields") or ())
