"""Reading columns of records, over relationships too: `Subject`, `Owner.Name`, `ProcessInstance.Status`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from sandbox.rights import Rights
from sandbox.salesforce.describe import targets
from sandbox.salesforce.errors import no_such_column
from sandbox.salesforce.schema import Schema, SObject
from sandbox.stamps import wall_clock
from sandbox.store import Store

Record = Mapping[str, Any]
DERIVED = frozenset({"IsDeleted", "SystemModstamp", "LastModifiedDate", "LastModifiedById"})
_MOST_RELATED = 20_000  # related records of one query in memory
_NAME_COLUMNS = {
    column.lower(): column
    for column in (
        "Id",
        "Name",
        "Type",
        "Alias",
        "Email",
        "FirstName",
        "IsActive",
        "LastName",
        "Title",
        "Username",
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a query: canonical path, Salesforce type, how to read it, and the record's own field it begins at."""

    path: tuple[str, ...]
    type: str
    read: Callable[[Record], Any]
    field: str
    filterable: bool = True


def own_value(record: Record, name: str) -> Any:
    """Return a record's own value; system columns that a document leaves out are derived."""
    value = record.get(name)
    if value is not None:
        return value
    if name == "IsDeleted":
        return False
    if name in {"SystemModstamp", "LastModifiedDate"}:
        return record.get("LastModifiedDate") or record.get("CompletedDate") or record.get("CreatedDate")
    if name == "LastModifiedById":
        return record.get("CreatedById")
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When and where a query is asked: what its date literals (TODAY) mean."""

    now: datetime
    zone: tzinfo = UTC


class Columns:
    """Columns of one object within one query; related records are read once for the query."""

    def __init__(
        self,
        store: Store,
        space: str,
        schema: Schema,
        sobject: SObject,
        *,
        moment: Moment | None = None,
        rights: Rights | None = None,
    ) -> None:
        """Prepare for queries over one object by an account with these rights (None: all), now (None: by the wall)."""
        self._store = store
        self._space = space
        self._schema = schema
        self._sobject = sobject
        self._rights = rights or Rights()
        self._related: dict[str, tuple[SObject | None, Record | None]] = {}
        self.moment = moment or Moment(now=wall_clock())

    @property
    def sees_everything(self) -> bool:
        """Whether no record is hidden from the account."""
        return self._rights.sees_everything

    @property
    def open_but_for_hidden(self) -> bool:
        """Whether the account sees all records of the object but those hidden from it one by one."""
        return self.sees_everything or (self._sobject.parent is None and self._rights.reads(self._sobject.name))

    @property
    def hidden(self) -> frozenset[str]:
        """The ids of single records, of any object, that are hidden from the account."""
        return self._rights.hidden

    def forget_related(self) -> None:
        """Read related records anew from now on: they may have changed."""
        self._related.clear()

    def visible(self, record: Record) -> bool:
        """Whether the account sees a record of the object: it, its object, and what it belongs to."""
        return self._rights.sees_everything or self._sees(self._sobject, record)

    def names(self, group: str) -> list[str]:
        """Return the names of all visible columns, of the standard or of the custom ones (FIELDS)."""
        told = [str(field["name"]) for field in self._sobject.fields.values()]
        return [
            name
            for name in told
            if self._rights.sees_field(self._sobject.name, name)
            and (group == "ALL" or name.endswith("__c") is (group == "CUSTOM"))
        ]

    def find(self, path: tuple[str, ...]) -> Column:
        """Return the column; raises RefusedCall (INVALID_FIELD) when there is none."""
        *steps, last = path
        if steps and steps[0].lower() == self._sobject.name.lower():
            steps = steps[1:]  # a query may put the object's own name before a column
        if not steps:
            field = self._sobject.column(last)
            if field is None or not self._rights.sees_field(self._sobject.name, str(field["name"])):
                raise no_such_column(last, self._sobject.name)
            name = str(field["name"])
            closed = field["type"] == "textarea" or (self._sobject.prefix == "017" and name in {"OldValue", "NewValue"})
            return Column(
                path=(name,),
                type=str(field["type"]),
                read=(lambda doc: own_value(doc, name)) if name in DERIVED else (lambda doc: doc.get(name)),
                field=name,
                filterable=not closed,
            )
        return self._over(steps, last)

    def related(self, id_: str) -> tuple[SObject | None, Record | None]:
        """Return the object and the record an id points to; None for what is not there."""
        if id_ not in self._related:
            if len(self._related) >= _MOST_RELATED:
                self._related.clear()
            sobject = self._schema.of_id(id_)
            record = None if sobject is None else self._store.get(self._space, sobject.name, id_)
            if sobject is not None and record is not None and not self._rights.sees_everything:
                record = record if self._sees(sobject, record) else None
            self._related[id_] = (sobject, record)
        return self._related[id_]

    def followed(self, record: Record, path: tuple[str, ...]) -> tuple[SObject, Record, bool] | None:
        """Return the record a relationship path leads to, its object, and whether it could be of several objects."""
        sobject: SObject | None = self._sobject
        at, many = record, False
        for step in path:
            field = None if sobject is None else sobject.column(_reference(step))
            id_ = None if field is None else own_value(at, str(field["name"]))
            if field is None or not id_:
                return None
            many = self._target(sobject, str(field["name"])) is None
            sobject, found = self.related(str(id_))
            if found is None:
                return None
            at = found
        return None if sobject is None else (sobject, at, many)

    def _sees(self, sobject: SObject, record: Record) -> bool:
        if not self._rights.reads(sobject.name, str(record.get("Id", ""))):
            return False
        above = str(record.get(sobject.parent) or "") if sobject.parent else ""
        if not above or self._schema.of_id(above) is None:
            return True
        return self.related(above)[1] is not None

    def _over(self, steps: list[str], last: str) -> Column:
        if len(steps) > 2:
            raise no_such_column(".".join([*steps, last]), self._sobject.name)
        hops: list[str] = []
        canonical: list[str] = []
        sobject: SObject | None = self._sobject
        for step in steps:
            field = None if sobject is None else sobject.column(_reference(step))
            if sobject is not None and (field is None or not self._rights.sees_field(sobject.name, str(field["name"]))):
                text = f"Didn't understand relationship '{step}' in field path"
                raise no_such_column(text, sobject.name)
            hops.append(_reference(step) if field is None else str(field["name"]))
            canonical.append(step if field is None else _relationship(str(field["name"])))
            sobject = self._target(sobject, hops[-1])
        name, kind = self._last(sobject, last)
        many = sobject is None  # it may lead to several objects, and Type tells to which; a queue says so itself

        def read(record: Record) -> Any:
            at: Record | None = record
            for hop in hops:
                id_ = None if at is None else own_value(at, hop)
                if not id_:
                    return None
                of, at = self.related(str(id_))
                if name == "Type" and many and of is not None and of.name != "Group":
                    return None if at is None else of.name
            return None if at is None else own_value(at, name)

        return Column(path=(*canonical, name), type=kind, read=read, field=hops[0])

    def _target(self, sobject: SObject | None, reference: str) -> SObject | None:
        """Return the one object a reference leads to, or None where it may lead to several."""
        if sobject is None or reference == "OwnerId":
            return None
        told = targets(sobject, reference)
        return self._schema.find(told[0]) if len(told) == 1 else None

    def _last(self, sobject: SObject | None, last: str) -> tuple[str, str]:
        if sobject is None:
            name = _NAME_COLUMNS.get(last.lower())
            if name is None:
                raise no_such_column(last, "Name")
            return name, "boolean" if name == "IsActive" else "string"
        field = sobject.column(last)
        if field is None or not self._rights.sees_field(sobject.name, str(field["name"])):
            raise no_such_column(last, sobject.name)
        return str(field["name"]), str(field["type"])


def _reference(relationship: str) -> str:
    if relationship.lower().endswith("__r"):
        return relationship[:-3] + "__c"
    return relationship + "Id"


def _relationship(reference: str) -> str:
    return reference[:-3] + "__r" if reference.endswith("__c") else reference.removesuffix("Id")
