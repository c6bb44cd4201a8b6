"""Writing an owner: one record, one field, one request, and Salesforce itself refuses it when anybody changed
the record since it was read.

`If-Unmodified-Since` compares whole seconds, so a record that changed within the last two seconds before the
reading is not written yet: a second edit inside the same second would slip past the guard.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_conditionalrequest.htm
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
import requests
from urllib3.exceptions import NewConnectionError

from connectors.base import OwnerReading, SendResult
from connectors.salesforce import soql
from connectors.salesforce.org import Answer, Org
from connectors.salesforce.parse import Unreadable, account_id, history_of, instant
from connectors.salesforce.refusals import vendor_errors
from hub.charter.sources import SalesforceObject
from hub.domain.records import OWNER_SEPARATOR
from hub.errors import SourceBroken, SourceError, SourceRefused

_HOLE = timedelta(seconds=2)
_PREFIXES = {"500": "Case", "006": "Opportunity", "001": "Account", "00Q": "Lead", "003": "Contact"}
_PEOPLE_ONLY = frozenset({"Opportunity", "Account", "Contact"})
_NOT_PROCESSED = frozenset({"UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "INVALID_SESSION_ID"})


class SalesforceOwnerWriter:
    """Owners of the configured objects; see `connectors.base.OwnerWriter`."""

    def __init__(
        self, source: str, objects: Mapping[str, SalesforceObject], org: Org, writes: requests.Session
    ) -> None:
        self._source = source
        self._objects = objects
        self._org = org
        self._writes = writes
        self._prefixes: dict[str, str] = {}

    def read_owner(self, record: str) -> OwnerReading:
        """Owner by direct read; the witness keeps the modification time and the org's clock."""
        sobject, mapping = self._object_of(record)
        answer, row = self._record(
            sobject, record, (mapping.owner, "LastModifiedDate", "SystemModstamp", "LastModifiedById", "IsDeleted")
        )
        if row.get("IsDeleted"):
            raise SourceRefused(f"{self._source}: {record} is deleted", source=self._source)
        owner = row.get(mapping.owner)
        try:
            modified = instant(row, "LastModifiedDate")
        except Unreadable as error:
            raise SourceBroken(f"{self._source}: {record}: {error}", source=self._source) from error
        witness = {"modified": modified.isoformat(), "read": answer.at.isoformat()}
        return OwnerReading(
            owner=account_id(str(owner)) if owner else None,
            version=str(row.get("SystemModstamp")),
            witness=orjson.dumps(witness).decode(),
        )

    def may_own(self, record: str, account: str) -> str:
        """Why `account` may not own `record`, or an empty text."""
        sobject, _ = self._object_of(record)
        if account.startswith("005"):
            rows = self._org.query(soql.select(("IsActive",), "User", soql.compare("Id", "=", account), limit=1)).rows
            if not rows:
                return f"Salesforce knows no user {account}"
            return "" if rows[0].get("IsActive") else f"the Salesforce user {account} is not active"
        if account.startswith("00G"):
            if sobject in _PEOPLE_ONLY:
                return f"a queue cannot own a record of {sobject}"
            queue = (soql.compare("Id", "=", account), soql.compare("Type", "=", "Queue"))
            found = self._org.query(soql.select(("Id",), "Group", *queue, limit=1)).rows
            return "" if found else f"Salesforce knows no queue {account}"
        return f"{account} is neither a Salesforce user nor a queue"

    def send_owner(self, record: str, desired: str | None, reading: OwnerReading, *, marker: str) -> SendResult:
        """Send the owner once. Salesforce has no place for `marker`: the history, which names our user, is
        the proof."""
        del marker
        if desired is None or OWNER_SEPARATOR in desired:
            return SendResult(kind="refused", detail="a Salesforce record has exactly one owner")
        witness = orjson.loads(reading.witness)
        modified = datetime.fromisoformat(witness["modified"])
        if datetime.fromisoformat(witness["read"]) - modified < _HOLE:
            return SendResult(kind="not_processed", detail="the record changed less than two seconds ago")
        try:
            sobject, mapping = self._object_of(record)
            address = self._org.address(f"sobjects/{sobject}/{_checked(record, self._source)}")
            headers = {
                **self._org.headers(),
                "If-Unmodified-Since": format_datetime(modified.astimezone(UTC), usegmt=True),
                "Sforce-Auto-Assign": "FALSE",
            }
        except SourceError as error:
            return SendResult(kind="not_processed", detail=error.message)
        try:
            response = self._writes.patch(address, data=orjson.dumps({mapping.owner: desired}), headers=headers)
        except requests.exceptions.ConnectionError as error:
            if _never_left(error):
                return SendResult(kind="not_processed", detail="no connection to Salesforce")
            return SendResult(kind="unknown", detail="the connection broke before the reply")
        except requests.exceptions.RequestException as error:
            return SendResult(kind="unknown", detail=f"no usable reply ({type(error).__name__})")
        except SourceRefused as error:
            return SendResult(kind="not_processed", detail=error.message)
        except SourceError as error:
            return SendResult(kind="unknown", detail=error.message)
        return self._judged(response)

    def sent_by_us(self, record: str, desired: str | None, since: datetime, *, marker: str) -> bool | None:
        """Whether the history shows our user giving the record to `desired` since then (our clock); None
        when the owner's history is not tracked."""
        del marker
        sobject, mapping = self._object_of(record)
        if mapping.owner not in mapping.tracked:
            return None
        history, parent = history_of(sobject)
        field = "Owner" if mapping.owner == "OwnerId" else mapping.owner
        # Stamps are whole seconds of the org's clock: our time is moved onto it, then a second back.
        earliest = since + self._org.ahead - timedelta(seconds=1)
        rows = self._org.query(
            soql.select(
                ("Id", "NewValue", "CreatedDate"),
                history,
                soql.compare(parent, "=", record),
                soql.compare("Field", "=", field),
                soql.compare("CreatedById", "=", self._org.user),
                soql.compare("CreatedDate", ">=", earliest),
            )
        ).rows
        return any(account_id(str(row.get("NewValue"))) == account_id(desired or "") for row in rows)

    def _judged(self, response: requests.Response) -> SendResult:
        status = response.status_code
        errors = vendor_errors(response)
        codes = {code for code, _ in errors}
        detail = "; ".join(f"{code}: {' '.join(text.split())}" for code, text in errors)[:300] or f"HTTP {status}"
        if status == 204:
            return SendResult(kind="accepted")
        if status == 412:
            return SendResult(kind="precondition_failed", detail="somebody changed the record meanwhile")
        if status == 401:
            self._org.forget()
        if status in {401, 429} or (status < 500 and codes & _NOT_PROCESSED):
            return SendResult(kind="not_processed", detail=detail)
        if 400 <= status < 500:
            return SendResult(kind="refused", detail=detail)
        return SendResult(kind="unknown", detail=detail)

    def _record(self, sobject: str, record: str, fields: tuple[str, ...]) -> tuple[Answer, Mapping[str, Any]]:
        answer = self._org.get(f"sobjects/{sobject}/{_checked(record, self._source)}", {"fields": ",".join(fields)})
        if not isinstance(answer.body, dict):
            raise SourceBroken(f"{self._source}: {record} answered without fields", source=self._source)
        return answer, answer.body

    def _object_of(self, record: str) -> tuple[str, SalesforceObject]:
        """The configured object a record id belongs to, by its key prefix."""
        prefix = record[:3]
        name = _PREFIXES.get(prefix) or self._prefixes.get(prefix)
        if name is None:
            for sobject in self._objects:
                described = self._org.get(f"sobjects/{soql.name(sobject)}/describe").body
                self._prefixes[str(described.get("keyPrefix"))] = sobject
            name = self._prefixes.get(prefix)
        if name is None or name not in self._objects:
            raise SourceRefused(f"{self._source}: {record} belongs to no configured object", source=self._source)
        return name, self._objects[name]


def _checked(record: str, source: str) -> str:
    """An id that is safe inside a path."""
    if len(record) not in {15, 18} or not (record.isascii() and record.isalnum()):
        raise SourceRefused(f"{source}: {record!r} is no Salesforce id", source=source)
    return record


def _never_left(error: requests.exceptions.ConnectionError) -> bool:
    """Whether no connection was made at all, so that nothing can have been processed."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)
