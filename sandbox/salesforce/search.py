"""Answering a parsed query: conditions pushed to the store where it has an index, checked on every record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.columns import Column, Columns, Record
from sandbox.salesforce.errors import refused
from sandbox.salesforce.ids import eighteen
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql import AllOf, AnyOf, Compare, Cond, Like, Not, Order, Query, Within
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
_TEXTUAL = {"string", "picklist", "textarea", "email", "url", "phone", "combobox"}


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
        if (with_deleted or not record.get("IsDeleted")) and (test is None or test(record))
    ]
    hits.sort(key=lambda hit: hit[0])
    for place in range(len(keys) - 1, -1, -1):
        order = keys[place][0]
        hits.sort(key=lambda hit: _sort_key(hit[1][place], order), reverse=order.descending)
    ids = [id_ for id_, _ in hits[query.offset :]]
    return ids if query.limit is None else ids[: query.limit]


def _sort_key(value: Any, order: Order) -> tuple[bool, Any]:
    if value is None:
        return (order.nulls_last is not order.descending, "")
    present = order.nulls_last is order.descending
    return (present, value.lower() if isinstance(value, str) and not value[:4].isdigit() else value)


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
        return _within(cond, column)
    return _compare(cond, column)


def _compare(cond: Compare, column: Column) -> Test:
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
    tests: dict[str, Callable[[Any], bool]] = {
        "<": lambda value: value < want,
        "<=": lambda value: value <= want,
        ">": lambda value: value > want,
        ">=": lambda value: value >= want,
    }
    passes = tests[cond.op]
    return lambda record: (value := folded(read(record))) is not None and passes(value)


def _within(cond: Within, column: Column) -> Test:
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
    if column.type in {"id", "reference"}:
        return lambda value: None if value is None else eighteen(str(value))
    if column.type in _TEXTUAL:
        return lambda value: value.lower() if isinstance(value, str) else value
    if column.type == "boolean":
        return bool
    return lambda value: value


def _literal(kind: str, value: Any, column: Column) -> Any:
    """Return the literal as the column's values are compared; refuses a literal of the wrong sort."""
    wanted = {
        "datetime": "instant",
        "date": "day",
        "boolean": "boolean",
        "double": "number",
        "currency": "number",
    }
    must = wanted.get(column.type, "text")
    if kind not in {"null", must}:
        quotes = " and should not be enclosed in quotes" if kind == "text" else ""
        name = {"instant": "dateTime", "day": "date", "text": "string"}.get(must, must)
        raise refused(
            400,
            "INVALID_FIELD",
            f"value of filter criterion for field '{'.'.join(column.path)}' must be of type {name}{quotes}",
        )
    return _folding(column)(value)
