"""All cells of a record as they are read: what is stored, and what is worked out from it and its links."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.airtable.formula import Formula, compiled, references, row_of
from sandbox.airtable.functions import ERROR, FUNCTIONS
from sandbox.airtable.tables import LINKED, Table, Tables
from sandbox.airtable.values import BrokenValue, empty
from sandbox.calls import RefusedCall
from sandbox.stamps import Clock, airtable, parsed
from sandbox.store import Store

_DEEPEST = 4  # lookups of lookups
Record = Mapping[str, Any]


class Cells:
    """Reads the cells of records for the length of one request; formulas and linked tables are looked up once."""

    def __init__(self, store: Store, space: str, tables: Tables, clock: Clock) -> None:
        """Read from one space; the clock is what NOW() means."""
        self._store = store
        self._space = space
        self._tables = tables
        self._now = clock()
        self._known: dict[str, Table | None] = {}
        self._formulas: dict[str, list[tuple[str, Formula | None]]] = {}
        self._people: dict[str, Any] = {}

    def of(self, table: Table, record: Record, *, depth: int = 0) -> dict[str, Any]:
        """Return the cells that hold something, by field id."""
        cells = {id_: value for id_, value in record["fields"].items() if not empty(value)}
        if not table.derived:
            return cells
        formulas = False
        for field in table.derived:
            kind, id_ = str(field["type"]), str(field["id"])
            if kind == "formula":
                formulas = True
                continue
            value = self._derived(table, record, field, kind, cells, depth)
            if empty(value):
                cells.pop(id_, None)
            else:
                cells[id_] = value
        if formulas:
            self._worked_out(table, record, cells)
        return cells

    def table(self, id_: str) -> Table | None:
        """Return a table by its id, or None; looked up once."""
        if id_ not in self._known:
            self._known[id_] = self._tables.get(id_)
        return self._known[id_]

    def linked(self, table: Table, record: Record, link: str) -> list[tuple[Table, Record]]:
        """Return the records behind a link field, in its order, each with its table."""
        field = table.by_id.get(link)
        ids = record["fields"].get(link) or []
        other = self.table(str(((field or {}).get("options") or {}).get("linkedTableId") or ""))
        if other is None or not isinstance(ids, list):
            return []
        found = self._store.pick(self._space, "record", [str(id_) for id_ in ids])
        return [(other, found[id_]) for id_ in ids if id_ in found]

    def _derived(
        self, table: Table, record: Record, field: Record, kind: str, cells: Mapping[str, Any], depth: int
    ) -> Any:
        stored = cells.get(str(field["id"]))
        if kind == "createdTime":
            return stored or record["createdTime"]
        if kind == "lastModifiedTime":
            at = record.get("_modified")
            return stored or (airtable(parsed(str(at))) if at else None)
        if kind == "createdBy":
            return stored or self._person(record.get("_createdBy"))
        if kind == "lastModifiedBy":
            return stored or self._person(record.get("_modifiedBy"))
        if kind in LINKED:
            return self._over_links(table, record, field, kind, depth)
        return stored

    def _person(self, user: Any) -> Any:
        if not user:
            return None
        if user not in self._people:
            known = self._store.get(self._space, "collaborator", str(user)) or {"id": user}
            self._people[user] = {key: known[key] for key in ("id", "email", "name") if key in known}
        return self._people[user]

    def _over_links(self, table: Table, record: Record, field: Record, kind: str, depth: int) -> Any:
        options = field.get("options") or {}
        link = str(options.get("recordLinkFieldId") or "")
        if kind == "count":
            return len(record["fields"].get(link) or [])
        wanted, values = str(options.get("fieldIdInLinkedTable") or ""), []
        if depth < _DEEPEST:
            for other, linked in self.linked(table, record, link):
                value = self.of(other, linked, depth=depth + 1).get(wanted)
                values.extend(value if isinstance(value, list) else [] if value is None else [value])
        return _rolled_up(str(field.get("_aggregate") or "ARRAYJOIN"), values) if kind == "rollup" else values

    def _worked_out(self, table: Table, record: Record, cells: dict[str, Any]) -> None:
        for id_, formula in self._compiled(table):
            value = _result(formula, record, cells)
            if empty(value):
                cells.pop(id_, None)
            else:
                cells[id_] = value

    def _compiled(self, table: Table) -> list[tuple[str, Formula | None]]:
        """Return the formula fields, those that others build on first; None for one nobody can read."""
        if table.id in self._formulas:
            return self._formulas[table.id]
        whole = self.table(table.id) or table  # a formula sees fields its reader may not
        waiting = {str(field["id"]): field for field in whole.of_type("formula")}
        watching = frozenset(str(field["id"]) for field in whole.of_type("lastModifiedTime"))
        ordered: list[tuple[str, Formula | None]] = []
        while waiting:
            free = [id_ for id_, field in waiting.items() if not (_needs(field, whole.ids) & waiting.keys() - {id_})]
            for id_ in free or list(waiting):  # a circle of formulas is worked out in any order
                words = str((waiting.pop(id_).get("options") or {}).get("formula") or "")
                ordered.append((id_, self._readable(words, whole, watching)))
        self._formulas[table.id] = ordered
        return ordered

    def _readable(self, words: str, table: Table, watching: frozenset[str]) -> Formula | None:
        try:
            return compiled(words, fields=table.ids, modified_fields=watching, now=self._now, kinds=table.kinds)
        except RefusedCall:
            return None


def _needs(field: Record, ids: Mapping[str, str]) -> set[str]:
    try:
        named = references(str((field.get("options") or {}).get("formula") or ""))
    except RefusedCall:
        return set()
    return {ids[name] for name in named if name in ids}


def _result(formula: Formula | None, record: Record, cells: Mapping[str, Any]) -> Any:
    if formula is None:
        return {"error": ERROR}
    try:
        value = formula.value(row_of(record, cells))
    except BrokenValue:
        return {"error": ERROR}
    if isinstance(value, datetime):
        return airtable(value)
    if isinstance(value, bool):
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _rolled_up(aggregate: str, values: Sequence[Any]) -> Any:
    name = aggregate.partition("(")[0].strip().upper()
    how: Callable[..., Any] | None = FUNCTIONS[name][2] if name in FUNCTIONS else None
    if how is None:
        return {"error": ERROR}
    try:
        value = how(list(values))
    except BrokenValue:
        return {"error": ERROR}
    return int(value) if isinstance(value, float) and value.is_integer() else value
