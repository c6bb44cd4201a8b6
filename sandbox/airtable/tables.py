"""The bases and tables of a space, and a table's fields by id and by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.airtable.errors import unknown_field
from sandbox.rights import Rights
from sandbox.store import Doc, Store

LINKED = frozenset({"count", "lookup", "multipleLookupValues", "rollup"})
COMPUTED = LINKED | {
    "aiText", "autoNumber", "button", "createdBy", "createdTime", "externalSyncSource", "formula", "lastModifiedBy",
    "lastModifiedTime",
}  # fmt: skip
_DERIVED = LINKED | {"createdBy", "lastModifiedBy", "formula", "createdTime", "lastModifiedTime"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table's schema with its fields by id and by name."""

    id: str
    name: str
    doc: Doc
    by_id: Mapping[str, Mapping[str, Any]]
    by_name: Mapping[str, Mapping[str, Any]]
    derived: tuple[Mapping[str, Any], ...] = ()  # fields whose cells are worked out when they are read

    def field(self, name_or_id: str) -> Mapping[str, Any]:
        """Return a field; raises RefusedCall (422 UNKNOWN_FIELD_NAME) when there is none."""
        found = self.by_id.get(name_or_id) or self.by_name.get(name_or_id)
        if found is None:
            raise unknown_field(name_or_id)
        return found

    @property
    def ids(self) -> dict[str, str]:
        """The field id for every id and name."""
        return {**{name: str(field["id"]) for name, field in self.by_name.items()}, **{i: i for i in self.by_id}}

    @property
    def kinds(self) -> dict[str, str]:
        """The type of every field, by its id."""
        return {id_: str(field["type"]) for id_, field in self.by_id.items()}

    @property
    def primary(self) -> str:
        """The id of the field that names the records."""
        return str(self.doc.get("primaryFieldId") or next(iter(self.by_id), ""))

    def of_type(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the fields of one type."""
        return [field for field in self.by_id.values() if field["type"] == kind]


def table_of(doc: Doc) -> Table:
    """Return a stored table."""
    fields = doc["fields"]
    return Table(
        id=str(doc["id"]),
        name=str(doc["name"]),
        doc=doc,
        by_id={str(field["id"]): field for field in fields},
        by_name={str(field["name"]): field for field in fields},
        derived=tuple(field for field in fields if field["type"] in _DERIVED),
    )


def seen_by(table: Table, rights: Rights) -> Table:
    """Return the table as an account with these rights knows it: a hidden field does not exist."""
    if not rights.hidden_fields:
        return table
    kept = {id_: field for id_, field in table.by_id.items() if rights.sees_field(table.id, id_)}
    return replace(table, by_id=kept, by_name={str(field["name"]): field for field in kept.values()})


class Tables:
    """Bases and tables as the space holds them now."""

    def __init__(self, store: Store, space: str) -> None:
        """Look into one space."""
        self._store = store
        self._space = space

    def bases(self) -> list[Doc]:
        """Return every base, the oldest first."""
        return list(self._store.scan(self._space, "base"))

    def of_base(self, base: str) -> list[Doc]:
        """Return a base's tables; one that names no base (`_base`) belongs to the only, or oldest, base."""
        home = next((str(doc["id"]) for doc in self._store.scan(self._space, "base", limit=1)), "")
        return [doc for doc in self._store.scan(self._space, "table") if doc.get("_base", home) == base]

    def named(self, base: str, name_or_id: str) -> Table | None:
        """Return a base's table, or None."""
        found = next((doc for doc in self.of_base(base) if name_or_id in {doc["id"], doc["name"]}), None)
        return None if found is None else table_of(found)

    def get(self, id_: str) -> Table | None:
        """Return a table of any base by its id, or None."""
        doc = self._store.get(self._space, "table", id_)
        return None if doc is None else table_of(doc)


def views_of(doc: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a table's views; one that names none has the grid every table begins with."""
    views = doc.get("views")
    if views:
        return [dict(view) for view in views]
    return [{"id": f"viw{str(doc['id'])[3:]}", "name": "Grid view", "type": "grid"}]
