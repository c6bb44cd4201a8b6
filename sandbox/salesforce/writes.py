"""Changing records as Salesforce does: checks, stamps in whole seconds, rows in the field history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from sandbox.salesforce.author import Author
from sandbox.salesforce.columns import own_value
from sandbox.salesforce.errors import not_found, refused
from sandbox.salesforce.ids import eighteen, new_id, plausible
from sandbox.salesforce.schema import Schema, SObject
from sandbox.stamps import parsed, salesforce, stamp
from sandbox.store import Doc

if TYPE_CHECKING:
    from sandbox.salesforce.org import Org


class Writer:
    """The writes of one org."""

    def __init__(self, org: Org) -> None:
        """Write into one org, stamping with its clock."""
        self._org = org
        self._store = org.store
        self._space = org.space
        self._clock = org.clock
        self._last_case = 0

    @property
    def _schema(self) -> Schema:
        return self._org.schema

    def now(self) -> datetime:
        """Return the time a write gets: whole seconds, as Salesforce stamps."""
        return self._clock().replace(microsecond=0)

    def existing(self, sobject: SObject, id_: str) -> Doc:
        """Return the record; raises RefusedCall when it is deleted or was never there."""
        record = self._store.get(self._space, sobject.name, eighteen(id_))
        if record is None:
            raise not_found()
        if record.get("IsDeleted"):
            raise refused(404, "ENTITY_IS_DELETED", "entity is deleted", fields=[])
        return record

    def update(self, sobject: SObject, id_: str, wanted: Mapping[str, Any], *, by: Author, unless: str = "") -> None:
        """Change a record; `unless` is the If-Unmodified-Since header ("" for none)."""
        if not sobject.writable:
            raise refused(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be updated: {sobject.name}")
        user = by.user
        record = self.existing(sobject, id_)
        _guard(record, unless)
        if any(key.lower() == "id" for key in wanted):
            raise refused(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
        changes = self._accepted(sobject, wanted)
        at = self.now()
        with self._store.transaction():
            self._tell_history(sobject, record, changes, user=user, at=at)
            record.update(changes)
            record.update(
                LastModifiedDate=salesforce(at),
                SystemModstamp=salesforce(at),
                LastModifiedById=user,
                IsDeleted=False,
            )
            self._store.put(self._space, sobject.name, [(record["Id"], stamp(at), record)])

    def create(self, sobject: SObject, wanted: Mapping[str, Any], *, by: Author) -> str:
        """Add a record and return its id."""
        user = by.user
        if not sobject.writable:
            raise refused(
                400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {sobject.name}"
            )
        values = self._accepted(sobject, wanted)
        missing = [name for name in sobject.required if values.get(name) in {None, ""}]
        if missing:
            raise refused(
                400,
                "REQUIRED_FIELD_MISSING",
                f"Required fields are missing: [{', '.join(missing)}]",
                fields=missing,
            )
        at = self.now()
        record: Doc = {
            "Id": new_id(sobject.prefix, at),
            "IsDeleted": False,
            "CreatedDate": salesforce(at),
            "CreatedById": user,
            "LastModifiedDate": salesforce(at),
            "LastModifiedById": user,
            "SystemModstamp": salesforce(at),
        }
        if sobject.parent is not None:
            parent = eighteen(str(values[sobject.parent]))
            self._pointed_at(sobject.parent, parent)
            values[sobject.parent] = record["_parent"] = parent
        else:
            record["OwnerId"] = user
        if sobject.name == "Case":
            record |= {"CaseNumber": self._next_case_number(), "Status": "New"}
        record.update(values)
        with self._store.transaction():
            self._store.put(self._space, sobject.name, [(record["Id"], stamp(at), record)])
            if sobject.history is not None:
                self._history_row(sobject, record["Id"], "created", None, None, user=user, at=at)
        return str(record["Id"])

    def _accepted(self, sobject: SObject, wanted: Mapping[str, Any]) -> Doc:
        accepted: Doc = {}
        for key, value in wanted.items():
            if key == "attributes":
                continue
            field = sobject.column(key)
            if field is None:
                text = f"No such column '{key}' on sobject of type {sobject.name}"
                raise refused(400, "INVALID_FIELD", text)
            name = str(field["name"])
            if not field.get("updateable", True):
                text = f"Unable to create/update fields: {name}. Please check the security settings of this field"
                raise refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE", text, fields=[name])
            accepted[name] = self._value(sobject, name, str(field["type"]), value)
        return accepted

    def _value(self, sobject: SObject, name: str, kind: str, value: Any) -> Any:
        if name == "OwnerId":
            return self._owner(sobject, value)
        if value is None or value == "":
            return None
        if kind == "date":
            try:
                return date.fromisoformat(str(value)[:10]).isoformat()
            except ValueError as error:
                text = f"Cannot deserialize instance of date from VALUE_STRING value {value}"
                raise refused(400, "JSON_PARSER_ERROR", text) from error
        if kind in {"string", "picklist", "textarea", "reference"} and not isinstance(value, str):
            text = f"Cannot deserialize instance of {kind} from {type(value).__name__} value {value}"
            raise refused(400, "JSON_PARSER_ERROR", text)
        return value

    def _owner(self, sobject: SObject, value: Any) -> str:
        label = "Owner ID"
        if not isinstance(value, str) or not plausible(value) or value[:3] not in {"005", "00G"}:
            raise refused(400, "MALFORMED_ID", f"{label}: id value of incorrect type: {value}", fields=["OwnerId"])
        id_ = eighteen(value)
        if id_[:3] == "00G":
            if not sobject.queue_ownable:
                text = f"{label}: id value of incorrect type: {id_}"
                raise refused(400, "FIELD_INTEGRITY_EXCEPTION", text, fields=["OwnerId"])
            self._pointed_at("OwnerId", id_)
            return id_
        user = self._pointed_at("OwnerId", id_)
        if not user.get("IsActive", True):
            text = f"operation performed with inactive user [{id_}] as owner of {sobject.name.lower()}"
            raise refused(400, "INACTIVE_OWNER_OR_USER", text, fields=[])
        return id_

    def _pointed_at(self, field: str, id_: str) -> Doc:
        target = self._schema.of_id(id_)
        record = None if target is None else self._store.get(self._space, target.name, id_)
        if record is None:
            raise refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[field])
        return record

    def _tell_history(
        self,
        sobject: SObject,
        record: Mapping[str, Any],
        changes: Mapping[str, Any],
        *,
        user: str,
        at: datetime,
    ) -> None:
        if sobject.history is None:
            return
        for name, new in changes.items():
            old = record.get(name)
            if name not in sobject.tracked or old == new:
                continue
            if name == "OwnerId":  # two rows for one change, in Salesforce too: the names and the ids
                self._history_row(sobject, record["Id"], "Owner", self._name(old), self._name(new), user=user, at=at)
                self._history_row(sobject, record["Id"], "Owner", old, new, user=user, at=at)
            else:
                self._history_row(sobject, record["Id"], name, old, new, user=user, at=at)

    def _history_row(
        self, sobject: SObject, id_: str, name: str, old: Any, new: Any, *, user: str, at: datetime
    ) -> None:
        row = {
            "Id": new_id("017", at),
            sobject.history_parent or f"{sobject.name}Id": id_,
            "Field": name,
            "OldValue": old,
            "NewValue": new,
            "CreatedById": user,
            "CreatedDate": salesforce(at),
            "IsDeleted": False,
            "_parent": id_,
        }
        self._store.put(self._space, str(sobject.history), [(str(row["Id"]), stamp(at), row)])

    def _name(self, id_: Any) -> str | None:
        target = self._schema.of_id(str(id_)) if id_ else None
        record = None if target is None else self._store.get(self._space, target.name, str(id_))
        return None if record is None else record.get("Name")

    def _next_case_number(self) -> str:
        if not self._last_case:
            numbers = (str(case.get("CaseNumber", "")) for case in self._store.scan(self._space, "Case"))
            self._last_case = max((int(number) for number in numbers if number.isdigit()), default=1000)
        self._last_case += 1
        return f"{self._last_case:08d}"


def _guard(record: Mapping[str, Any], unless: str) -> None:
    """Refuse when the record is newer than the header says; both sides are whole seconds."""
    if not unless:
        return
    try:
        limit = parsedate_to_datetime(unless)
    except ValueError as error:
        raise refused(400, "INVALID_HEADER", "If-Unmodified-Since is not an HTTP date") from error
    changed = parsed(str(own_value(record, "LastModifiedDate"))).replace(microsecond=0)
    if changed > limit:
        raise refused(412, "PRECONDITION_FAILED", "The record was modified after the given date")
