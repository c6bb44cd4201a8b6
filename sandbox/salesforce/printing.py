"""Records as the data API prints them: attributes first, parents as nested objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import orjson

from sandbox.salesforce.columns import DERIVED, Column, Columns, Record, own_value
from sandbox.salesforce.schema import SObject
from sandbox.store import Doc

_AT_ONCE = 100  # rows written down together


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
    """Return what prints records one by one."""
    fill = _filler(rows)

    def printed(record: Record) -> Doc:
        row: Doc = {"attributes": {"type": rows.sobject.name, "url": ""}}
        fill(row, record)
        return row

    return printed


class Sheet:
    """The rows of one page, written down as JSON a few at a time, in the same dictionaries again and again.

    Thousands of rows alive at once would have the interpreter look for cycles among them after every hundred.
    """

    def __init__(self, rows: Rows) -> None:
        """Begin an empty page; parents are read as they are now, each once."""
        self._leave_out = not rows.with_deleted
        self._fill = _filler(rows)
        self._forms: list[Doc] = [{"attributes": {"type": rows.sobject.name, "url": ""}}]
        self._written: list[bytes] = []
        self.count = 0

    def add(self, records: Iterable[Record]) -> list[Doc]:
        """Print records, but those that were deleted since the result was opened; what is returned says nothing."""
        forms, fill, leave_out, filled = self._forms, self._fill, self._leave_out, 0
        for record in records:
            if leave_out and record.get("IsDeleted"):
                continue
            fill(forms[filled], record)
            filled += 1
            if filled == _AT_ONCE:
                self._write(filled)
                filled = 0
            elif filled == len(forms):
                forms.append({"attributes": {**forms[0]["attributes"]}})
        self._write(filled)
        return []

    def body(self, *, total: int | None, following: str | None) -> bytes:
        """Return the whole reply: the rows, how many the result has in all (None: these), where the next page is."""
        told: dict[str, Any] = {"totalSize": self.count if total is None else total, "done": following is None}
        if following is not None:
            told["nextRecordsUrl"] = following
        return orjson.dumps(told)[:-1] + b',"records":[' + b",".join(self._written) + b"]}"

    def _write(self, filled: int) -> None:
        if filled:
            self.count += filled
            self._written.append(orjson.dumps(self._forms[:filled])[1:-1])


def _filler(rows: Rows) -> Callable[[Doc, Record], None]:
    """Return what writes a record into a row of the reply, where only its attributes are so far.

    All that does not change from record to record is worked out here; a document that lacks a column takes
    the slow path.
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
    url = f"{rows.base}/sobjects/{rows.sobject.name}/"

    def one_by_one(record: Record) -> tuple[Any, ...]:
        return tuple(own_value(record, column) for column in columns)

    def plain(row: Doc, record: Record) -> None:
        try:
            values = values_of(record)
        except KeyError:
            values = one_by_one(record)
        for place in derived:
            if values[place] is None:
                values = one_by_one(record)
        row["attributes"]["url"] = url + record["Id"]
        row.update(zip(fields, values))  # noqa: B905  (as many as there are fields; to say so costs time a record)

    if not parents:
        return plain
    known: dict[str, dict[str, Doc | None]] = {key: {} for key in parents}

    def nested(row: Doc, record: Record) -> None:
        plain(row, record)
        for key, below in parents.items():
            id_, read = str(row[key] or ""), known[key]
            if id_ not in read:
                read[id_] = _parent({fields[key]: id_}, below, rows) if id_ else None
            row[key] = read[id_]

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
