"""Salesforce's error bodies: a JSON array of objects, whatever happened."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.calls import Call, RefusedCall, reply


def refused(status: int, code: str, message: str, *, fields: list[str] | None = None) -> RefusedCall:
    """Return the refusal to raise; `fields` names the fields at fault, when there are any."""
    body: dict[str, object] = {"message": message, "errorCode": code}
    if fields is not None:
        body["fields"] = fields
    return RefusedCall(reply([body], status))


def not_found() -> RefusedCall:
    """Return what an unknown path, object or record gets."""
    return refused(404, "NOT_FOUND", "The requested resource does not exist")


def malformed_query(message: str) -> RefusedCall:
    """Return what a query outside the grammar gets."""
    return refused(400, "MALFORMED_QUERY", message)


def no_such_column(field: str, sobject: str) -> RefusedCall:
    """Return what a query for an unknown field gets."""
    return refused(
        400,
        "INVALID_FIELD",
        f"\nERROR at Row:1:Column:1\nNo such column '{field}' on entity '{sobject}'. If you are attempting to "
        "use a custom field, be sure to append the '__c' after the custom field name. Please reference your "
        "WSDL or the describe call for the appropriate names.",
    )


def no_access() -> RefusedCall:
    """Return what a change gets for which the user's rights do not suffice."""
    return refused(400, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", fields=[])


def several_found(addresses: list[str]) -> RefusedCall:
    """Return what an external id gets that several records carry: their addresses, status 300."""
    return RefusedCall(reply(addresses, 300))


def body_of(call: Call) -> dict[str, Any]:
    """Return the JSON object a request carries; raises RefusedCall (JSON_PARSER_ERROR) for anything else."""
    try:
        body = call.json()
    except orjson.JSONDecodeError as error:
        raise refused(400, "JSON_PARSER_ERROR", f"Unexpected character: {error}") from error
    if not isinstance(body, dict):
        raise refused(400, "JSON_PARSER_ERROR", "The HTTP entity body must be an object")
    return body


def row_error(error: RefusedCall) -> dict[str, Any]:
    """Return a refusal as a row of a collection tells it: `statusCode` where a whole reply says `errorCode`."""
    told = orjson.loads(error.answer.body)[0] if error.answer.body[:1] == b"[" else {}
    if not isinstance(told, dict):
        return {"statusCode": "DUPLICATE_VALUE", "message": "duplicate value found", "fields": []}
    code = told.get("errorCode", "UNKNOWN_EXCEPTION")
    row = {"statusCode": code, "message": told.get("message", ""), "fields": told.get("fields", [])}
    if "duplicateResult" in told:
        row["duplicateResult"] = told["duplicateResult"]
    return row
