"""What cells hold: printing records by field name or id, and checking what is written to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sandbox.airtable.errors import bad_value, refused, unknown_field
from sandbox.stamps import airtable, parsed
from sandbox.store import Store

_COMPUTED = {
    "autoNumber", "button", "count", "createdBy", "createdTime", "formula", "lastModifiedBy",
    "lastModifiedTime", "lookup", "multipleLookupValues", "rollup",
}  # fmt: skip
_NUMBERS = {"number", "currency", "percent", "rating", "duration"}
_TEXTS = {"singleLineText", "multilineText", "email", "url", "phoneNumber", "richText"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table's schema with its fields by id and by name."""

    id: str
    name: str
    doc: Mapping[str, Any]
    by_id: Mapping[str, Mapping[str, Any]]
    by_name: Mapping[str, Mapping[str, Any]]

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

    def of_type(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the fields of one type."""
        return [field for field in self.by_id.values() if field["type"] == kind]


def table_of(doc: Mapping[str, Any]) -> Table:
    """Return a stored table."""
    fields = doc["fields"]
    return Table(
        id=str(doc["id"]),
        name=str(doc["name"]),
        doc=doc,
        by_id={str(field["id"]): field for field in fields},
        by_name={str(field["name"]): field for field in fields},
    )


def cells_of(table: Table, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells that hold something, times of creation and last change included, by field id."""
    cells = {id_: value for id_, value in record["fields"].items() if not empty(value)}
    for field in table.of_type("lastModifiedTime"):
        if field["id"] not in cells and record.get("_modified"):
            cells[str(field["id"])] = airtable(parsed(str(record["_modified"])))
    for field in table.of_type("createdTime"):
        cells.setdefault(str(field["id"]), record["createdTime"])
    return cells


def empty(value: Any) -> bool:
    """Whether the API leaves the cell out: no value, an unticked box, an empty list or text."""
    return value is None or value is False or value in ("", [])


class Checker:
    """Checks and completes values written to cells."""

    def __init__(self, store: Store, space: str) -> None:
        """Look people and linked records up in one space."""
        self._store = store
        self._space = space

    def accepted(self, field: Mapping[str, Any], value: Any, *, typecast: bool) -> Any:
        """Return the value as the store keeps it; raises RefusedCall for what the field does not take."""
        kind, name = str(field["type"]), str(field["name"])
        if kind in _COMPUTED:
            raise bad_value(name, "the field is computed")
        if empty(value):
            return None
        if kind in {"multipleSelects", "multipleCollaborators", "multipleRecordLinks"}:
            if not isinstance(value, list):
                raise bad_value(name)
            return [self._one(field, one, typecast=typecast) for one in value]
        return self._one(field, value, typecast=typecast)

    def _one(self, field: Mapping[str, Any], value: Any, *, typecast: bool) -> Any:
        kind, name = str(field["type"]), str(field["name"])
        if kind in {"singleSelect", "multipleSelects"}:
            return self._choice(field, value, typecast=typecast)
        if kind in {"singleCollaborator", "multipleCollaborators"}:
            return self._person(name, value)
        if kind == "multipleRecordLinks":
            return self._linked(name, value)
        if kind == "date":
            return _day(name, value)
        if kind == "dateTime":
            return _moment(name, value)
        if kind in _TEXTS and not isinstance(value, str) and not typecast:
            raise bad_value(name)
        if kind in _NUMBERS and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise bad_value(name)
        return str(value) if kind in _TEXTS else value

    def _choice(self, field: Mapping[str, Any], value: Any, *, typecast: bool) -> str:
        if not isinstance(value, str):
            raise bad_value(str(field["name"]))
        names = {str(choice["name"]) for choice in (field.get("options") or {}).get("choices", [])}
        if value not in names and not typecast:
            text = f'Insufficient permissions to create new select option ""{value}""'
            raise refused(422, "INVALID_MULTIPLE_CHOICE_OPTIONS", text)
        return value

    def _person(self, name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not (value.get("id") or value.get("email")):
            raise bad_value(name)
        known = self._store.get(self._space, "collaborator", str(value.get("id") or ""))
        if known is None and value.get("email") and not value.get("id"):
            everybody = self._store.scan(self._space, "collaborator")
            known = next((one for one in everybody if one.get("email") == value["email"]), None)
        if known is None:  # somebody without access to the base
            raise bad_value(name)
        return {key: known[key] for key in ("id", "email", "name") if key in known}

    def _linked(self, name: str, value: Any) -> str:
        id_ = value.get("id") if isinstance(value, Mapping) else value
        if not isinstance(id_, str) or not id_.startswith("rec"):
            raise bad_value(name)
        if self._store.get(self._space, "record", id_) is None:
            raise refused(422, "ROW_DOES_NOT_EXIST", f"Record ID {id_} does not exist in this table")
        return id_


def _day(name: str, value: Any) -> str:
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError as error:
        raise bad_value(name) from error


def _moment(name: str, value: Any) -> str:
    try:
        return airtable(parsed(str(value)))
    except ValueError as error:
        raise bad_value(name) from error
