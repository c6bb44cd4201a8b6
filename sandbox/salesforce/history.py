"""Field history as the org writes it: one row a change, two for an owner, first and last of a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.salesforce.ids import new_id
from sandbox.salesforce.schema import SObject
from sandbox.stamps import salesforce, stamp

if TYPE_CHECKING:
    from sandbox.salesforce.org import Org


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of one record going from one value to another."""

    sobject: SObject
    record: str
    field: str
    old: Any
    new: Any
    user: str
    at: datetime


class Trail:
    """Writes history rows into one org."""

    def __init__(self, org: Org) -> None:
        """Write into the org's history objects."""
        self._org = org
        self._held: dict[tuple[str, str], Change] | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Hold the changes of one transaction: of several to one field only the first old and last new value stay."""
        if self._held is not None:
            yield
            return
        self._held = {}
        try:
            yield
            for change in self._held.values():
                self._write(change)
        finally:
            self._held = None

    def created(self, sobject: SObject, record: str, *, user: str, at: datetime) -> None:
        """Note that a record came into being."""
        if sobject.history is not None:
            self._row(sobject, record, "created", None, None, user=user, at=at)

    def changed(self, change: Change) -> None:
        """Note a change of a field, if the org tracks it and it is one."""
        if change.sobject.history is None or change.field not in change.sobject.tracked:
            return
        if self._held is None:
            self._write(change)
            return
        key = (change.record, change.field)
        earlier = self._held.get(key)
        self._held[key] = change if earlier is None else replace(change, old=earlier.old)

    def assigned(self, sobject: SObject, record: str, old: str, new: str, *, user: str, at: datetime) -> None:
        """Note that an assignment rule, not a person, chose the owner of a case."""
        if sobject.history is not None and sobject.name == "Case":
            self._row(sobject, record, "ownerAssignment", self._name(old), self._name(new), user=user, at=at)

    def _write(self, change: Change) -> None:
        if change.old == change.new:
            return
        of, record, user, at = change.sobject, change.record, change.user, change.at
        if change.field != "OwnerId":
            self._row(of, record, change.field, change.old, change.new, user=user, at=at)
            return
        old_name, new_name = self._name(change.old), self._name(change.new)
        self._row(of, record, "Owner", old_name, new_name, user=user, at=at)
        self._row(of, record, "Owner", change.old, change.new, user=user, at=at)
        if of.name == "Case" and str(change.old).startswith("00G") and change.new == user:
            self._row(of, record, "ownerAccepted", old_name, new_name, user=user, at=at)

    def _row(self, sobject: SObject, record: str, name: str, old: Any, new: Any, *, user: str, at: datetime) -> None:
        row = {
            "Id": new_id("017", at),
            sobject.history_parent or f"{sobject.name}Id": record,
            "Field": name,
            "DataType": None,
            "OldValue": old,
            "NewValue": new,
            "CreatedById": user,
            "CreatedDate": salesforce(at),
            "IsDeleted": False,
            "_parent": record,
        }
        if name == "Owner":
            row["DataType"] = "EntityId" if str(new or old)[:3] in {"005", "00G"} else "Text"
        elif name in {"created", "ownerAccepted", "ownerAssignment"}:
            row["DataType"] = "Text"
        else:
            row["DataType"] = _DATA_TYPES.get(str((sobject.column(name) or {}).get("type")), "Text")
        self._org.store.put(self._org.space, str(sobject.history), [(str(row["Id"]), stamp(at), row)])

    def _name(self, id_: Any) -> str | None:
        target = self._org.schema.of_id(str(id_)) if id_ else None
        record = None if target is None else self._org.get(target.name, str(id_))
        return None if record is None else record.get("Name")


_DATA_TYPES = {
    "picklist": "DynamicEnum",
    "date": "DateOnly",
    "datetime": "DateTime",
    "boolean": "Boolean",
    "double": "Double",
    "currency": "Currency",
    "reference": "EntityId",
}
