"""What other people, and misfortune, do to a base: edits, deletions, other schemas, lost rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sandbox.airtable.access import Visit, belongs
from sandbox.airtable.behind import mark
from sandbox.airtable.cells import NUMBERS, TEXTS
from sandbox.airtable.feed import KEPT
from sandbox.airtable.schema import remove_field, replace_field
from sandbox.airtable.tables import COMPUTED, Table, Tables
from sandbox.airtable.values import BrokenValue, number, text
from sandbox.airtable.writes import Writer
from sandbox.rights import KIND, rights_of
from sandbox.stamps import Clock, airtable, parsed, stamp
from sandbox.store import Doc, Store


class Strokes:
    """Changes to a space that no request asked for.

    Edits by other people are stamped, and told to webhooks, like any other; equal stamps, lost rights and the
    cells of a field that got another type are not edits.
    """

    def __init__(self, store: Store, space: str, clock: Clock, tables: Tables, writer: Writer) -> None:
        """Strike in one space."""
        self._store = store
        self._space = space
        self._clock = clock
        self._tables = tables
        self._writer = writer

    # -- records ---------------------------------------------------------------------------------------------

    def added_late(self, by: Visit, table: Table, age: timedelta) -> None:
        """Add a record that is, by all its stamps, so old."""
        field = table.by_id.get(table.primary) or {}
        name = {table.primary: "Committed late"} if field.get("type") in TEXTS else {}
        with self._writer.transaction(by, at=self._clock() - age) as edit:
            edit.create(table, name)

    def made_equal(self, table: Table, count: int) -> None:
        """Give so many records of a table one time of change."""
        at = self._clock()
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        watching = [str(field["id"]) for field in table.of_type("lastModifiedTime")]
        changed = []
        for record in self._store.scan(self._space, "record", parent=table.id, limit=count):
            record["_modified"] = stamp(at)
            record.pop("_touched", None)
            record["fields"].update(dict.fromkeys(watching, airtable(at)))
            mark(table, record)
            changed.append((str(record["id"]), stamp(at), record))
        self._store.put(self._space, "record", changed)

    def deleted(self, by: Visit, table: Table, id_: str) -> None:
        """Delete a record."""
        record = self._record(table, id_)
        if record is not None:
            with self._writer.transaction(by) as edit:
                edit.delete(table, record)

    def edited(self, by: Visit, table: Table, id_: str) -> None:
        """Change some text of a record."""
        field = table.primary if table.by_id.get(table.primary, {}).get("type") in TEXTS else ""
        field = field or next((i for i, known in table.by_id.items() if known["type"] in TEXTS), "")
        record = self._record(table, id_)
        if record is not None and field:
            with self._writer.transaction(by) as edit:
                edit.update(table, record, {field: f"{text(record['fields'].get(field))} (edited)".strip()})

    def overtaken(self, by: Visit, table: Table, id_: str, wanted: Mapping[str, Any]) -> None:
        """Write, before a request does, something else to the cells it wants to write; the stamp is a second later."""
        record = self._record(table, id_)
        if record is None:
            return
        last = parsed(str(record.get("_modified") or record["createdTime"]))
        ids = table.ids
        cells = {
            ids[name]: self._other(by, table.by_id[ids[name]], record["fields"].get(ids[name]), value)
            for name, value in wanted.items()
            if name in ids and table.by_id[ids[name]]["type"] not in COMPUTED
        }
        with self._writer.transaction(by, at=max(self._clock(), last + timedelta(seconds=1))) as edit:
            edit.update(table, record, cells)

    def _other(self, by: Visit, field: Mapping[str, Any], held: Any, wanted: Any) -> Any:
        """Return a value for a cell that is neither the one it holds nor the one it shall get."""
        kind = str(field["type"])
        if kind in {"singleCollaborator", "multipleCollaborators"}:
            person = self._other_person(by.base_id, f"{held} {wanted}")
            return person if kind == "singleCollaborator" or person is None else [person]
        if kind in {"singleSelect", "multipleSelects"}:
            names = [str(choice["name"]) for choice in (field.get("options") or {}).get("choices") or []]
            name = next((name for name in names if name not in text(held) + text(wanted)), None)
            return name if kind == "singleSelect" or name is None else [name]
        if kind in NUMBERS:
            return max(v for v in (held, wanted, 0) if isinstance(v, (int, float))) + 1
        return f"{text(held)} (edited)".strip() if kind in TEXTS else None

    def _other_person(self, base: str, taken: str) -> dict[str, Any] | None:
        for one in self._store.scan(self._space, "collaborator"):
            if belongs(one, base) and str(one["id"]) not in taken and str(one.get("email")) not in taken:
                return {key: one[key] for key in ("id", "email", "name") if key in one}
        return None

    def _record(self, table: Table, id_: str) -> Doc | None:
        record = self._store.get(self._space, "record", id_)
        return record if record is not None and record.get("_table") == table.id else None

    # -- fields ----------------------------------------------------------------------------------------------

    def chosen_field(self, table: Table, wanted: str) -> str:
        """Return the id of the field meant, empty for none; without a wish it is one people write to."""
        if wanted:
            return table.ids.get(wanted, "")
        plain = [id_ for id_, field in table.by_id.items() if field["type"] not in COMPUTED and id_ != table.primary]
        return plain[0] if plain else ""

    def renamed(self, by: Visit, table: Table, field: str, settings: Mapping[str, Any]) -> None:
        """Give a field another name."""
        held = dict(table.by_id[field])
        replace_field(
            self._writer, by, table, {**held, "name": str(settings.get("name") or f"{held['name']} (renamed)")}
        )

    def deleted_field(self, by: Visit, table: Table, field: str, _: Mapping[str, Any]) -> None:
        """Take a field away."""
        remove_field(self._writer, by, table, field)

    def retyped(self, by: Visit, table: Table, field: str, settings: Mapping[str, Any]) -> None:
        """Give a field another type; its cells are converted, or emptied where that cannot be done."""
        held = table.by_id[field]
        default = "multilineText" if held["type"] in TEXTS else "singleLineText"
        kind = str(settings.get("type") or default)
        changed = {key: value for key, value in held.items() if key != "options"} | {"type": kind}
        replace_field(self._writer, by, table, changed)
        converted = []
        for record in list(self._store.find(self._space, "record", table.id)):
            if field in record["fields"]:
                value = _converted(record["fields"].pop(field), kind)
                if value is not None:
                    record["fields"][field] = value
                converted.append((str(record["id"]), str(record.get("_modified") or stamp(self._clock())), record))
        self._store.put(self._space, "record", converted)

    # -- people, hooks and rights ----------------------------------------------------------------------------

    def shut_out(self, user: str, base: str | None) -> None:
        """Take a person's access to a base away, or to all of them (None) as when the account is deactivated."""
        person = self._store.get(self._space, "collaborator", user)
        if person is None:
            return
        every = [str(doc["id"]) for doc in self._tables.bases()]
        person["_bases"] = [id_ for id_ in person.get("_bases", every) if base is not None and id_ != base]
        self._store.put(self._space, "collaborator", [(user, stamp(self._clock()), person)])

    def silenced(self, hook: str) -> None:
        """Let a hook expire, and age its payloads beyond what is kept."""
        doc = self._store.get(self._space, "webhook", hook)
        if doc is None:
            return
        now = self._clock()
        doc["expirationTime"] = airtable(now - timedelta(seconds=1))
        old = stamp(now - KEPT - timedelta(seconds=1))
        payloads = list(self._store.find(self._space, "_payload", hook))
        with self._store.transaction():
            self._store.put(self._space, "webhook", [(hook, stamp(now), doc)])
            self._store.put(self._space, "_payload", [(f"{hook}/{one['cursor']:010d}", old, one) for one in payloads])

    def hidden(self, visit: Visit, records: Sequence[str], container: str) -> None:
        """Hide records, or a whole table, from the caller."""
        user = visit.caller.user
        doc = self._store.get(self._space, KIND, user) or {"user": user, "admin": True}
        doc["hidden"] = sorted({*doc.get("hidden", ()), *records})
        if container:
            rights = rights_of(self._store, self._space, user)
            bases = {str(base["id"]) for base in self._tables.bases()}
            every = {str(one["id"]) for base in bases for one in self._tables.of_base(base)}
            seen = every if "*" in rights.read or rights.read & bases else set(rights.read)
            doc["read"] = sorted(seen - {container})
        self._store.put(self._space, KIND, [(user, stamp(self._clock()), doc)])


def _converted(value: Any, kind: str) -> Any:
    if kind in TEXTS:
        return text(value)
    if kind in NUMBERS:
        try:
            return number(value)
        except BrokenValue:
            return None
    return None
