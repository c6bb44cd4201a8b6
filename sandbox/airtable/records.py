"""The endpoints of records: read, created, updated, merged and deleted, ten at a time, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.airtable.access import Door, Visit, record_id
from sandbox.airtable.asking import flag, object_body
from sandbox.airtable.computed import Cells
from sandbox.airtable.errors import bad_records, bad_request, forbidden, refused
from sandbox.airtable.listing import Listing
from sandbox.airtable.printing import Plan, Printer, style_of
from sandbox.airtable.tables import COMPUTED, Table
from sandbox.airtable.values import empty, text
from sandbox.airtable.writes import Edit, Writer
from sandbox.calls import Answer, Call, Handler, reply
from sandbox.stamps import Clock
from sandbox.store import Doc, Store

_BATCH = 10  # records in one write
_MERGE = 3  # fields an upsert may look for
_READ, _WRITE = "data.records:read", "data.records:write"


class Records:
    """The records of a space's tables."""

    def __init__(self, store: Store, space: str, door: Door, writer: Writer, listing: Listing, clock: Clock) -> None:
        """Serve the records behind the door."""
        self._store = store
        self._space = space
        self._door = door
        self._writer = writer
        self._listing = listing
        self._clock = clock

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Return the endpoints."""
        every, one = "/v0/{b}/{t}", "/v0/{b}/{t}/{r}"
        return [
            ("GET", every, self._listing.page),
            ("POST", every + "/listRecords", self._listing.page),
            ("POST", every, self._create),
            ("PATCH", every, self._update),
            ("PUT", every, self._update),
            ("DELETE", every, self._delete),
            ("GET", one, self._read),
            ("PATCH", one, self._update_one),
            ("PUT", one, self._update_one),
            ("DELETE", one, self._delete_one),
        ]

    def _read(self, call: Call) -> Answer:
        visit = self._door.enter(call, scope=_READ)
        table = self._door.table(visit, call)
        record = self._door.record(visit, table, record_id(call.at["r"]))
        asked = {name: call.one(name) for name in ("cellFormat", "timeZone", "userLocale")}
        plan = Plan(table=table.id, by_id=flag(call.one("returnFieldsByFieldId")), style=style_of(asked))
        return reply(self._printed(table, [record], plan)[0])

    def _create(self, call: Call) -> Answer:
        visit, table, body = self._writing(call)
        self._door.changeable(visit, table)
        one = "fields" in body
        wanted = [{"fields": body["fields"]}] if one else _batch(body)
        with self._writer.transaction(visit) as edit:
            cells = [_cells(edit, table, entry, body) for entry in wanted]
            made = [edit.create(table, entry) for entry in cells]
        told = self._printed(table, made, _plan(table, body))
        return reply(told[0] if one else {"records": told})

    def _update(self, call: Call) -> Answer:
        visit, table, body = self._writing(call)
        wanted, replace = _batch(body), call.method == "PUT"
        if body.get("performUpsert") is not None:
            return self._upsert(visit, table, wanted, body, replace=replace)
        with self._writer.transaction(visit) as edit:
            changed = self._changed(visit, edit, table, wanted, body, replace=replace)
        return reply({"records": self._printed(table, changed, _plan(table, body))})

    def _update_one(self, call: Call) -> Answer:
        visit, table, body = self._writing(call)
        wanted = [{"id": record_id(call.at["r"]), "fields": body.get("fields")}]
        with self._writer.transaction(visit) as edit:
            changed = self._changed(visit, edit, table, wanted, body, replace=call.method == "PUT")
        return reply(self._printed(table, changed, _plan(table, body))[0])

    def _changed(
        self, visit: Visit, edit: Edit, table: Table, wanted: Sequence[Any], body: Mapping[str, Any], *, replace: bool
    ) -> list[Doc]:
        checked = []
        for entry in wanted:
            if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str):
                raise bad_records()
            cells = _cells(edit, table, entry, body)
            self._door.record(visit, table, entry["id"])
            self._door.changeable(visit, table, entry["id"])
            checked.append((entry["id"], cells))
        return [
            edit.update(table, self._door.record(visit, table, id_), _whole(table, cells) if replace else cells)
            for id_, cells in checked
        ]

    def _upsert(
        self, visit: Visit, table: Table, wanted: Sequence[Any], body: Mapping[str, Any], *, replace: bool
    ) -> Answer:
        """Update the one record whose merge fields agree, or create it (vendor page: update multiple records)."""
        keys = _merge_fields(table, body["performUpsert"])
        created, records = [], []
        with self._writer.transaction(visit) as edit:
            for entry in wanted:
                cells = _cells(edit, table, entry, body)
                id_ = entry.get("id") or self._match(visit, table, keys, cells)
                if id_ is None:
                    self._door.changeable(visit, table)
                    made = edit.create(table, cells)
                    created.append(str(made["id"]))
                    records.append(made)
                    continue
                record = self._door.record(visit, table, str(id_))
                self._door.changeable(visit, table, str(id_))
                records.append(edit.update(table, record, _whole(table, cells) if replace else cells))
        told = self._printed(table, records, _plan(table, body))
        updated = [entry["id"] for entry in told if entry["id"] not in created]
        return reply({"records": told, "createdRecords": created, "updatedRecords": updated})

    def _match(self, visit: Visit, table: Table, keys: Sequence[str], cells: Mapping[str, Any]) -> str | None:
        if any(key not in cells for key in keys):
            raise bad_request("every record needs a value for each of fieldsToMergeOn.")
        found = [
            str(record["id"])
            for record in self._store.find(self._space, "record", table.id)
            if all(_same(record["fields"].get(key), cells[key]) for key in keys)
            and visit.sees(table.id, str(record["id"]))
        ]
        if len(found) > 1:
            raise refused(422, "INVALID_VALUE_FOR_COLUMN", "More than one record matches the fields to merge on")
        return found[0] if found else None

    def _delete(self, call: Call) -> Answer:
        ids = call.every("records[]") + call.every("records")
        if not 0 < len(ids) <= _BATCH:
            raise bad_records()
        self._remove(call, list(dict.fromkeys(ids)))
        return reply({"records": [{"id": id_, "deleted": True} for id_ in ids]})

    def _delete_one(self, call: Call) -> Answer:
        id_ = record_id(call.at["r"])
        self._remove(call, [id_])
        return reply({"id": id_, "deleted": True})

    def _remove(self, call: Call, ids: Sequence[str]) -> None:
        visit = self._door.enter(call, scope=_WRITE)
        table = self._door.table(visit, call)
        with self._writer.transaction(visit) as edit:
            for id_ in ids:
                self._door.record(visit, table, id_)
                self._door.changeable(visit, table, id_)
            for id_ in ids:
                edit.delete(table, self._door.record(visit, table, id_))

    def _writing(self, call: Call) -> tuple[Visit, Table, dict[str, Any]]:
        visit = self._door.enter(call, scope=_WRITE)
        table = self._door.table(visit, call)
        if not visit.edits(table.id):
            raise forbidden()
        return visit, table, object_body(call)

    def _printed(self, table: Table, records: Sequence[Doc], plan: Plan) -> list[dict[str, Any]]:
        cells = Cells(self._store, self._space, self._door.tables, self._clock)
        now = self._store.pick(self._space, "record", [str(record["id"]) for record in records])
        present = [now.get(str(record["id"]), record) for record in records]
        return Printer(cells, table, plan).page(present, comments=lambda _: 0)


def _batch(body: Mapping[str, Any]) -> list[Any]:
    wanted = body.get("records")
    if not isinstance(wanted, list) or not 0 < len(wanted) <= _BATCH:
        raise bad_records()
    if not all(isinstance(entry, Mapping) for entry in wanted):
        raise bad_records()
    return wanted


def _cells(edit: Edit, table: Table, entry: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(entry.get("fields"), Mapping):
        raise bad_records()
    return edit.checked(table, entry["fields"], typecast=flag(body.get("typecast")))


def _whole(table: Table, cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells with every other writable one emptied, which is what PUT means."""
    return {id_: None for id_, field in table.by_id.items() if field["type"] not in COMPUTED} | dict(cells)


def _plan(table: Table, body: Mapping[str, Any]) -> Plan:
    return Plan(table=table.id, by_id=flag(body.get("returnFieldsByFieldId")))


def _merge_fields(table: Table, wanted: Any) -> list[str]:
    names = wanted.get("fieldsToMergeOn") if isinstance(wanted, Mapping) else None
    if not isinstance(names, list) or not 0 < len(names) <= _MERGE or not all(isinstance(n, str) for n in names):
        raise bad_request()
    fields = [table.field(name) for name in names]
    if any(field["type"] in COMPUTED for field in fields):
        raise bad_request("fieldsToMergeOn cannot hold a computed field.")
    return [str(field["id"]) for field in fields]


def _same(held: Any, wanted: Any) -> bool:
    if empty(held) or empty(wanted):
        return empty(held) and empty(wanted)
    return held == wanted or (type(held) is not type(wanted) and text(held) == text(wanted))
