"""What every handler of the site needs: who calls, which issue is meant, how replies are printed."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from sandbox.calls import Call
from sandbox.jira.errors import no_issue, not_signed_in, refused
from sandbox.jira.issues import Printer
from sandbox.jira.writes import Writer
from sandbox.stamps import Clock
from sandbox.store import Doc, Store


class Site:
    """One site over one space of the store."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Serve one space, stamping with the clock."""
        self.store = store
        self.space = space
        self.clock = clock
        self.writer = Writer(store, space, clock)

    def account(self, call: Call) -> str:
        """Return the caller's account id; raises RefusedCall (401) for a wrong or missing token."""
        scheme, _, credentials = call.headers.get("authorization", "").partition(" ")
        email, token = "", credentials
        if scheme.lower() == "basic":
            try:
                text = base64.b64decode(credentials, validate=True).decode("utf-8", "replace")
            except binascii.Error as error:
                raise not_signed_in() from error
            email, _, token = text.partition(":")
        known = self.store.get(self.space, "_token", token) if token else None
        if known is None or (scheme.lower() == "basic" and known["email"].lower() != email.lower()):
            raise not_signed_in()
        return str(known["accountId"])

    def printer(self, call: Call) -> Printer:
        """Return a printer for the API version the caller used."""
        version = "3" if call.at["v"] in {"3", "latest"} else "2"
        address = f"http://{call.headers.get('host', '127.0.0.1')}"
        return Printer(self.store, self.space, address=address, version=version)

    def issue(self, call: Call) -> Doc:
        """Return the issue named in the path; raises RefusedCall (404) when there is none."""
        return self.by_name(call.at["k"])

    def by_name(self, name: str) -> Doc:
        """Return an issue by id or key; raises RefusedCall (404) when there is none."""
        if name.isdigit():
            found = self.store.get(self.space, "issue", name)
        else:
            found = self.store.named(self.space, "issue", name.upper())
        if found is None:
            raise no_issue()
        return found


def paging(call: Call, most: int) -> tuple[int, int]:
    """Return startAt and maxResults as asked for, within the ceiling."""
    try:
        start, size = int(call.one("startAt", "0") or 0), int(call.one("maxResults", str(most)) or most)
    except ValueError as error:
        raise refused(400, "startAt and maxResults must be numbers.") from error
    return max(0, start), min(most, max(1, size))


def expanded(value: Any) -> str:
    """Return the `expand` parameter as one text, however it was sent."""
    if value is None:
        return ""
    return value if isinstance(value, str) else ",".join(str(part) for part in value)


def object_body(call: Call) -> dict[str, Any]:
    """Return the body; raises RefusedCall (400) when it is not a JSON object."""
    try:
        body = call.json()
    except orjson.JSONDecodeError as error:
        raise refused(400, "There was an error parsing JSON. Check that your request body is valid.") from error
    if not isinstance(body, dict):
        raise refused(400, "Request body must be a JSON object.")
    return body
