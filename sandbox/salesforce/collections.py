"""Up to 200 records in one request: /composite/sobjects. The reply is 200 whatever became of the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

from sandbox.calls import Answer, Call, RefusedCall, reply
from sandbox.salesforce.author import Author
from sandbox.salesforce.deletes import Bin
from sandbox.salesforce.errors import body_of, not_found, refused, row_error
from sandbox.salesforce.ids import eighteen, plausible
from sandbox.salesforce.org import Org
from sandbox.salesforce.printing import Rows, printer
from sandbox.salesforce.queries import base_of
from sandbox.salesforce.records import only_first_locked
from sandbox.salesforce.schema import SObject

_MOST, _MOST_CHUNKS, _MOST_READ = 200, 10, 2000
_ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
    "fields": [],
}
Act = Callable[[int, Author], dict[str, Any]]


class _Undo(Exception):
    """Some row failed and all or none was asked for."""


class Collections:
    """Handlers over one org; each row stands alone unless `allOrNone` is true."""

    def __init__(self, org: Org) -> None:
        """Serve one org."""
        self._org = org
        self._bin = Bin(org)

    def create(self, call: Call) -> Answer:
        """POST /composite/sobjects: records with `attributes.type`."""
        author, records, all_or_none = self._sent(call)

        def act(n: int, by: Author) -> dict[str, Any]:
            return {"id": self._org.writer.create(self._kind(records[n], by), records[n], by=by), "success": True}

        return self._done(call, author, len(records), act, all_or_none=all_or_none)

    def update(self, call: Call) -> Answer:
        """PATCH /composite/sobjects: records with `attributes.type` and `id`."""
        author, records, all_or_none = self._sent(call)

        def act(n: int, by: Author) -> dict[str, Any]:
            record = records[n]
            id_ = str(next((value for key, value in record.items() if key.lower() == "id"), "") or "")
            if not id_:
                raise refused(400, "MISSING_ARGUMENT", "Id not specified in an update call", fields=[])
            if not plausible(id_):
                raise refused(400, "MALFORMED_ID", f"Id: id value of incorrect type: {id_}", fields=["Id"])
            wanted = {key: value for key, value in record.items() if key.lower() != "id"}
            try:
                self._org.writer.update(self._kind(record, by), id_, wanted, by=by)
            except RefusedCall as error:
                raise _as_row(error) from error
            return {"id": eighteen(id_), "success": True}

        return self._done(call, author, len(records), act, all_or_none=all_or_none)

    def upsert(self, call: Call) -> Answer:
        """PATCH /composite/sobjects/{o}/{field}: records found by an external id, or created."""
        author, records, all_or_none = self._sent(call)
        sobject = self._org.sobject(call.at["o"], author)
        column = call.at["field"].lower()

        def act(n: int, by: Author) -> dict[str, Any]:
            record = records[n]
            value = str(next((value for key, value in record.items() if key.lower() == column), "") or "")
            if not value:
                raise refused(400, "MISSING_ARGUMENT", f"{call.at['field']} not specified", fields=[])
            wanted = {key: value for key, value in record.items() if key.lower() not in {column, "id"}}
            made, new = self._org.writer.upsert(sobject, column, value, wanted, by=by)
            return {"id": made, "success": True, "created": new}

        return self._done(call, author, len(records), act, all_or_none=all_or_none)

    def delete(self, call: Call) -> Answer:
        """DELETE /composite/sobjects?ids=a,b&allOrNone=."""
        author = self._org.author(call)
        ids = [id_.strip() for id_ in call.one("ids").split(",") if id_.strip()]
        if not ids:
            raise refused(400, "MISSING_ARGUMENT", "The ids parameter is missing")
        _refuse_too_many(len(ids))

        def act(n: int, by: Author) -> dict[str, Any]:
            sobject = self._org.schema.of_id(ids[n])
            if sobject is None or not plausible(ids[n]):
                raise refused(400, "MALFORMED_ID", f"malformed id {ids[n]}", fields=[])
            try:
                self._bin.delete(sobject, ids[n], by=by)
            except RefusedCall as error:
                raise _as_row(error) from error
            return {"id": eighteen(ids[n]), "success": True}

        return self._done(call, author, len(ids), act, all_or_none=call.one("allOrNone").lower() == "true")

    def read(self, call: Call) -> Answer:
        """GET /composite/sobjects/{o}?ids=&fields= or POST with both: null where there is no such record."""
        author = self._org.author(call)
        sobject = self._org.sobject(call.at["o"], author)
        if call.method == "GET":
            ids, names = call.one("ids").split(","), call.one("fields").split(",")
        else:
            body = body_of(call)
            ids, names = _texts(body, "ids"), _texts(body, "fields")
        ids, names = [id_.strip() for id_ in ids if id_.strip()], [name.strip() for name in names if name.strip()]
        if not ids or not names:
            raise refused(400, "MISSING_ARGUMENT", "ids and fields are required")
        if len(ids) > _MOST_READ:
            raise refused(400, "EXCEEDED_ID_LIMIT", f"record limit reached: {_MOST_READ}")
        columns = self._org.columns(sobject, author)
        wanted = tuple(columns.find(tuple(name.split("."))) for name in dict.fromkeys(["Id", *names]))
        shown = printer(Rows(sobject=sobject, columns=wanted, related=columns, base=base_of(call)))
        told: list[Any] = []
        for id_ in ids:
            record = self._org.get(sobject.name, eighteen(id_))
            there = record is not None and not record.get("IsDeleted") and columns.visible(record)
            told.append(shown(record) if record is not None and there else None)
        return reply(told)

    def _sent(self, call: Call) -> tuple[Author, list[dict[str, Any]], bool]:
        author, body = self._org.author(call), body_of(call)
        records = body.get("records")
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise refused(400, "JSON_PARSER_ERROR", "records must be a list of objects")
        if not records:
            raise refused(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [records]", fields=["records"])
        _refuse_too_many(len(records))
        if _chunks(records) > _MOST_CHUNKS:
            text = f"records of one type must stand together: at most {_MOST_CHUNKS} chunks"
            raise refused(400, "LIMIT_EXCEEDED", text)
        return author, records, body.get("allOrNone") is True

    def _kind(self, record: Mapping[str, Any], by: Author) -> SObject:
        name = _type_of(record)
        if not name:
            raise refused(400, "INVALID_TYPE", "an object type must be given in attributes", fields=[])
        found = self._org.schema.find(name)
        if found is None or not by.rights.reads(found.name):
            raise refused(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.", fields=[])
        return found

    def _done(self, call: Call, author: Author, count: int, act: Act, *, all_or_none: bool) -> Answer:
        failing = _ordered_failures(call)
        results: list[dict[str, Any]] = []

        def one(n: int) -> None:
            try:
                if n in failing:
                    raise refused(400, failing[n], f"{failing[n]}, as ordered", fields=[])
                results.append({**act(n, only_first_locked(author, n)), "errors": []})
            except RefusedCall as error:
                results.append({"success": False, "errors": [row_error(error)]})

        if not all_or_none:
            for n in range(count):
                one(n)
            return reply(results)
        undone = True
        with suppress(_Undo), self._org.writer.together():
            for n in range(count):
                one(n)
            if not all(result["success"] for result in results):
                raise _Undo
            undone = False
        if undone:
            results = [
                {"success": False, "errors": [_ROLLED_BACK]} if result["success"] else result for result in results
            ]
        return reply(results)


def _ordered_failures(call: Call) -> dict[int, str]:
    settings = call.faults.get("partial_collection_failure")
    if settings is None:
        return {}
    return {int(n): str(settings.get("code") or "UNABLE_TO_LOCK_ROW") for n in settings.get("rows") or ()}


def _texts(body: Mapping[str, Any], key: str) -> list[str]:
    told = body.get(key) or []
    if not isinstance(told, list):
        raise refused(400, "JSON_PARSER_ERROR", f"{key} must be a list")
    return [str(one) for one in told]


def _type_of(record: Mapping[str, Any]) -> str:
    attributes = record.get("attributes")
    return str(attributes.get("type") or "") if isinstance(attributes, Mapping) else ""


def _chunks(records: Sequence[Mapping[str, Any]]) -> int:
    kinds = [_type_of(record) for record in records]
    return 1 + sum(one != other for one, other in pairwise(kinds))


def _refuse_too_many(count: int) -> None:
    if count > _MOST:
        raise refused(
            400, "EXCEEDED_MAX_SIZE_REQUEST", f"record limit reached. cannot submit more than {_MOST} records"
        )


def _as_row(error: RefusedCall) -> RefusedCall:
    """Rows say INVALID_CROSS_REFERENCE_KEY of an id that leads nowhere, where a request of its own says NOT_FOUND."""
    if error.answer.body == not_found().answer.body:
        return refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[])
    return error
