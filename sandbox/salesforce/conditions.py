"""Conditions of a query as tests of one record."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, time
from typing import Any

import re2

from sandbox.calls import RefusedCall
from sandbox.salesforce.columns import Column, Columns, Moment, Record
from sandbox.salesforce.date_literals import span_of
from sandbox.salesforce.errors import malformed_query, refused
from sandbox.salesforce.ids import eighteen
from sandbox.salesforce.soql import AllOf, AnyOf, Compare, Cond, Like, Not, Within
from sandbox.stamps import salesforce

Test = Callable[[Record], bool]
_LITERALS = {
    "datetime": "instant",
    "date": "day",
    "boolean": "boolean",
    "double": "number",
    "currency": "number",
    "int": "number",
    "percent": "number",
}


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
    read, folded = column.read, folding(column)
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
    read, folded = column.read, folding(column)
    if cond.negated:
        return lambda record: folded(read(record)) not in wanted
    return lambda record: folded(read(record)) in wanted


def _like(cond: Like, column: Column) -> Test:
    pattern = "".join(
        part[1] if part[0] == "\\" else {"%": ".*", "_": "."}.get(part, re2.escape(part))
        for part in re.findall(r"\\[%_]|.", cond.pattern, re.DOTALL)
    )
    # an engine that does not go back: many % over a long text would hold up every tool
    matches, read = re2.compile(f"(?is){pattern}").fullmatch, column.read
    return lambda record: (value := read(record)) is not None and matches(str(value)) is not None


def folding(column: Column) -> Callable[[Any], Any]:
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
    return folding(column)(value)


def _wrong_sort(column: Column, kind: str) -> RefusedCall:
    wanted = {"datetime": "dateTime", "date": "date", "boolean": "boolean", "double": "number", "currency": "number"}
    quotes = " and should not be enclosed in quotes" if kind == "text" else ""
    text = f"value of filter criterion for field '{'.'.join(column.path)}' must be of type "
    return refused(400, "INVALID_FIELD", f"{text}{wanted.get(column.type, 'string')}{quotes}")
