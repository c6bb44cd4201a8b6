"""Salesforce's error bodies: a JSON array of objects, whatever happened."""

from __future__ import annotations

from sandbox.calls import RefusedCall, reply


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
