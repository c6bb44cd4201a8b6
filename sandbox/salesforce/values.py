"""Reading the values of a request body as the org's field types demand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sandbox.calls import RefusedCall
from sandbox.salesforce.errors import refused
from sandbox.salesforce.ids import eighteen, plausible
from sandbox.stamps import salesforce

LENGTHS = {"id": 18, "reference": 18, "textarea": 32000, "email": 80, "phone": 40, "picklist": 255, "string": 255}
_LARGEST = 1e18
_NUMBERS = {"double", "currency", "percent", "int"}


def accepted_value(field: Mapping[str, Any], value: Any) -> Any:
    """Return a value as the record keeps it; raises RefusedCall when it does not fit the field."""
    name, kind = str(field["name"]), str(field["type"])
    if value is None or value == "":
        return False if kind == "boolean" and value is None else None
    if kind == "date":
        try:
            return date.fromisoformat(str(value)[:10]).isoformat()
        except ValueError as error:
            raise _unreadable("date", value) from error
    if kind == "datetime":
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError as error:
            raise _unreadable("datetime", value) from error
        return salesforce(at.replace(tzinfo=UTC) if at.tzinfo is None else at)
    if kind == "boolean":
        if str(value).lower() not in {"true", "false"}:
            raise _unreadable("boolean", value)
        return str(value).lower() == "true"
    if kind in _NUMBERS:
        return _number(value)
    if not isinstance(value, str):
        raise _unreadable(kind, value)
    if kind == "reference":
        if not plausible(value):
            raise refused(400, "MALFORMED_ID", f"{name}: id value of incorrect type: {value}", fields=[name])
        return eighteen(value)
    return _text(field, name, value)


def _number(value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise _unreadable("double", value)
    try:
        number = float(value)
    except ValueError as error:
        raise _unreadable("double", value) from error
    if not abs(number) <= _LARGEST:  # NaN is not smaller than anything
        raise refused(400, "NUMBER_OUTSIDE_VALID_RANGE", f"value outside of valid range: {value}", fields=[])
    return value if isinstance(value, (int, float)) else number


def _text(field: Mapping[str, Any], name: str, value: str) -> str:
    most = field.get("length") or LENGTHS.get(str(field["type"]))
    if most and len(value) > int(most):
        text = f"{field.get('label', name)}: data value too large: {value[:80]} (max length={most})"
        raise refused(400, "STRING_TOO_LONG", text, fields=[name])
    if field.get("restrictedPicklist"):
        choices = {c.get("value") if isinstance(c, Mapping) else c for c in field.get("picklistValues") or ()}
        if value not in choices:
            text = f"{field.get('label', name)}: bad value for restricted picklist field: {value}"
            raise refused(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, fields=[name])
    return value


def _unreadable(kind: str, value: Any) -> RefusedCall:
    token = "VALUE_STRING" if isinstance(value, str) else type(value).__name__
    shown = str(value)[:200]
    return refused(400, "JSON_PARSER_ERROR", f"Cannot deserialize instance of {kind} from {token} value {shown}")
