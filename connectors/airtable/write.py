"""Writing the owner cell of an item: the only thing in this package that changes anything in Airtable.

Airtable has no conditional write and keeps no history that a token may read: an edit that falls between our
read and our write cannot be seen afterwards.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import orjson
import requests
from urllib3.exceptions import NewConnectionError

from connectors.airtable.cells import Json, Unreadable, owners
from connectors.base import OwnerReading, SendResult
from connectors.wire import said
from hub.charter.sources import AirtableItems
from hub.domain.records import OWNER_SEPARATOR
from hub.errors import HubError, SourceBroken, SourceRefused

ONE = "singleCollaborator"
MANY = "multipleCollaborators"
LINKS = "multipleRecordLinks"


class Reads(Protocol):
    """What the writer needs of a base for reading."""

    source: str

    def record(self, table: str, record: str) -> Json: ...

    def record_url(self, table: str, record: str) -> str: ...

    def tables(self, *, fresh: bool = False) -> dict[str, Json]: ...

    def collaborators(self) -> tuple[Json, ...] | None: ...


class OwnerCellWriter:
    """Owner writes of one base; `session` sends once and never repeats."""

    def __init__(self, web: Reads, items: AirtableItems, session: requests.Session) -> None:
        self._web = web
        self._items = items
        self._session = session

    def read_owner(self, record: str) -> OwnerReading:
        """Owner cell by direct read; the version is the modified stamp ("" where the base keeps none), the
        witness the shape a write must have."""
        body = self._web.record(self._items.table, record)
        cells = body.get("fields")
        if not isinstance(cells, dict):
            raise self._broken(f"record {record} came without fields")
        cell = cells.get(self._items.owner)
        try:
            owner = owners(cell, "the owner cell")
        except Unreadable as error:
            raise self._broken(f"record {record}: {error}") from None
        version = str(cells.get(self._items.modified) or "") if self._items.modified else ""
        return OwnerReading(owner=owner, version=version, witness=self._shape(cell))

    def may_own(self, record: str, account: str) -> str:
        """Whether each account has access to the base (or is a record of the linked table of people).

        Where the plan does not let us list collaborators nothing is known against it: Airtable itself refuses
        people without access.
        """
        del record
        field = self._owner_field()
        if field.get("type") == LINKS:
            table = str((field.get("options") or {}).get("linkedTableId"))
            try:
                for one in account.split(OWNER_SEPARATOR):
                    self._web.record(table, one)
            except SourceRefused:
                return "there is no such record in the table of people"
            return ""
        people = self._web.collaborators()
        if people is None:
            return ""
        known = {p.get("userId") for p in people} | {p.get("id") for p in people}
        return "" if known.issuperset(account.split(OWNER_SEPARATOR)) else "the account has no access to the base"

    def send_owner(self, record: str, desired: str | None, reading: OwnerReading, *, marker: str) -> SendResult:
        """PATCH the owner cell alone, once, without letting Airtable guess a person from text."""
        del marker
        ids = desired.split(OWNER_SEPARATOR) if desired else []
        shape = reading.witness or self._shape(None)
        cell: Any
        if shape == ONE and len(ids) <= 1:
            cell = {"id": ids[0]} if ids else None
        elif shape == MANY:
            cell = [{"id": one} for one in ids]
        elif shape == LINKS:
            cell = ids
        else:
            return SendResult(kind="refused", detail=f"the owner field ({shape or 'of unknown type'}) cannot hold that")
        body = {"fields": {self._items.owner: cell}, "typecast": False, "returnFieldsByFieldId": True}
        try:
            response = self._session.patch(self._web.record_url(self._items.table, record), json=body)
        except (requests.RequestException, HubError) as error:
            return _lost(error)
        return _outcome(response, record)

    def sent_by_us(self, record: str, desired: str | None, since: datetime, *, marker: str) -> bool | None:
        """None: records carry no history."""
        del record, desired, since, marker
        return None

    def _shape(self, cell: Any) -> str:
        """Type of the owner field by the schema, else by what the cell holds."""
        known = str(self._owner_field().get("type") or "")
        if known or cell is None:
            return known
        if isinstance(cell, list):
            return LINKS if all(isinstance(one, str) for one in cell) else MANY
        return ONE

    def _owner_field(self) -> Json:
        try:
            fields = self._web.tables().get(self._items.table, {}).get("fields") or ()
        except SourceRefused:
            return {}
        return next((field for field in fields if field.get("id") == self._items.owner), {})

    def _broken(self, what: str) -> SourceBroken:
        return SourceBroken(
            f"{self._web.source}: {what}",
            source=self._web.source,
            hint="look at the record in Airtable",
            remedy="report a bug",
        )


def _lost(error: Exception) -> SendResult:
    """A request without an answer: only when no connection was made is it certain that nothing happened."""
    if isinstance(error, SourceRefused):
        return SendResult(kind="refused", detail=error.message)
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return SendResult(kind="not_processed", detail="the service cannot be reached")
    return SendResult(kind="unknown", detail=f"no answer ({type(error).__name__})")


def _outcome(response: requests.Response, record: str) -> SendResult:
    status = response.status_code
    detail = f"{status}{said(response)}"
    if status == 200 and _echoes(response, record):  # a 200 with a page is some proxy's answer
        return SendResult(kind="accepted", detail=detail)
    if status == 429:
        return SendResult(kind="not_processed", detail=detail)
    if 400 <= status < 500:
        return SendResult(kind="refused", detail=detail)
    return SendResult(kind="unknown", detail=detail)


def _echoes(response: requests.Response, record: str) -> bool:
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return False
    return isinstance(body, dict) and body.get("id") == record
