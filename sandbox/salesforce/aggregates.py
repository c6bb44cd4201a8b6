"""Grouped queries: GROUP BY with COUNT, COUNT_DISTINCT, SUM, AVG, MIN and MAX; every row is an AggregateResult."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.calls import RefusedCall
from sandbox.salesforce.columns import Column, Columns, Record
from sandbox.salesforce.errors import malformed_query, refused
from sandbox.salesforce.soql import Aggregate, Fields, Query

_NUMBERS = {"double", "currency", "percent", "int"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fold:
    """How values that are not null come to one, one after the other: a group of any size takes no more room."""

    begin: Callable[[], Any]
    step: Callable[[Any, Any], Any]
    end: Callable[[Any], Any] = lambda held: held


def _nothing() -> Any:
    return None


_OF: dict[str, _Fold] = {
    "COUNT": _Fold(begin=int, step=lambda count, _: count + 1),
    "COUNT_DISTINCT": _Fold(begin=set, step=lambda held, value: held.add(str(value)) or held, end=len),
    "SUM": _Fold(begin=_nothing, step=lambda held, value: value if held is None else held + value),
    "AVG": _Fold(
        begin=lambda: (0, 0),
        step=lambda held, value: (held[0] + value, held[1] + 1),
        end=lambda held: held[0] / held[1] if held[1] else None,
    ),
    "MIN": _Fold(begin=_nothing, step=lambda held, value: value if held is None else min(held, value)),
    "MAX": _Fold(begin=_nothing, step=lambda held, value: value if held is None else max(held, value)),
}
# a column that is grouped by has one value: that of the first record
_GROUPED = _Fold(begin=_nothing, step=lambda held, value: value if held is None else held)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """One column of the result: its name, what it reads, and what it makes of the values."""

    name: str
    column: Column
    fold: _Fold


def is_grouped(query: Query) -> bool:
    """Whether a query asks for groups rather than for records."""
    return bool(query.group) or any(isinstance(item, Aggregate) for item in query.selected)


def grouped(query: Query, columns: Columns, records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return the result rows in order of their groups; raises RefusedCall for what cannot be grouped.

    ORDER BY of such a query may name grouped columns only; HAVING, ROLLUP and CUBE are not part of the subset.
    """
    keys = [columns.find(path) for path in query.group]
    cells = list(_cells(query, columns, {key.path for key in keys}))
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for record in records:
        key = tuple(column.read(record) for column in keys)
        if key not in groups:
            groups[key] = [cell.fold.begin() for cell in cells]
        held = groups[key]
        for nth, cell in enumerate(cells):
            value = cell.column.read(record)
            if value is not None:
                held[nth] = cell.fold.step(held[nth], value)
    if not keys:
        groups.setdefault((), [cell.fold.begin() for cell in cells])
    rows = [(key, _row(cells, held)) for key, held in groups.items()]
    for order in reversed(query.order):
        path = columns.find(order.path).path
        place = next((n for n, key in enumerate(keys) if key.path == path), None)
        if place is None:
            raise malformed_query(f"Ordered field must be grouped or aggregated: {'.'.join(path)}")
        rows.sort(key=lambda row, place=place: _sortable(row[0][place]), reverse=order.descending)  # type: ignore[misc]  # mypy has no type for a lambda's default
    if not query.order:
        rows.sort(key=lambda row: [_sortable(part) for part in row[0]])
    told = [row for _, row in rows][query.offset :]
    return told if query.limit is None else told[: query.limit]


def _cells(query: Query, columns: Columns, keys: set[tuple[str, ...]]) -> Iterable[_Cell]:
    unnamed = 0
    for item in query.selected:
        if isinstance(item, Fields):
            raise malformed_query("The SOQL FIELDS function is not supported with GROUP BY")
        if isinstance(item, Aggregate):
            column = columns.find(item.path)
            if item.function in {"SUM", "AVG"} and column.type not in _NUMBERS:
                raise _unfit(item, column)
            name = item.alias or f"expr{unnamed}"
            unnamed += not item.alias
            yield _Cell(name=name, column=column, fold=_OF[item.function])
            continue
        column = columns.find(item)
        if column.path not in keys:
            raise malformed_query(f"Field must be grouped or aggregated: {'.'.join(column.path)}")
        yield _Cell(name=column.path[-1], column=column, fold=_GROUPED)


def _row(cells: Sequence[_Cell], held: Sequence[Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
    return told | {cell.name: cell.fold.end(value) for cell, value in zip(cells, held, strict=True)}


def _sortable(value: Any) -> tuple[bool, str | float]:
    if isinstance(value, (int, float)):
        return True, float(value)
    return value is not None, str(value or "").lower()


def _unfit(item: Aggregate, column: Column) -> RefusedCall:
    text = f"field {'.'.join(column.path)} does not support aggregate operator {item.function}"
    return refused(400, "INVALID_FIELD", text)
