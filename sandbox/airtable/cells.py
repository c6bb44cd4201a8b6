"""What is written to cells: checked against the field's type, completed, or converted when that is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.airtable.access import belongs
from sandbox.airtable.errors import bad_value, refused
from sandbox.airtable.tables import COMPUTED
from sandbox.airtable.values import empty
from sandbox.stamps import airtable, parsed
from sandbox.store import Doc, Store

NUMBERS = frozenset({"number", "currency", "percent", "rating", "duration"})
TEXTS = frozenset({"singleLineText", "multilineText", "email", "url", "phoneNumber", "richText"})
LISTS = frozenset({"multipleSelects", "multipleCollaborators", "multipleRecordLinks", "multipleAttachments"})
_TICKED = {"true": True, "1": True, "checked": True, "yes": True, "false": False, "0": False, "no": False}


class Checker:
    """Checks and completes values written to the cells of a base."""

    def __init__(
        self,
        store: Store,
        space: str,
        base: str,
        *,
        add_choice: Callable[[Mapping[str, Any], str], bool],
        find_or_add: Callable[[str, str], str | None],
    ) -> None:
        """Look people and records up in one base.

        For conversions, `add_choice` adds an option to a field (False: not permitted), and `find_or_add` gives
        the record of a table by its name, a new one when there is none (None: not permitted).
        """
        self._store = store
        self._space = space
        self._base = base
        self._add_choice = add_choice
        self._find_or_add = find_or_add

    def accepted(self, field: Mapping[str, Any], value: Any, *, typecast: bool) -> Any:
        """Return the value as the store keeps it; raises RefusedCall for what the field does not take."""
        kind, name = str(field["type"]), str(field["name"])
        if kind in COMPUTED:
            raise bad_value(name, "the field is computed")
        if empty(value):
            return None
        if kind in LISTS:
            if typecast and isinstance(value, str):
                value = [part.strip() for part in value.split(",") if part.strip()]
            elif typecast and isinstance(value, Mapping):
                value = [value]
            if not isinstance(value, list):
                raise bad_value(name)
            return _unique([self._one(field, kind, name, one, typecast=typecast) for one in value])
        return self._one(field, kind, name, value, typecast=typecast)

    def _one(self, field: Mapping[str, Any], kind: str, name: str, value: Any, *, typecast: bool) -> Any:
        if typecast and isinstance(value, list) and len(value) == 1:
            value = value[0]
        if kind in {"singleSelect", "multipleSelects"}:
            return self._choice(field, value, typecast=typecast)
        if kind in {"singleCollaborator", "multipleCollaborators"}:
            return self._person(name, value, typecast=typecast)
        if kind == "multipleRecordLinks":
            return self._linked(field, name, value, typecast=typecast)
        if kind == "date":
            return _day(name, value, typecast=typecast)
        if kind == "dateTime":
            return airtable(_instant(name, value, typecast=typecast))
        if kind == "checkbox":
            return _ticked(name, value, typecast=typecast)
        if kind in NUMBERS:
            return _number(name, value, typecast=typecast)
        if kind in TEXTS:
            if not isinstance(value, str) and (not typecast or isinstance(value, (list, Mapping))):
                raise bad_value(name)
            return str(value)
        if kind == "barcode" and not (isinstance(value, Mapping) and isinstance(value.get("text"), str)):
            raise bad_value(name)
        if kind == "multipleAttachments" and not (isinstance(value, Mapping) and (value.get("url") or value.get("id"))):
            raise bad_value(name)
        return value

    def _choice(self, field: Mapping[str, Any], value: Any, *, typecast: bool) -> str:
        if typecast and isinstance(value, (int, float)) and not isinstance(value, bool):
            value = f"{value:g}"
        if not isinstance(value, str):
            raise bad_value(str(field["name"]))
        names = {str(choice["name"]) for choice in (field.get("options") or {}).get("choices", [])}
        if value not in names and not (typecast and self._add_choice(field, value)):
            words = f'Insufficient permissions to create new select option ""{value}""'
            raise refused(422, "INVALID_MULTIPLE_CHOICE_OPTIONS", words)
        return value

    def _person(self, name: str, value: Any, *, typecast: bool) -> dict[str, Any]:
        if typecast and isinstance(value, str):
            value = {"id": value} if value.startswith("usr") else {"email" if "@" in value else "name": value}
        if not isinstance(value, Mapping):
            raise bad_value(name)
        known = self._known(value, by_name=typecast)
        if known is None or not belongs(known, self._base):  # somebody without access to the base
            raise bad_value(name)
        return {key: known[key] for key in ("id", "email", "name") if key in known}

    def _known(self, value: Mapping[str, Any], *, by_name: bool) -> Doc | None:
        if value.get("id"):
            return self._store.get(self._space, "collaborator", str(value["id"]))
        key = "email" if value.get("email") else "name" if by_name and value.get("name") else ""
        if not key:
            return None
        everybody = self._store.scan(self._space, "collaborator")
        return next((one for one in everybody if str(one.get(key)).lower() == str(value[key]).lower()), None)

    def _linked(self, field: Mapping[str, Any], name: str, value: Any, *, typecast: bool) -> str:
        id_ = value.get("id") if isinstance(value, Mapping) else value
        if not isinstance(id_, str):
            raise bad_value(name)
        table = str((field.get("options") or {}).get("linkedTableId") or "")
        if not re.fullmatch(r"rec\w+", id_):
            found = self._find_or_add(table, id_) if typecast else None
            if found is None:
                raise bad_value(name)
            return found
        record = self._store.get(self._space, "record", id_)
        if record is None or (table and record.get("_table") != table):
            raise refused(422, "ROW_DOES_NOT_EXIST", f"Record ID {id_} does not exist in this table")
        return id_


def _unique(values: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for value in values:
        if value not in kept:
            kept.append(value)
    return kept


def _number(name: str, value: Any, *, typecast: bool) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise bad_value(name)
    if isinstance(value, str):
        found = re.fullmatch(r"[^\d.-]*(-?[\d,]*\.?\d+)\s*%?", value.strip()) if typecast else None
        if found is None:
            raise bad_value(name)
        read = float(found[1].replace(",", ""))
        return int(read) if read.is_integer() else read
    return value


def _ticked(name: str, value: Any, *, typecast: bool) -> bool | None:
    if isinstance(value, bool):
        return value
    known = _TICKED.get(str(value).strip().lower()) if typecast else None
    if known is None:
        raise bad_value(name)
    return known or None


def _day(name: str, value: Any, *, typecast: bool) -> str:
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
        value = value[:10]  # a day is a day, whatever the offset of a time that comes with it
    return _instant(name, value, typecast=typecast).date().isoformat()


def _instant(name: str, value: Any, *, typecast: bool) -> datetime:
    if not isinstance(value, str):
        raise bad_value(name)
    try:
        return parsed(value)
    except (ValueError, OverflowError) as error:
        if typecast:
            for form in ("%m/%d/%Y", "%m/%d/%Y %H:%M", "%B %d, %Y", "%d %B %Y", "%b %d, %Y", "%d %b %Y"):
                try:
                    return datetime.strptime(value.strip(), form).replace(tzinfo=UTC)
                except ValueError:
                    continue
        raise bad_value(name) from error
