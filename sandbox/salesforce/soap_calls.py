"""The SOAP operations of the org: login, logout, and what REST has no word for (undelete, merge)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import orjson

from sandbox.calls import Answer, Call, RefusedCall
from sandbox.salesforce.author import Author
from sandbox.salesforce.deletes import Bin
from sandbox.salesforce.ids import eighteen
from sandbox.salesforce.org import Org
from sandbox.salesforce.soap import Envelope, answered, fault, local, opened, text, texts
from sandbox.salesforce.tokens import address_of
from sandbox.stamps import airtable

_REFUSED = "Invalid username, password, security token; or user locked out."
_MOST = 200  # records of one undelete


class SoapCalls:
    """POST /services/Soap/u/{v} and /services/Soap/c/{v}."""

    def __init__(self, org: Org) -> None:
        """Serve one org."""
        self._org = org
        self._bin = Bin(org)
        self._operations: dict[str, Callable[[Envelope, Author], list[dict[str, Any]]]] = {
            "logout": self._logout,
            "getServerTimestamp": lambda _envelope, _author: [{"timestamp": airtable(org.clock())}],
            "getUserInfo": lambda _envelope, author: [self._user_info(author.user)],
            "undelete": self._undelete,
            "merge": self._merge,
        }

    def __call__(self, call: Call) -> Answer:
        """Answer one envelope; every refusal is a fault with status 500."""
        family = "enterprise" if call.at["api"] == "c" else "partner"
        envelope = opened(call.body, family)
        if envelope.operation == "login":
            return self._login(call, envelope)
        operation = self._operations.get(envelope.operation)
        if operation is None:
            text_ = f"No operation available for request {{urn:{family}.soap.sforce.com}}{envelope.operation}"
            raise fault("INVALID_OPERATION", text_, family)
        user = self._org.user_of(envelope.session)
        if user is None:
            text_ = "Invalid Session ID found in SessionHeader: Illegal Session"
            raise fault("INVALID_SESSION_ID", text_, family)
        try:
            self._org.count_request()
        except RefusedCall as error:
            raise fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", family) from error
        author = Author(user=user, rights=self._org.rights(user))
        return answered(envelope.operation, operation(envelope, author), family)

    def _login(self, call: Call, envelope: Envelope) -> Answer:
        family = envelope.family
        try:
            self._org.refuse_when_used_up()
        except RefusedCall as error:
            text_ = "TotalRequests Limit exceeded."
            raise fault("REQUEST_LIMIT_EXCEEDED", text_, family, kind="LoginFault") from error
        if envelope.organization and envelope.organization[:15] != self._org.id[:15]:
            raise fault("INVALID_LOGIN", _REFUSED, family, kind="LoginFault")
        user = self._org.known_login(
            text(envelope.body, "username"), text(envelope.body, "password"), trusted=bool(envelope.organization)
        )
        record = None if user is None else self._org.get("User", user)
        if user is None or (record is not None and not record.get("IsActive", True)):
            raise fault("INVALID_LOGIN", _REFUSED, family, kind="LoginFault")
        address, version = address_of(call), call.at["v"]
        result = {
            "metadataServerUrl": f"{address}/services/Soap/m/{version}/{self._org.id[:15]}",
            "passwordExpired": False,
            "sandbox": False,
            "serverUrl": f"{address}/services/Soap/{call.at['api']}/{version}/{self._org.id[:15]}",
            "sessionId": self._org.sign_in(user),
            "userId": user,
            "userInfo": self._user_info(user),
        }
        return answered("login", [result], family)

    def _logout(self, envelope: Envelope, _: Author) -> list[dict[str, Any]]:
        self._org.sign_out(envelope.session)
        return []

    def _user_info(self, user: str) -> dict[str, Any]:
        record = self._org.get("User", user) or {}
        return {
            "organizationId": self._org.id,
            "organizationName": self._org.name,
            "sessionSecondsValid": self._org.session_seconds,
            "userEmail": record.get("Email"),
            "userFullName": record.get("Name"),
            "userId": user,
            "userLanguage": "en_US",
            "userLocale": "en_US",
            "userName": record.get("Username"),
            "userTimeZone": record.get("TimeZoneSidKey") or "UTC",
            "userType": "Standard",
        }

    def _undelete(self, envelope: Envelope, author: Author) -> list[dict[str, Any]]:
        ids = texts(envelope.body, "ids")
        if len(ids) > _MOST:
            raise fault("EXCEEDED_MAX_SIZE_REQUEST", f"record count {len(ids)} too large", envelope.family)
        return [_row(id_, lambda id_=id_: self._bin.undelete(id_, by=author)) for id_ in map(eighteen, ids)]  # type: ignore[misc]  # mypy has no type for a lambda's default

    def _merge(self, envelope: Envelope, author: Author) -> list[dict[str, Any]]:
        results = []
        for request in (child for child in envelope.body if local(child) in {"request", "mergeRequests"}):
            master = next((child for child in request if local(child) == "masterRecord"), None)
            if master is None:
                raise fault("REQUIRED_FIELD_MISSING", "masterRecord is missing", envelope.family)
            losers = [eighteen(id_) for id_ in texts(request, "recordToMergeIds")]
            winner = eighteen(text(master, "Id"))
            changes = _columns(master)

            def act(winner: str = winner, losers: list[str] = losers, changes: dict[str, Any] = changes) -> None:
                self._bin.merge(winner, losers, changes, by=author)

            results.append(_row(winner, act) | {"mergedRecordIds": losers})
        return results


def _columns(record: ElementTree.Element) -> dict[str, Any]:
    kept = ((local(child), (child.text or "").strip()) for child in record)
    return {name: value for name, value in kept if name not in {"type", "Id", "fieldsToNull"}}


def _row(id_: str, act: Callable[[], None]) -> dict[str, Any]:
    try:
        act()
    except RefusedCall as error:
        told = orjson.loads(error.answer.body)[0]
        refusal = {"fields": told.get("fields", []), "message": told["message"], "statusCode": told["errorCode"]}
        return {"errors": [refusal], "id": None, "success": False}
    return {"id": id_, "success": True}
