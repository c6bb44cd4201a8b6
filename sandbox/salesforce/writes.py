"""Changing records as the org does: rights, locks, values, owners; stamps in whole seconds; field history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.salesforce.author import Author
from sandbox.salesforce.duplicates import refuse_duplicates
from sandbox.salesforce.errors import no_access, not_found, refused, several_found
from sandbox.salesforce.history import Change, Trail
from sandbox.salesforce.ids import eighteen, new_id
from sandbox.salesforce.owners import accepted_owner, refuse_inactive_keeper
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.values import accepted_value
from sandbox.stamps import salesforce, stamp
from sandbox.store import Doc

if TYPE_CHECKING:
    from sandbox.salesforce.org import Org


class Writer:
    """The writes of one org. Whatever is refused changes nothing."""

    def __init__(self, org: Org) -> None:
        """Write into one org, stamping with its clock."""
        self._org = org
        self._last_case = 0
        self.trail = Trail(org)

    def now(self) -> datetime:
        """Return the time a write gets: whole seconds, as Salesforce stamps."""
        return self._org.clock().replace(microsecond=0)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make all writes inside one transaction: all or none, and one history row for each field changed."""
        with self._org.store.transaction(), self.trail.together():
            yield

    def existing(self, sobject: SObject, id_: str, *, by: Author | None = None) -> Doc:
        """Return the record; raises RefusedCall (404) when it is deleted, was never there, or `by` may not see it."""
        record = self._org.get(sobject.name, eighteen(id_))
        if record is None or (by is not None and not self._org.visible(sobject, record, by.rights)):
            raise not_found()
        if record.get("IsDeleted"):
            raise refused(404, "ENTITY_IS_DELETED", "entity is deleted", fields=[])
        return record

    def editable(self, sobject: SObject, id_: str, *, by: Author) -> Doc:
        """Return the record if the author may change it now; raises RefusedCall otherwise."""
        record = self.existing(sobject, id_, by=by)
        if not by.rights.edits(sobject.name, str(record["Id"])):
            raise no_access()
        if by.row_locked:
            text = f"unable to obtain exclusive access to this record or 1 records: {record['Id']}"
            raise refused(400, "UNABLE_TO_LOCK_ROW", text, fields=[])
        if not by.rights.admin and self._in_locking_approval(str(record["Id"])):
            text = "This record is locked. If you need to edit it, contact your admin."
            raise refused(400, "ENTITY_IS_LOCKED", text, fields=[])
        if sobject.name == "Lead" and record.get("IsConverted"):
            raise refused(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", fields=[])
        return record

    def update(
        self,
        sobject: SObject,
        id_: str,
        wanted: Mapping[str, Any],
        *,
        by: Author,
        check: Callable[[Doc], None] | None = None,
    ) -> None:
        """Change a record; `check` sees it just before and may refuse (conditional headers)."""
        if not sobject.updateable:
            text = f"entity type cannot be updated: {sobject.name}"
            raise refused(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", text)
        record = self.editable(sobject, id_, by=by)
        if check is not None:
            check(record)
        if any(key.lower() == "id" for key in wanted):
            raise refused(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
        changes = self._accepted(sobject, wanted, record, by=by)
        if "OwnerId" not in changes:
            refuse_inactive_keeper(self._org, sobject, record.get("OwnerId"))
        refuse_duplicates(self._org, sobject, changes, own=str(record["Id"]), by=by)
        self.change(sobject, record, changes, user=by.user, at=self.now())

    def change(self, sobject: SObject, record: Doc, changes: Mapping[str, Any], *, user: str, at: datetime) -> None:
        """Write checked values into a record with everything that follows from them: derived columns, history."""
        changes = {**changes, **_derived(sobject, changes)}
        with self._org.store.transaction():
            for name, new in changes.items():
                old = record.get(name)
                self.trail.changed(
                    Change(sobject=sobject, record=record["Id"], field=name, old=old, new=new, user=user, at=at)
                )
            record.update(changes)
            text = salesforce(at)
            record.update(LastModifiedDate=text, SystemModstamp=text, LastModifiedById=user, IsDeleted=False)
            self._org.store.put(self._org.space, sobject.name, [(record["Id"], stamp(at), record)])

    def create(self, sobject: SObject, wanted: Mapping[str, Any], *, by: Author) -> str:
        """Add a record and return its id."""
        if not sobject.createable:
            text = f"entity type cannot be inserted: {sobject.name}"
            raise refused(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", text)
        if not by.rights.edits(sobject.name):
            raise no_access()
        values = self._accepted(sobject, wanted, {}, by=by)
        missing = [name for name in sobject.required if values.get(name) in (None, "")]
        if missing:
            text = f"Required fields are missing: [{', '.join(missing)}]"
            raise refused(400, "REQUIRED_FIELD_MISSING", text, fields=missing)
        refuse_duplicates(self._org, sobject, values, own="", by=by)
        user, at = by.user, self.now()
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
            self._visible_parent(sobject.parent, str(values[sobject.parent]), by=by)
            record["_parent"] = values[sobject.parent]
        elif sobject.column("OwnerId") is not None:
            record["OwnerId"] = user
        if sobject.name == "Case":
            record |= {"CaseNumber": self.next_case_number(), "Status": "New", "IsClosed": False}
        record.update({**values, **_derived(sobject, values)})
        with self._org.store.transaction():
            self._assign(sobject, record, given="OwnerId" in values, by=by, at=at)
            self._org.store.put(self._org.space, sobject.name, [(record["Id"], stamp(at), record)])
            self.trail.created(sobject, record["Id"], user=user, at=at)
        return str(record["Id"])

    def upsert(
        self, sobject: SObject, field: str, value: str, wanted: Mapping[str, Any], *, by: Author
    ) -> tuple[str, bool]:
        """Change the one record whose external id field has this value, or create it: (id, whether it is new).

        Raises RefusedCall: 404 for a field that is no external id, 300 MULTIPLE_CHOICES for several records.
        """
        found = self.having(sobject, field, value, by=by)
        if len(found) > 1:
            base = f"/services/data/v59.0/sobjects/{sobject.name}"
            raise several_found([f"{base}/{id_}" for id_ in found])
        if found:
            self.update(sobject, found[0], wanted, by=by)
            return found[0], False
        column = sobject.column(field)
        if column is None or str(column["name"]) == "Id":
            raise not_found()
        return self.create(sobject, {**wanted, str(column["name"]): value}, by=by), True

    def having(self, sobject: SObject, field: str, value: str, *, by: Author) -> list[str]:
        """Return the ids of the records whose external id field has this value; raises 404 for other fields."""
        column = sobject.column(field)
        if column is None or not (column.get("externalId") or column["name"] == "Id"):
            text = f"Provided external ID field does not exist or is not accessible: {field}"
            raise refused(404, "NOT_FOUND", text)
        name = str(column["name"])
        if name == "Id":
            record = self._org.get(sobject.name, eighteen(value))
            return [] if record is None or record.get("IsDeleted") else [str(record["Id"])]
        return [
            str(record["Id"])
            for record in self._org.store.scan(self._org.space, sobject.name)
            if str(record.get(name) or "").lower() == value.lower()
            and not record.get("IsDeleted")
            and self._org.visible(sobject, record, by.rights)
        ]

    def _accepted(self, sobject: SObject, wanted: Mapping[str, Any], record: Mapping[str, Any], *, by: Author) -> Doc:
        accepted: Doc = {}
        for key, value in wanted.items():
            if key == "attributes":
                continue
            field = sobject.column(key)
            if field is None or not by.rights.sees_field(sobject.name, str(field["name"])):
                raise refused(400, "INVALID_FIELD", f"No such column '{key}' on sobject of type {sobject.name}")
            name = str(field["name"])
            if not field.get("updateable", True):
                text = f"Unable to create/update fields: {name}. Please check the security settings of this field"
                raise refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE", text, fields=[name])
            if name == "OwnerId":
                unchanged = record and isinstance(value, str) and eighteen(value) == record.get("OwnerId")
                accepted[name] = eighteen(value) if unchanged else accepted_owner(self._org, sobject, value, by=by)
                continue
            accepted[name] = accepted_value(field, value)
            if field["type"] == "reference" and accepted[name] and accepted[name] != record.get(name):
                self._visible_parent(name, accepted[name], by=by)
        return accepted

    def _visible_parent(self, field: str, id_: str, *, by: Author) -> None:
        target = self._org.schema.of_id(id_)
        record = None if target is None else self._org.get(target.name, id_)
        if target is None or record is None or record.get("IsDeleted"):
            raise refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[field])
        if not self._org.visible(target, record, by.rights):
            text = f"insufficient access rights on cross-reference id: {id_}"
            raise refused(400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", text, fields=[])

    def _assign(self, sobject: SObject, record: Doc, *, given: bool, by: Author, at: datetime) -> None:
        chosen = self._org.settings.get("case_assignment_owner")
        if sobject.name != "Case" or not chosen or given or not by.auto_assign:
            return
        self.trail.assigned(sobject, record["Id"], record["OwnerId"], chosen, user=by.user, at=at)
        record["OwnerId"] = chosen

    def _in_locking_approval(self, id_: str) -> bool:
        instances = self._org.store.find(self._org.space, "ProcessInstance", id_)
        return any(instance.get("Status") == "Pending" and instance.get("_locks") for instance in instances)

    def next_case_number(self) -> str:
        """Return a case number that no case has."""
        if not self._last_case:
            numbers = (str(case.get("CaseNumber", "")) for case in self._org.store.scan(self._org.space, "Case"))
            self._last_case = max((int(number) for number in numbers if number.isdecimal()), default=1000)
        self._last_case += 1
        return f"{self._last_case:08d}"


def _derived(sobject: SObject, values: Mapping[str, Any]) -> Doc:
    """Return the columns the org computes from a status."""
    if sobject.name == "Case" and "Status" in values:
        return {"IsClosed": str(values["Status"] or "").lower().startswith("closed")}
    if sobject.name == "Opportunity" and "StageName" in values:
        stage = str(values["StageName"] or "").lower()
        return {"IsClosed": stage.startswith("closed"), "IsWon": stage == "closed won"}
    return {}
