"""Airtable's error bodies."""

from __future__ import annotations

from sandbox.calls import RefusedCall, reply

RECORDS = (
    'You must provide an array of up to 10 record objects, each with an "id" ID field and a "fields" object '
    "for cell values."
)


def refused(status: int, kind: str, message: str = "") -> RefusedCall:
    """Return the refusal to raise."""
    error = {"type": kind, "message": message} if message else {"type": kind}
    return RefusedCall(reply({"error": error}, status))


def not_authenticated() -> RefusedCall:
    """Return what a missing, wrong or withdrawn token gets."""
    return refused(401, "AUTHENTICATION_REQUIRED", "Authentication required")


def bad_path() -> RefusedCall:
    """Return what an unknown path or a badly formed id gets: a bare string."""
    return RefusedCall(reply({"error": "NOT_FOUND"}, 404))


def no_model() -> RefusedCall:
    """Return what an unknown base or table gets: it is indistinguishable from a forbidden one."""
    return refused(
        403,
        "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND",
        "Invalid permissions, or the requested model was not found. Check that both your user and your token "
        "have the required permissions, and that the model names and/or ids are correct.",
    )


def forbidden() -> RefusedCall:
    """Return what a visible thing gets that the account may not change."""
    return refused(403, "INVALID_PERMISSIONS", "You are not permitted to perform this operation")


def no_record() -> RefusedCall:
    """Return what an unknown record gets."""
    return refused(404, "MODEL_ID_NOT_FOUND", "Record not found")


def unknown_field(name: str) -> RefusedCall:
    """Return what an unknown field name gets."""
    return refused(422, "UNKNOWN_FIELD_NAME", f'Unknown field name: "{name}"')


def unknown_view(name: str) -> RefusedCall:
    """Return what an unknown view gets."""
    kind = "VIEW_ID_NOT_FOUND" if name.startswith("viw") else "VIEW_NAME_NOT_FOUND"
    return refused(422, kind, f"View '{name}' not found")


def bad_formula(why: str) -> RefusedCall:
    """Return what an unusable formula gets."""
    text = f"The formula for filtering records is invalid: {why}"
    return refused(422, "INVALID_FILTER_BY_FORMULA", text)


def bad_value(field: str, why: str = "") -> RefusedCall:
    """Return what a cell that does not take the value gets."""
    text = f'Field "{field}" cannot accept the provided value' + (f" because {why}" if why else "")
    return refused(422, "INVALID_VALUE_FOR_COLUMN", text)


def bad_records() -> RefusedCall:
    """Return what a batch of the wrong form or size gets."""
    return refused(422, "INVALID_RECORDS", RECORDS)


def bad_request(why: str = "parameter validation failed. Check your request data.") -> RefusedCall:
    """Return what a request of the wrong form gets."""
    return refused(422, "INVALID_REQUEST_UNKNOWN", f"Invalid request: {why}")


def bad_body() -> RefusedCall:
    """Return what a body gets that is no JSON object."""
    return refused(400, "INVALID_REQUEST_BODY", "Could not parse request body")
