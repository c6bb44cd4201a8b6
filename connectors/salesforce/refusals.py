"""What the org says when it refuses, in our own errors with a hint about what to do."""

from __future__ import annotations

import re

import orjson
import requests

from hub.errors import SourceError, SourceRefused, SourceUnavailable

_NO_SUCH_COLUMN = re.compile(r"No such column '([^']*)' on entity '([^']*)'")
_NO_SUCH_OBJECT = re.compile(r"sObject type '([^']*)' is not supported")


def vendor_errors(response: requests.Response) -> tuple[tuple[str, str], ...]:
    """(errorCode, message) pairs of a failed reply; empty when the body has another shape."""
    if response.status_code < 400:
        return ()
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return ()
    parts = body if isinstance(body, list) else [body]
    return tuple(
        (str(part.get("errorCode", "")), str(part.get("message", ""))) for part in parts if isinstance(part, dict)
    )


def raise_when_used_up(response: requests.Response, source: str) -> None:
    """Raise SourceUnavailable when the reply says that the requests of the day are used up."""
    if "REQUEST_LIMIT_EXCEEDED" in {code for code, _ in vendor_errors(response)}:
        raise SourceUnavailable(
            f"{source}: the org's daily API limit is used up",
            source=source,
            hint="wait for the rolling 24 hours to free some, or ask for a higher limit",
        )


def raise_explained(response: requests.Response, source: str) -> None:
    """Raise what a refusal means, where we know it: a limit, an unknown field, an unknown object."""
    raise_when_used_up(response, source)
    for code, message in vendor_errors(response):
        column = _NO_SUCH_COLUMN.search(message)
        if column:
            raise _unknown(f"field {column.group(1)!r} of {column.group(2)}", source)
        sobject = _NO_SUCH_OBJECT.search(message)
        if sobject or code == "INVALID_TYPE":
            raise _unknown(f"object {sobject.group(1)!r}" if sobject else "an object", source)


def _unknown(what: str, source: str) -> SourceError:
    return SourceRefused(
        f"{source}: Salesforce does not know {what}, or hides it from the hub's user",
        source=source,
        hint=f"check {what} in the charter (API names) and the field-level security of the hub's user",
    )
