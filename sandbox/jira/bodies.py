"""Reading what callers send; whatever has the wrong shape gets the site's own 400, never a failure of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sandbox.calls import Call
from sandbox.jira.errors import refused

_PAYLOAD = "Invalid request payload. Refer to the REST API documentation and try again."
_MOST_NUMBER = 2**31 - 1


def object_body(call: Call) -> dict[str, Any]:
    """Return the body; raises RefusedCall (400) when it is not a JSON object."""
    try:
        body = call.json()
    except orjson.JSONDecodeError as error:
        raise refused(400, "There was an error parsing JSON. Check that your request body is valid.") from error
    if not isinstance(body, dict):
        raise refused(400, _PAYLOAD)
    return body


def text(asked: Mapping[str, Any], name: str) -> str:
    """Return a text, "" when it is absent or null; raises RefusedCall (400) for a list or an object."""
    value = asked.get(name)
    if isinstance(value, (dict, list, bool)):
        raise refused(400, _PAYLOAD)
    return "" if value is None else str(value)


def texts(asked: Mapping[str, Any], name: str) -> list[str]:
    """Return a list of texts (numbers are taken too); raises RefusedCall (400) for anything else."""
    value = asked.get(name)
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or any(isinstance(part, (dict, list, bool)) or part is None for part in value):
        raise refused(400, _PAYLOAD)
    return [str(part) for part in value]


def number(asked: Mapping[str, Any], name: str, default: int) -> int:
    """Return a whole number, the default when it is absent; raises RefusedCall (400) for anything else."""
    value = asked.get(name)
    if value is None or value == "":
        return default
    refusal = refused(400, f"{name} must be a number.")
    if isinstance(value, (bool, dict, list)):
        raise refusal
    try:
        given = int(value)
    except (ValueError, OverflowError) as error:
        raise refusal from error
    if abs(given) > _MOST_NUMBER:
        raise refusal
    return given


def part(asked: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an object within the body, empty when it is absent; raises RefusedCall (400) for anything else."""
    value = asked.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refused(400, _PAYLOAD)
    return value


def parts(asked: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list of objects, empty when it is absent; raises RefusedCall (400) for anything else."""
    value = asked.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise refused(400, _PAYLOAD)
    return value


def expanded(value: Any) -> frozenset[str]:
    """Return the names in an `expand` parameter, however it was sent."""
    if value is None:
        return frozenset()
    entries = value if isinstance(value, list) else [value]
    return frozenset(name.strip() for entry in entries for name in str(entry).split(",") if name.strip())


def asked_of(call: Call) -> dict[str, Any]:
    """Return the query parameters, the last value of each."""
    return dict(call.query)


def paging(call: Call, most: int, default: int | None = None) -> tuple[int, int]:
    """Return startAt and maxResults as asked for, within the ceiling; raises RefusedCall (400) for no numbers."""
    asked = asked_of(call)
    start = number(asked, "startAt", 0)
    size = number(asked, "maxResults", most if default is None else default)
    return max(0, start), min(most, max(1, size))
