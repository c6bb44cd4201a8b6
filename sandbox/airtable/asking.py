"""What a listing asks for, from the query of a GET or the body of a POST, and how it is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from sandbox.airtable.errors import bad_body, bad_request
from sandbox.airtable.tables import Table
from sandbox.calls import Call

_BRACKETED = {name: re.compile(rf"{name}(\[\d*\])?") for name in ("fields", "recordMetadata")}
_SORT = re.compile(r"sort\[(\d{1,4})\]\[(field|direction)\]")


def asked_of(call: Call) -> dict[str, Any]:
    """Return the parameters of a listing by name; raises RefusedCall (400) for a body that is not an object."""
    asked = _queried(call)
    return {**asked, **object_body(call)} if call.method == "POST" else asked


def wanted_fields(table: Table, asked: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the ids of the fields asked for, None for all; raises RefusedCall (422) for unknown ones."""
    names = texts(asked.get("fields"))
    return frozenset(str(table.field(name)["id"]) for name in names) if names else None


def sorts_of(wanted: Any) -> list[tuple[str, bool]]:
    """Return the fields to sort by, each with whether downwards; raises RefusedCall (422)."""
    if not isinstance(wanted or [], list):
        raise bad_request()
    sorts = []
    for sort in wanted or []:
        if not isinstance(sort, Mapping) or not isinstance(sort.get("field"), str):
            raise bad_request()
        if sort.get("direction", "asc") not in {"asc", "desc"}:
            raise bad_request()
        sorts.append((str(sort["field"]), sort.get("direction") == "desc"))
    return sorts


def texts(value: Any) -> list[str]:
    """Return one text or several as a list; raises RefusedCall (422) for anything else."""
    if isinstance(value, str) and value:
        return [value]
    if value in (None, ""):
        return []
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise bad_request()
    return value


def flag(value: Any) -> bool:
    """Whether a flag is set, in its query or its JSON form."""
    return value is True or value in ("1", "true", 1)


def whole_number(value: Any, default: int, *, most: int) -> int:
    """Return a number between 1 and `most`, the default where none is given; raises RefusedCall (422)."""
    if value is None or value == "":
        return default
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise bad_request() from error
    if not 0 < number <= most:
        raise bad_request()
    return number


def object_body(call: Call) -> dict[str, Any]:
    """Return the body; raises RefusedCall (400) when it is not a JSON object."""
    try:
        body = call.json()
    except orjson.JSONDecodeError as error:
        raise bad_body() from error
    if not isinstance(body, dict):
        raise bad_body()
    return body


def _queried(call: Call) -> dict[str, Any]:
    """Read the query form of a listing: `fields[]`, `sort[0][field]` and so on; the last of a name counts."""
    asked: dict[str, Any] = dict(call.query)
    sorts: dict[str, dict[str, str]] = {}
    for name, value in call.query:
        if match := _SORT.fullmatch(name):
            sorts.setdefault(match[1], {})[match[2]] = value
    asked["sort"] = [sorts[key] for key in sorted(sorts, key=int)]
    for name, form in _BRACKETED.items():  # plain, with brackets, or with a number in them
        asked[name] = [value for key, value in call.query if form.fullmatch(key)]
    return asked
