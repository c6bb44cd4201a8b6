"""Records as the data API prints them: attributes first, parents as nested objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.columns import Column, Columns, Record
from sandbox.salesforce.schema import SObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What is needed to print the rows of a query: object, columns, address of the API version, page size."""

    sobject: SObject
    columns: tuple[Column, ...]
    related: Columns
    base: str
    size: int = 2000
    with_deleted: bool = False  # queryAll


def row(record: Record, rows: Rows) -> dict[str, Any]:
    """Return a record as a row of the reply."""
    name = rows.sobject.name
    told: dict[str, Any] = {"attributes": {"type": name, "url": f"{rows.base}/sobjects/{name}/{record['Id']}"}}
    for column in rows.columns:
        if len(column.path) == 1:
            told[column.path[0]] = column.read(record)
            continue
        at: dict[str, Any] | None = told
        for hops, step in enumerate(column.path[:-1], start=1):
            if at is None:
                break
            if at.get(step) is None:
                at[step] = _parent(record, column.path[:hops], rows)
            at = at[step]
        if at is not None:
            at[column.path[-1]] = column.read(record)
    return told


def _parent(record: Record, path: tuple[str, ...], rows: Rows) -> dict[str, Any] | None:
    found = rows.related.followed(record, path)
    if found is None:
        return None
    sobject, parent, many = found
    url = f"{rows.base}/sobjects/{sobject.name}/{parent['Id']}"
    return {"attributes": {"type": "Name" if many else sobject.name, "url": url}}
