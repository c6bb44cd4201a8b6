"""Changing records as Airtable does: cells are checked, links have two ends, watched fields move the clock."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sandbox.airtable.access import Visit
from sandbox.airtable.behind import mark
from sandbox.airtable.cells import Checker
from sandbox.airtable.changes import Changes, RecordChange
from sandbox.airtable.tables import Table, Tables
from sandbox.airtable.values import empty
from sandbox.stamps import Clock, airtable, parsed, stamp
from sandbox.store import Doc, Store

_LETTERS = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """Return an id nobody has: the prefix and 14 letters and digits."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(14))


class Writer:
    """The writes of a space; each call is one transaction, told to whoever listens."""

    def __init__(
        self,
        store: Store,
        space: str,
        tables: Tables,
        clock: Clock,
        *,
        told: Callable[[Visit, Changes, datetime], None],
        ring: Callable[[], None],
    ) -> None:
        """Write into one space, stamping with the clock.

        `told` is called inside each transaction that changed something, `ring` after it.
        """
        self._store = store
        self._space = space
        self._tables = tables
        self._clock = clock
        self._told = told
        self._ring = ring

    @contextmanager
    def transaction(self, visit: Visit, *, at: datetime | None = None) -> Iterator[Edit]:
        """Lend an edit; all of it happens, or nothing when the block raises. `at` replaces the present."""
        with self._store.transaction():
            now = at or self._clock()
            now = now.replace(microsecond=now.microsecond // 1000 * 1000)
            edit = Edit(self._store, self._space, self._tables, visit, now)
            yield edit
            if edit.changes:
                self._told(visit, edit.changes, now)
        if edit.changes:
            self._ring()


class Edit:
    """The changes one caller makes in one call, at one time."""

    def __init__(self, store: Store, space: str, tables: Tables, visit: Visit, at: datetime) -> None:
        """Begin with nothing changed."""
        self._store = store
        self._space = space
        self._tables = tables
        self._visit = visit
        self._at = at
        self.changes = Changes()
        self._checker = Checker(
            store, space, visit.base_id, add_choice=self._add_choice, find_or_add=self._found_or_added
        )

    def checked(self, table: Table, cells: Mapping[str, Any], *, typecast: bool) -> dict[str, Any]:
        """Return cells by field id; raises RefusedCall for unknown fields and values they do not take."""
        fields = [(table.field(name), value) for name, value in cells.items()]
        return {str(f["id"]): self._checker.accepted(f, value, typecast=typecast) for f, value in fields}

    def update(self, table: Table, record: Doc, cells: Mapping[str, Any]) -> Doc:
        """Set cells, given by field id; returns the record as it now is."""
        own = record["fields"]
        previous = {id_: own.get(id_) for id_ in cells if not _equal(own.get(id_), cells[id_])}
        if not previous:
            return record
        for id_ in previous:
            self._link(table, record, id_, own.get(id_) or [], cells[id_] or [])
            _set(own, id_, cells[id_])
        self._save(table, record, previous)
        return record

    def create(self, table: Table, cells: Mapping[str, Any]) -> Doc:
        """Add a record."""
        filled = {id_: value for id_, value in cells.items() if not empty(value)}
        record: Doc = {"id": new_id("rec"), "createdTime": airtable(self._at), "_table": table.id, "fields": filled}
        record["_createdBy"] = self._visit.caller.user
        whole = self._tables.get(table.id) or table
        for field in whole.of_type("autoNumber"):
            filled[str(field["id"])] = self._next_number(table.id, str(field["id"]))
        for id_, value in list(filled.items()):
            self._link(table, record, id_, [], value)
        self.changes.of(table.id).created_records[record["id"]] = (record["createdTime"], dict(filled))
        self._save(table, record, dict.fromkeys(whole.by_id))
        return record

    def delete(self, table: Table, record: Doc) -> None:
        """Remove a record, its ends of links and its comments."""
        whole = self._tables.get(table.id) or table
        for id_, value in record["fields"].items():
            self._link(whole, record, id_, value, [])
        self._store.delete(self._space, "record", str(record["id"]))
        for comment in list(self._store.find(self._space, "comment", str(record["id"]))):
            self._store.delete(self._space, "comment", str(comment["id"]))
        self.changes.of(table.id).destroyed_records.append(str(record["id"]))

    def save_table(self, doc: Doc) -> None:
        """Keep a changed or new table."""
        self._store.put(self._space, "table", [(str(doc["id"]), stamp(self._at), doc)])

    def _save(self, table: Table, record: Doc, previous: Mapping[str, Any]) -> None:
        """Keep a record whose cells were changed; `previous` holds what they were, by field id."""
        whole = self._tables.get(table.id) or table
        before = record.get("_modified")
        touched = record.setdefault("_touched", {"": before} if before else {})
        touched |= dict.fromkeys(previous, stamp(self._at))
        for field in whole.derived:
            self._watched(record, field, previous)
        record["_modified"], record["_modifiedBy"] = stamp(self._at), self._visit.caller.user
        mark(whole, record)
        self._store.put(self._space, "record", [(str(record["id"]), stamp(self._at), record)])
        changes = self.changes.of(table.id)
        id_, own = str(record["id"]), record["fields"]
        if id_ in changes.created_records:
            changes.created_records[id_] = (str(record["createdTime"]), dict(own))
            return
        before = changes.changed_records.get(id_)
        first = {**previous, **(before.previous if before else {})}
        current = {field: own.get(field) for field in first}
        changes.changed_records[id_] = RecordChange(cells=dict(own), current=current, previous=first)

    def _watched(self, record: Doc, field: Mapping[str, Any], previous: Mapping[str, Any]) -> None:
        """Move a field that watches changes; one that does not watch these shows from now on what it showed."""
        kind, id_ = field["type"], str(field["id"])
        if kind not in {"lastModifiedTime", "lastModifiedBy"}:
            return
        watched = (field.get("options") or {}).get("referencedFieldIds")
        if not watched or not previous.keys().isdisjoint(watched):
            told = self._visit.caller.told
            record["fields"][id_] = airtable(self._at) if kind == "lastModifiedTime" else told
        elif id_ not in record["fields"]:
            before = record.get("_modified" if kind == "lastModifiedTime" else "_modifiedBy")
            if before and kind == "lastModifiedTime":
                record["fields"][id_] = airtable(parsed(str(before)))
            elif before:
                known = self._store.get(self._space, "collaborator", str(before)) or {"id": before}
                record["fields"][id_] = {key: known[key] for key in ("id", "email", "name") if key in known}

    def _link(self, table: Table, record: Doc, name: str, old: Any, new: Any) -> None:
        """Keep the other end of a changed link in step."""
        field = table.by_id.get(name)
        if field is None or field["type"] != "multipleRecordLinks":
            return
        options = field.get("options") or {}
        inverse = str(options.get("inverseLinkFieldId") or "")
        other_table = self._tables.get(str(options.get("linkedTableId") or ""))
        if not inverse or other_table is None:
            return
        for id_ in [*old, *new]:
            if (id_ in old) == (id_ in new):
                continue
            own_end = id_ == record["id"]
            other = record if own_end else self._store.get(self._space, "record", id_)
            if other is None:
                continue
            before = other["fields"].get(inverse)
            ends = [end for end in before or [] if end != record["id"]]
            if id_ in new:
                ends.append(str(record["id"]))
            _set(other["fields"], inverse, ends)
            if not own_end:
                self._save(other_table, other, {inverse: before})

    def _next_number(self, table: str, field: str) -> int:
        known = self._store.get(self._space, "_counter", field)
        if known is None:
            held = (doc["fields"].get(field) for doc in self._store.find(self._space, "record", table))
            known = {"last": max((value for value in held if isinstance(value, int)), default=0)}
        number = int(known["last"]) + 1
        self._store.put(self._space, "_counter", [(field, stamp(self._at), {"last": number})])
        return number

    def _add_choice(self, field: Mapping[str, Any], name: str) -> bool:
        if not self._visit.reaches("create"):
            return False
        owner = next(
            (
                doc
                for doc in self._tables.of_base(self._visit.base_id)
                if field["id"] in {f["id"] for f in doc["fields"]}
            ),
            None,
        )
        if owner is None:
            return False
        choice = {"id": new_id("sel"), "name": name, "color": "blueLight2"}
        for known in owner["fields"]:
            if known["id"] == field["id"]:
                known.setdefault("options", {}).setdefault("choices", []).append(choice)
        (field.get("options") or {}).get("choices", []).append(choice)  # so that the next row of the call finds it
        self.save_table(owner)
        return True

    def _found_or_added(self, table: str, name: str) -> str | None:
        other = self._tables.get(table)
        if other is None or not self._visit.sees(table):
            return None
        for record in self._store.find(self._space, "record", table):
            if record["fields"].get(other.primary) == name and self._visit.sees(table, str(record["id"])):
                return str(record["id"])
        if not self._visit.edits(table):
            return None
        return str(self.create(other, self.checked(other, {other.primary: name}, typecast=True))["id"])


def _set(cells: dict[str, Any], id_: str, value: Any) -> None:
    if empty(value):
        cells.pop(id_, None)
    else:
        cells[id_] = value


def _equal(held: Any, wanted: Any) -> bool:
    return held == wanted or (empty(held) and empty(wanted))
