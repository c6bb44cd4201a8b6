"""The work of a query job: records become CSV lines, a chunk at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.calls import RefusedCall
from sandbox.salesforce.author import Author
from sandbox.salesforce.bulk.shelf import CHUNK
from sandbox.salesforce.bulk.table import Form
from sandbox.salesforce.columns import Column, Columns
from sandbox.salesforce.errors import refused
from sandbox.salesforce.finding import search
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql import Aggregate, Fields, Query, parse
from sandbox.stamps import stamp
from sandbox.walks import Walks

_STRINGS = re.compile(r"'(?:\\.|[^'\\])*'")
_AGGREGATE = re.compile(r"\b(?:COUNT|COUNT_DISTINCT|SUM|AVG|MIN|MAX|GROUPING)\s*\(|\bGROUP\s+BY\b", re.IGNORECASE)
_UNSUPPORTED = (
    (re.compile(r"\bSELECT\b[^()]*\(\s*SELECT\b", re.IGNORECASE), "Aggregate Relationships"),
    (_AGGREGATE, "Aggregate Queries"),
    (re.compile(r"\bTYPEOF\b", re.IGNORECASE), "TYPEOF"),
    (re.compile(r"\bOFFSET\s+\d", re.IGNORECASE), "OFFSET"),
    (re.compile(r"\bFIELDS\s*\(\s*(?:ALL|CUSTOM)\b", re.IGNORECASE), "FIELDS(ALL) and FIELDS(CUSTOM)"),
)
_WHOLE = frozenset({"int", "long"})
_FRACTIONS = frozenset({"double", "currency", "percent"})


def refuse_unsupported(soql: str) -> None:
    """Refuse (FEATURENOTENABLED) what plain queries may do and bulk queries may not.

    The relationship text was seen in public threads, the others are formed after it.
    """
    bare = _STRINGS.sub("''", soql)
    for pattern, name in _UNSUPPORTED:
        if pattern.search(bare):
            raise unsupported(name)


def unsupported(feature: str) -> RefusedCall:
    """Return what a query gets that uses something bulk queries do not have."""
    return refused(400, "FEATURENOTENABLED", f"{feature} not supported in Bulk V2 Query with CSV content type")


def cell(value: Any, column: Column) -> str:
    """Return a value as a result shows it: times with milliseconds and Z, true and false, null as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if column.type == "datetime":
        return str(value).replace("+0000", "Z")
    if isinstance(value, (int, float)):
        if column.type in _WHOLE:
            return str(int(value))
        return repr(float(value)) if column.type in _FRACTIONS or isinstance(value, float) else str(value)
    if isinstance(value, (list, tuple)):
        return ";".join(str(part) for part in value)
    return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """A query made ready to run: the object, the query, and its columns by the names of the header."""

    sobject: SObject
    query: Query
    columns: tuple[Column, ...]
    related: Columns

    @property
    def header(self) -> list[str]:
        """The names over the columns."""
        return [".".join(column.path) for column in self.columns]


def extract(org: Org, soql: str, by: Author) -> Extract:
    """Make a query ready; raises RefusedCall as the query resource does, or for what bulk queries may not do."""
    refuse_unsupported(soql)
    query = parse(soql.strip())
    sobject = org.schema.find(query.sobject)
    if sobject is None or not by.rights.reads(sobject.name):
        raise refused(400, "INVALID_TYPE", f"sObject type '{query.sobject}' is not supported.")
    columns = org.columns(sobject, by)
    return Extract(sobject=sobject, query=query, columns=tuple(_selected(query, columns)), related=columns)


def _selected(query: Query, columns: Columns) -> Iterator[Column]:
    for item in query.selected:
        if isinstance(item, Aggregate):
            raise unsupported("Aggregate Queries")
        for path in [(name,) for name in columns.names(item.which)] if isinstance(item, Fields) else [item]:
            yield columns.find(path)


def lines_of(org: Org, walks: Walks[str], made: Extract, form: Form, *, with_deleted: bool) -> Iterator[str]:
    """Yield the result line by line; records that go away meanwhile are left out.

    What is found is settled now; a large result in the store's own order is read as it is asked for.
    """
    kind = made.sobject.name
    wanted = search(org.store, org.space, made.sobject, made.query, made.related, with_deleted=with_deleted)
    span, now = wanted.span(), stamp(org.clock())
    if span is None:
        walk = walks.open("", wanted.found().ids, "", opened=now)
    else:
        newest = org.store.newest(org.space, kind) or now  # a clock set back does not hide records
        walk = walks.open_span("", span, "", total=0, opened=max(now, newest), after=wanted.begins)
    try:
        start: int | None = 0
        while start is not None and (page := walks.read(walk, start, CHUNK, space=org.space, kind=kind)) is not None:
            made.related.forget_related()
            for record in page.docs:
                yield form.line([cell(column.read(record), column) for column in made.columns])
            start = page.next
    finally:
        walks.forget(walk.name)
