"""Answering a parsed query: conditions pushed to the store where it has an index, checked on every record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sandbox.calls import RefusedCall
from sandbox.salesforce.columns import Column, Columns, Moment, Record
from sandbox.salesforce.date_literals import span_of
from sandbox.salesforce.errors import malformed_query, refused
from sandbox.salesforce.ids import eighteen
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql import AllOf, AnyOf, Compare, Cond, Like, Not, Order, Query, Within
from sandbox.stamps import salesforce
from sandbox.store import Store

Test = Callable[[Record], bool]
_STAMPED = {"systemmodstamp", "lastmodifieddate", "createddate"}  # none of them is later than the stamp
_LITERALS = {
    "datetime": "instant",
    "date": "day",
    "boolean": "boolean",
    "double": "number",
    "currency": "number",
    "int": "number",
    "percent": "number",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the store can narrow down by itself; every bound may let too much through, never too little."""

    since: str | None = None
    until: str | None = None
    ids: tuple[str, ...] | None = None
    parents: tuple[str, ...] | None = None


def found_ids(
    store: Store, space: str, sobject: SObject, query: Query, columns: Columns, *, with_deleted: bool
) -> list[str]:
    """Return the ids of all matching records in the order asked for (by id when none was)."""
    test = compiled(query.where, columns) if query.where is not None else None
    keys = [(order, columns.find(order.path)) for order in query.order]
    bounds = _bounds(query.where, sobject) if query.where is not None else Bounds()
    hits = [
        (str(record["Id"]), [column.read(record) for _, column in keys])
        for record in _narrowed(store, space, sobject, bounds)
        if (with_deleted or not record.get("IsDeleted")) and (test is None or test(record)) and columns.visible(record)
    ]
    hits.sort(key=lambda hit: hit[0])
    for place in range(len(keys) - 1, -1, -1):
        order, folded = keys[place][0], _folding(keys[place][1])
        hits.sort(key=lambda hit: _sort_key(hit[1][place], order, folded), reverse=order.descending)
    ids = [id_ for id_, _ in hits[query.offset :]]
    return ids if query.limit is None else ids[: query.limit]


def _sort_key(value: Any, order: Order, folded: Callable[[Any], Any]) -> tuple[bool, Any]:
    shown = None if value is None else folded(value)
    if shown is None:
        return (order.nulls_last is not order.descending, "")
    return (order.nulls_last is order.descending, shown)


def _narrowed(store: Store, space: str, sobject: SObject, bounds: Bounds) -> Iterator[Record]:
    if bounds.ids is not None:
        return iter(store.pick(space, sobject.name, bounds.ids).values())
    if bounds.parents is not None:
        return store.find_all(space, sobject.name, bounds.parents)
    return store.scan(space, sobject.name, since=bounds.since, until=bounds.until)


def _bounds(cond: Cond, sobject: SObject) -> Bounds:
    if isinstance(cond, AllOf):
        parts = [_bounds(part, sobject) for part in cond.conds]
        return Bounds(
            since=max((part.since for part in parts if part.since), default=None),
            until=min((part.until for part in parts if part.until), default=None),
            ids=next((part.ids for part in parts if part.ids is not None), None),
            parents=next((part.parents for part in parts if part.parents is not None), None),
        )
    if isinstance(cond, AnyOf):
        parts = [_bounds(part, sobject) for part in cond.conds]
        since = [part.since for part in parts if part.since is not None]
        return Bounds(since=min(since) if len(since) == len(parts) else None)
    if isinstance(cond, Compare) and len(cond.path) == 1:
        if cond.value.kind == "instant" and cond.path[0].lower() in _STAMPED:
            return _stamp_bounds(cond, sobject)
        if cond.op == "=" and cond.value.kind == "text":
            return _key_bounds(cond.path[0], [cond.value.value], sobject)
    if isinstance(cond, Within) and not cond.negated and len(cond.path) == 1:
        return _key_bounds(cond.path[0], [value.value for value in cond.values], sobject)
    return Bounds()


def _stamp_bounds(cond: Compare, sobject: SObject) -> Bounds:
    second = str(cond.value.value)[:19]
    lower = f"{second}.000000Z" if cond.op in {">", ">=", "="} else None
    exact = cond.path[0].lower() == "systemmodstamp" and not sobject.name.startswith("ProcessInstance")
    upper = f"{second}.999999Z" if exact and cond.op in {"<", "<=", "="} else None
    return Bounds(since=lower, until=upper)


def _key_bounds(column: str, values: list[Any], sobject: SObject) -> Bounds:
    if not all(isinstance(value, str) for value in values):
        return Bounds()
    keys = tuple(dict.fromkeys(eighteen(value) for value in values))
    if column.lower() == "id":
        return Bounds(ids=keys)
    if sobject.parent is not None and column.lower() == sobject.parent.lower():
        return Bounds(parents=keys)
    return Bounds()


def compiled(cond: Cond, columns: Columns) -> Test:
    """Return the condition as a test of one record; raises RefusedCall for columns that cannot be asked."""
    if isinstance(cond, AllOf):
        tests = [compiled(part, columns) for part in cond.conds]
        return lambda record: all(test(record) for test in tests)
    if isinstance(cond, AnyOf):
        tests = [compiled(part, columns) for part in cond.conds]
        return lambda record: any(test(record) for test in tests)
    if isinstance(cond, Not):
        inner = compiled(cond.cond, columns)
        return lambda record: not inner(record)
    column = columns.find(cond.path)
    if not column.filterable:
        name = ".".join(column.path)
        raise refused(400, "INVALID_FIELD", f"field '{name}' can not be filtered in a query call")
    if isinstance(cond, Like):
        return _like(cond, column)
    if isinstance(cond, Within):
        return _within(cond, column, columns.moment)
    return _compare(cond, column, columns.moment)


def _compare(cond: Compare, column: Column, moment: Moment) -> Test:
    if cond.value.kind == "span":
        return _against_span(cond, column, moment)
    want = _literal(cond.value.kind, cond.value.value, column)
    read, folded = column.read, _folding(column)
    if want is None:
        if cond.op == "=":
            return lambda record: read(record) is None
        if cond.op == "!=":
            return lambda record: read(record) is not None
        raise refused(400, "INVALID_FIELD", f"invalid operator on {'.'.join(column.path)} field")
    if cond.op == "=":
        return lambda record: folded(read(record)) == want
    if cond.op == "!=":
        return lambda record: folded(read(record)) != want
    if column.type == "boolean":
        raise refused(400, "INVALID_FIELD", f"invalid operator on {'.'.join(column.path)} field")
    tests: dict[str, Callable[[Any], bool]] = {
        "<": lambda value: value < want,
        "<=": lambda value: value <= want,
        ">": lambda value: value > want,
        ">=": lambda value: value >= want,
    }
    passes = tests[cond.op]
    return lambda record: (value := folded(read(record))) is not None and passes(value)


def _against_span(cond: Compare, column: Column, moment: Moment) -> Test:
    """Compare with a date literal: `=` means within it, `<` before it begins, `>` after it ends."""
    first, behind = _span(cond.value.value, column, moment)
    read = column.read
    tests: dict[str, Callable[[Any], bool]] = {
        "=": lambda value: first <= value < behind,
        "<": lambda value: value < first,
        "<=": lambda value: value < behind,
        ">": lambda value: value >= behind,
        ">=": lambda value: value >= first,
    }
    if cond.op == "!=":
        return lambda record: (value := read(record)) is None or not first <= value < behind
    passes = tests[cond.op]
    return lambda record: (value := read(record)) is not None and passes(value)


def _span(literal: str, column: Column, moment: Moment) -> tuple[str, str]:
    if column.type not in {"date", "datetime"}:
        raise _wrong_sort(column, "span")
    try:
        first, behind = span_of(literal, moment.now.astimezone(moment.zone).date())
        if column.type == "date":
            return first.isoformat(), behind.isoformat()
        first_at, behind_at = (datetime.combine(day, time(), moment.zone) for day in (first, behind))
        return salesforce(first_at), salesforce(behind_at)
    except (ValueError, OverflowError) as error:
        raise malformed_query(str(error)) from error


def _within(cond: Within, column: Column, moment: Moment) -> Test:
    parts = [_compare(Compare(path=cond.path, op="=", value=value), column, moment) for value in cond.values]
    if any(value.kind == "span" for value in cond.values):
        return lambda record: any(part(record) for part in parts) is not cond.negated
    wanted = {_literal(value.kind, value.value, column) for value in cond.values}
    read, folded = column.read, _folding(column)
    if cond.negated:
        return lambda record: folded(read(record)) not in wanted
    return lambda record: folded(read(record)) in wanted


def _like(cond: Like, column: Column) -> Test:
    pattern = "".join(
        part[1] if part[0] == "\\" else {"%": ".*", "_": "."}.get(part, re.escape(part))
        for part in re.findall(r"\\[%_]|.", cond.pattern, re.DOTALL)
    )
    matches, read = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch, column.read
    return lambda record: (value := read(record)) is not None and matches(str(value)) is not None


def _folding(column: Column) -> Callable[[Any], Any]:
    """Return how values of a column are compared; a value of the wrong sort (the field had another type) is none."""
    kind = column.type
    if kind in {"id", "reference"}:
        return lambda value: None if value is None else eighteen(str(value))
    if kind == "boolean":
        return bool
    if _LITERALS.get(kind) == "number":
        return lambda value: value if isinstance(value, (int, float)) else None
    if kind in {"date", "datetime"}:
        return lambda value: value if isinstance(value, str) else None
    return lambda value: None if value is None else str(value).lower()


def _literal(kind: str, value: Any, column: Column) -> Any:
    """Return the literal as the column's values are compared; refuses a literal of the wrong sort."""
    must = _LITERALS.get(column.type, "text")
    if kind not in {"null", must}:
        raise _wrong_sort(column, kind)
    return _folding(column)(value)


def _wrong_sort(column: Column, kind: str) -> RefusedCall:
    wanted = {"datetime": "dateTime", "date": "date", "boolean": "boolean", "double": "number", "currency": "number"}
    quotes = " and should not be enclosed in quotes" if kind == "text" else ""
    text = f"value of filter criterion for field '{'.'.join(column.path)}' must be of type "
    return refused(400, "INVALID_FIELD", f"{text}{wanted.get(column.type, 'string')}{quotes}")
