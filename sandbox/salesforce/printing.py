"""Records as the data API prints them: attributes first, parents as nested objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sandbox.salesforce.columns import DERIVED, Column, Columns, Record, own_value
from sandbox.salesforce.schema import SObject
from sandbox.store import Doc


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What is needed to print the rows of a query: object, columns, address of the API version, page size."""

    sobject: SObject
    columns: tuple[Column, ...]
    related: Columns
    base: str
    size: int = 2000
    with_deleted: bool = False  # queryAll


def printer(rows: Rows) -> Callable[[Record], Doc]:
    """Return what prints the rows of one page: a parent is read once for all of them, as it is now.

    All that does not change from record to record is worked out here; a document that lacks a column takes
    the slow path. A record that was deleted since the result was opened is printed as an empty row.
    """
    rows.related.forget_related()
    fields: dict[str, str] = {}  # key of the row -> column of the record; under a parent's key first its id
    parents: dict[str, list[Column]] = {}
    for column in rows.columns:
        first = column.path[0]
        fields.setdefault(first, column.field)
        if len(column.path) > 1:
            parents.setdefault(first, []).append(column)
    columns = tuple(fields.values())
    values_of = itemgetter(*columns) if len(columns) > 1 else itemgetter(*columns, "Id", "Id")  # always a tuple
    derived = [place for place, name in enumerate(columns) if name in DERIVED]
    name, leave_out = rows.sobject.name, not rows.with_deleted
    url = f"{rows.base}/sobjects/{name}/"

    def one_by_one(record: Record) -> tuple[Any, ...]:
        return tuple(own_value(record, column) for column in columns)

    def plain(record: Record) -> Doc:
        if leave_out and record.get("IsDeleted"):
            return {}
        try:
            values = values_of(record)
        except KeyError:
            values = one_by_one(record)
        for place in derived:
            if values[place] is None:
                values = one_by_one(record)
        told: Doc = {"attributes": {"type": name, "url": url + record["Id"]}}
        told.update(zip(fields, values))  # noqa: B905  (as many as there are fields; to say so costs time a record)
        return told

    if not parents:
        return plain
    known: dict[str, dict[str, Doc | None]] = {key: {} for key in parents}

    def nested(record: Record) -> Doc:
        told = plain(record)
        if not told:
            return told
        for key, below in parents.items():
            id_, read = str(told[key] or ""), known[key]
            if id_ not in read:
                read[id_] = _parent({fields[key]: id_}, below, rows) if id_ else None
            told[key] = read[id_]
        return told

    return nested


def _parent(stub: Record, columns: list[Column], rows: Rows) -> Doc | None:
    """Return the parent a record with this reference has, with the columns asked for; None when it is not there."""
    told: Doc = {}
    for column in columns:
        at: Doc | None = told
        for hops, step in enumerate(column.path[:-1], start=1):
            if at is None:
                break
            if at.get(step) is None:
                at[step] = _attributes(stub, column.path[:hops], rows)
            at = at[step]
        if at is not None:
            at[column.path[-1]] = column.read(stub)
    parent: Doc | None = told[columns[0].path[0]]
    return parent


def _attributes(record: Record, path: tuple[str, ...], rows: Rows) -> dict[str, Any] | None:
    found = rows.related.followed(record, path)
    if found is None:
        return None
    sobject, parent, many = found
    url = f"{rows.base}/sobjects/{sobject.name}/{parent['Id']}"
    return {"attributes": {"type": "Name" if many else sobject.name, "url": url}}
