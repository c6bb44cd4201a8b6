"""Reading what a client asks of the bulk resources: new jobs, changes of state, places in a result."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson

from sandbox.calls import Call
from sandbox.salesforce.bulk.jobs import LOADS, QUERIES
from sandbox.salesforce.bulk.table import DELIMITERS, LINE_ENDINGS, Form
from sandbox.salesforce.errors import refused

_QUERY_KEYS = frozenset({"operation", "query", "contentType", "columnDelimiter", "lineEnding"})
_LOAD_KEYS = frozenset({
    "operation", "object", "contentType", "columnDelimiter", "lineEnding", "externalIdFieldName", "assignmentRuleId",
})  # fmt: skip
_LARGEST_PAGE = 50_000  # rows: a page is one answer in memory


def wanted_job(call: Call, *, is_query: bool) -> Mapping[str, Any]:
    """Return the body of a request for a new job; raises RefusedCall when it makes no sense."""
    body = _body(call)
    keys = _QUERY_KEYS if is_query else _LOAD_KEYS
    unknown = next((key for key in body if key not in keys), None)
    if unknown is not None:
        raise refused(400, "JSON_PARSER_ERROR", f'Unrecognized field "{unknown}"')
    wrong = next((key for key, value in body.items() if not isinstance(value, (str, type(None)))), None)
    if wrong is not None:
        raise refused(400, "JSON_PARSER_ERROR", f"{wrong} must be a string")
    operations = QUERIES if is_query else LOADS
    if body.get("operation") not in operations:
        raise refused(400, "INVALIDJOB", f"Invalid operation: {body.get('operation')}")
    if body.get("contentType") not in {None, "CSV"}:
        raise refused(400, "INVALIDJOB", f"Unsupported content type: {body['contentType']}")
    wanted = "query" if is_query else "object"
    if not (body.get(wanted) or "").strip():
        raise refused(400, "INVALIDJOB", f"{wanted} must be specified")
    return body


def wanted_form(body: Mapping[str, Any]) -> Form:
    """Return how the CSV of a new job is written; raises RefusedCall for names that the API does not have."""
    delimiter, line_ending = body.get("columnDelimiter") or "COMMA", body.get("lineEnding") or "LF"
    if delimiter not in DELIMITERS:
        raise refused(400, "INVALIDJOB", f"Unsupported column delimiter: {delimiter}")
    if line_ending not in LINE_ENDINGS:
        raise refused(400, "INVALIDJOB", f"Unsupported line ending: {line_ending}")
    return Form(delimiter=delimiter, line_ending=line_ending)


def wanted_state(call: Call) -> str:
    """Return the state a client wants a job to be in."""
    state = _body(call).get("state")
    if not isinstance(state, str):
        raise refused(400, "INVALIDJOB", "state must be specified")
    return state


def wanted_page(call: Call) -> tuple[int, int]:
    """Return from which row on, and how many rows of a result are asked for."""
    size = call.one("maxRecords")
    if size and not (size.isascii() and size.isdigit() and int(size[:9]) > 0):
        raise refused(400, "INVALID_QUERY_PARAMETER", f"maxRecords is not a positive number: {size}")
    locator = call.one("locator")
    start = 0 if locator in {"", "null"} else _row_of(locator)
    return start, min(int(size[:9]), _LARGEST_PAGE) if size else _LARGEST_PAGE


def locator_of(row: int) -> str:
    """Return the text that stands for a row of a result."""
    return base64.urlsafe_b64encode(str(row).encode()).decode().rstrip("=")


def _row_of(locator: str) -> int:
    try:
        text = base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)).decode("ascii")
    except (ValueError, binascii.Error) as error:
        raise refused(400, "INVALID_QUERY_LOCATOR", f"invalid locator: {locator}") from error
    if not text.isdigit() or len(text) > 9:
        raise refused(400, "INVALID_QUERY_LOCATOR", f"invalid locator: {locator}")
    return int(text)


def _body(call: Call) -> Mapping[str, Any]:
    try:
        body = call.json()
    except orjson.JSONDecodeError as error:
        raise refused(400, "JSON_PARSER_ERROR", f"Unexpected character: {error}") from error
    if not isinstance(body, dict):
        raise refused(400, "JSON_PARSER_ERROR", "The HTTP entity body must be an object")
    return body
