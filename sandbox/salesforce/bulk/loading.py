"""The work of an ingest job: rows of CSV become writes of the org, each standing alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from sandbox.calls import RefusedCall
from sandbox.salesforce.author import Author
from sandbox.salesforce.bulk.jobs import Job
from sandbox.salesforce.deletes import Bin
from sandbox.salesforce.errors import refused
from sandbox.salesforce.ids import eighteen
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import SObject
from sandbox.stamps import salesforce

CLEAR = "#N/A"
_NUMBERS = frozenset({"double", "currency", "percent", "int", "long"})
_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


class RefusedBatch(Exception):
    """The whole rest of the job cannot be worked on; the text is the job's error message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one row: the record's id, whether it is new, and the error text when it failed."""

    id: str = ""
    created: bool = False
    error: str = ""


class Loader:
    """Carries out the rows of one ingest job."""

    def __init__(self, org: Org, job: Job, sobject: SObject, header: Sequence[str], by: Author) -> None:
        """Check the header; raises RefusedBatch when the rows under it cannot be used."""
        self._org = org
        self._job = job
        self._sobject = sobject
        self._by = by
        self._bin = Bin(org)
        struck = job.faults.get("row_locked")  # `rows` counts from 1; the first one when nothing is said
        self._locked = frozenset() if struck is None else frozenset(int(n) for n in struck.get("rows") or (1,))
        self._header = [_column(sobject, name, by) for name in header]
        self._names = [str(field["name"]) for field in self._header]
        twice = next((name for name in self._names if self._names.count(name) > 1), None)
        if twice is not None:
            raise RefusedBatch(f"InvalidBatch : Duplicate field name in the header : {twice}")
        self._known: dict[str, list[str]] = {}  # external id in small letters -> the records that carry it
        if job.operation in {"delete", "hardDelete"} and self._names != ["Id"]:
            raise RefusedBatch(f"InvalidBatch : The '{job.operation}' batch must contain only ids")
        key = "Id" if job.operation == "update" else job.external_id
        if key and key.lower() not in {name.lower() for name in self._names}:
            raise RefusedBatch(f"InvalidBatch : Field name not found : {key}")

    def check(self, number: int, cells: Sequence[str]) -> None:
        """Raise RefusedBatch when a row is not as wide as the header."""
        if len(cells) != len(self._names):
            text = f"The number of columns in row {number} does not match the header"
            raise RefusedBatch(f"InvalidBatch : {text}")

    def prepare(self, rows: Sequence[Sequence[str]]) -> None:
        """Look up at once the records that an upsert of these rows will find: one walk over the object's records."""
        key = next((name for name in self._names if name.lower() == self._job.external_id.lower()), "Id")
        if key == "Id":
            return
        place = self._names.index(key)
        self._known = {row[place].lower(): [] for row in rows if len(row) > place}
        for record in self._org.store.scan(self._org.space, self._sobject.name):
            owners = self._known.get(str(record.get(key) or "").lower())
            if (
                owners is not None
                and not record.get("IsDeleted")
                and self._org.visible(self._sobject, record, self._by.rights)
            ):
                owners.append(str(record["Id"]))

    def load(self, number: int, cells: Sequence[str]) -> Outcome:
        """Carry out one row, the first being number 1."""
        given = {name: cell for name, cell in zip(self._names, cells, strict=True) if cell != ""}
        try:
            return self._carried_out(given, replace(self._by, row_locked=number in self._locked))
        except RefusedCall as error:
            return Outcome(id=given.get("Id", ""), error=told_error(error))

    def _carried_out(self, given: dict[str, str], by: Author) -> Outcome:
        operation = self._job.operation
        if operation in {"delete", "hardDelete"}:
            id_ = _id_of(given)
            gone = self._bin.delete if operation == "delete" else self._bin.delete_for_good
            gone(self._sobject, id_, by=by)
            return Outcome(id=eighteen(id_))
        if operation == "upsert":
            return self._upserted(given, by)
        if operation == "update":
            id_ = _id_of(given)
            self._org.writer.update(self._sobject, id_, self._values(given, leaving="Id"), by=by)
            return Outcome(id=eighteen(id_))
        return Outcome(id=self._org.writer.create(self._sobject, self._values(given), by=by), created=True)

    def _upserted(self, given: dict[str, str], by: Author) -> Outcome:
        key = next(name for name in self._names if name.lower() == self._job.external_id.lower())
        wanted = given.get(key, "")
        if key == "Id":
            if not wanted:
                return Outcome(id=self._org.writer.create(self._sobject, self._values(given), by=by), created=True)
            self._org.writer.update(self._sobject, wanted, self._values(given, leaving="Id"), by=by)
            return Outcome(id=eighteen(wanted))
        if not wanted or wanted == CLEAR:
            raise refused(400, "MISSING_ARGUMENT", f"{key} not specified", fields=[])
        found = self._known.setdefault(wanted.lower(), [])
        if len(found) > 1:
            text = f"{key}: more than one record found for external id field: [{', '.join(found)}]"
            raise refused(400, "DUPLICATE_EXTERNAL_ID", text, fields=[key])
        if found:
            self._org.writer.update(self._sobject, found[0], self._values(given, leaving=key), by=by)
            return Outcome(id=found[0])
        made = self._org.writer.create(self._sobject, self._values(given), by=by)
        found.append(made)
        return Outcome(id=made, created=True)

    def _values(self, given: Mapping[str, str], *, leaving: str = "") -> dict[str, Any]:
        return {
            str(field["name"]): _value(field, given[str(field["name"])])
            for field in self._header
            if str(field["name"]) in given and str(field["name"]) != leaving
        }


def told_error(error: RefusedCall) -> str:
    """Return a refusal as one text, the way a result row tells it: ``CODE:message:field, field --``."""
    row = orjson.loads(error.answer.body)[0]
    fields = ", ".join(str(name) for name in row.get("fields") or ())
    return f"{row['errorCode']}:{row['message']}:{fields + ' ' if fields else ''}--"


def refuse_without_external_id(job_operation: str, sobject: SObject, external_id: str) -> None:
    """Refuse (INVALIDJOB) an upsert that names no field, or none of the object, to find its records by."""
    if job_operation != "upsert":
        return
    if not external_id:
        text = f"External ID was blank for {sobject.name}. An External ID must be specified for upsert."
        raise refused(400, "INVALIDJOB", text)
    column = sobject.column(external_id)
    if column is None or not (column.get("externalId") or column["name"] == "Id"):
        text = f"Field name provided, {external_id} does not match an External ID for {sobject.name}"
        raise refused(400, "INVALIDJOB", text)


def _column(sobject: SObject, name: str, by: Author) -> Mapping[str, Any]:
    field = sobject.column(name)
    if field is None or not by.rights.sees_field(sobject.name, str(field["name"])):
        raise RefusedBatch(f"InvalidBatch : Field name not found : {name}")
    return field


def _id_of(given: Mapping[str, str]) -> str:
    id_ = given.get("Id", "")
    if not id_ or id_ == CLEAR:
        raise refused(400, "MISSING_ARGUMENT", "Id not specified in an update call", fields=[])
    return id_


def _value(field: Mapping[str, Any], text: str) -> Any:
    """Return a cell as the type of its column; raises RefusedCall for text that is none."""
    kind, name = str(field["type"]), str(field["name"])
    if text == CLEAR:
        return None
    if kind == "boolean":
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise _wrong_type(name, text)
    if kind in _NUMBERS:
        number = _number(text)
        if number is None:
            raise _wrong_type(name, text)
        return int(number) if kind in {"int", "long"} else number
    if kind == "datetime":
        try:
            at = datetime.fromisoformat(text)
            return salesforce(at.replace(tzinfo=UTC) if at.tzinfo is None else at)
        except (ValueError, OverflowError) as error:  # the first and the last day have no hour before or after
            raise _wrong_type(name, text) from error
    return text


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _wrong_type(name: str, text: str) -> RefusedCall:
    said = f"{name}: value not of required type: {text}"
    return refused(400, "INVALID_TYPE_ON_FIELD_IN_RECORD", said, fields=[name])
