"""Changing records as Airtable does: cells are checked, links have two ends, watched fields move the clock."""

from __future__ import annotations

import itertools
import secrets
import string
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.airtable.cells import Checker, Table, empty, table_of
from sandbox.airtable.errors import no_record
from sandbox.stamps import Clock, airtable, stamp
from sandbox.store import Doc, Store

_LETTERS = string.ascii_letters + string.digits


class Writer:
    """The writes of one base."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Write into one space, stamping with the clock."""
        self._store = store
        self._space = space
        self._clock = clock
        self._checker = Checker(store, space)
        self._made = itertools.count()

    def existing(self, table: Table, id_: str) -> Doc:
        """Return a record of the table; raises RefusedCall when there is none."""
        record = self._store.get(self._space, "record", id_)
        if record is None or record.get("_table") != table.id:
            raise no_record()
        return record

    def checked(self, table: Table, cells: Mapping[str, Any], *, typecast: bool) -> dict[str, Any]:
        """Return cells by field id; raises RefusedCall for unknown fields and values they do not take."""
        fields = [(table.field(name), value) for name, value in cells.items()]
        return {str(f["id"]): self._checker.accepted(f, value, typecast=typecast) for f, value in fields}

    def update(self, table: Table, record: Doc, cells: Mapping[str, Any], *, replace: bool) -> Doc:
        """Set cells (`replace` empties all others); returns the record as it now is."""
        wanted = dict(cells)
        if replace:
            writable = {id_ for id_, f in table.by_id.items() if f["type"] not in {"lastModifiedTime", "createdTime"}}
            wanted |= {id_: None for id_ in writable if id_ not in cells}
        own = record["fields"]
        changed = {id_ for id_, value in wanted.items() if own.get(id_) != value and not _both_empty(own, id_, value)}
        if not changed:
            return record
        at = self._now()
        for id_ in changed:
            self._link(table, record, id_, own.get(id_) or [], wanted[id_] or [], at)
            if empty(wanted[id_]):
                own.pop(id_, None)
            else:
                own[id_] = wanted[id_]
        self._save(table, record, changed, at)
        return record

    def create(self, table: Table, cells: Mapping[str, Any]) -> Doc:
        """Add a record."""
        at = self._now()
        id_ = "rec" + "".join(secrets.choice(_LETTERS) for _ in range(14))
        filled = {name: value for name, value in cells.items() if not empty(value)}
        record: Doc = {"id": id_, "createdTime": airtable(at), "_table": table.id, "fields": filled}
        for name, value in filled.items():
            self._link(table, record, name, [], value, at)
        self._save(table, record, set(table.by_id), at)
        return record

    def delete(self, table: Table, record: Mapping[str, Any]) -> None:
        """Remove a record and its ends of links."""
        at = self._now()
        for name, value in record["fields"].items():
            self._link(table, record, name, value, [], at)
        self._store.delete(self._space, "record", str(record["id"]))

    def _save(self, table: Table, record: Doc, changed: set[str], at: datetime) -> None:
        record["_modified"] = stamp(at)
        for field in table.of_type("lastModifiedTime"):
            watched = (field.get("options") or {}).get("referencedFieldIds")
            if not watched or changed & set(watched):
                record["fields"][str(field["id"])] = airtable(at)
        self._store.put(self._space, "record", [(str(record["id"]), stamp(at), record)])

    def _link(self, table: Table, record: Mapping[str, Any], name: str, old: Any, new: Any, at: datetime) -> None:
        """Keep the other end of a changed link in step."""
        field = table.by_id.get(name)
        if field is None or field["type"] != "multipleRecordLinks":
            return
        options = field.get("options") or {}
        inverse = options.get("inverseLinkFieldId")
        linked = self._store.get(self._space, "table", str(options.get("linkedTableId") or ""))
        if not inverse or linked is None:
            return
        other_table = table_of(linked)
        for id_ in [*old, *new]:
            if (id_ in old) == (id_ in new):
                continue
            other = self._store.get(self._space, "record", id_)
            if other is None:
                continue
            ends = [end for end in other["fields"].get(inverse, []) if end != record["id"]]
            if id_ in new:
                ends.append(str(record["id"]))
            if ends:
                other["fields"][inverse] = ends
            else:
                other["fields"].pop(inverse, None)
            self._save(other_table, other, {inverse}, at)

    def _now(self) -> datetime:
        at = self._clock()
        return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _both_empty(cells: Mapping[str, Any], id_: str, value: Any) -> bool:
    return empty(cells.get(id_)) and empty(value)
