"""All cells of a record as they are read: what is stored, and what is worked out from it and its links."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.airtable.formula import Formula, compiled, references, row_of
from sandbox.airtable.functions import ERROR, FUNCTIONS
from sandbox.airtable.tables import LINKED, Table, Tables
from sandbox.airtable.values import KEPT, BrokenValue, empty
from sandbox.calls import RefusedCall
from sandbox.stamps import Clock, airtable, parsed
from sandbox.store import Doc, Store

_DEEPEST = 4  # lookups of lookups
_STAMP = len("2026-01-01T00:00:00.000000Z")
_MILLISECONDS = len("2026-01-01T00:00:00.000")
Record = Mapping[str, Any]
Work = Callable[[Record, Any], Any]  # the value of a cell, from its record and what is stored in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """The fields of a table whose cells are worked out: from the record itself, over its links, by formulas."""

    own: tuple[tuple[str, Work], ...]
    linked: tuple[Record, ...]
    formulas: bool


class Cells:
    """Reads the cells of records for the length of one request; formulas and linked tables are looked up once."""

    def __init__(self, store: Store, space: str, tables: Tables, clock: Clock) -> None:
        """Read from one space; the clock is what NOW() means."""
        self._store = store
        self._space = space
        self._tables = tables
        self._now = clock()
        self._works: Mapping[str, Work] = {
            "createdTime": lambda record, stored: stored or record["createdTime"],
            "lastModifiedTime": _last_modified,
            "createdBy": lambda record, stored: stored or self._person(record.get("_createdBy")),
            "lastModifiedBy": lambda record, stored: stored or self._person(record.get("_modifiedBy")),
        }
        self._known: dict[str, Table | None] = {}
        self._formulas: dict[str, list[tuple[str, Formula | None]]] = {}
        self._people: dict[str, Any] = {}
        self._derived: dict[tuple[str, frozenset[str] | None], Derived] = {}
        self._near: dict[str, Any] = {}

    def of(
        self, table: Table, record: Record, *, depth: int = 0, wanted: frozenset[str] | None = None
    ) -> dict[str, Any]:
        """Return the cells that hold something, by field id; not all of them where only some are `wanted`."""
        cells = {id_: value for id_, value in record["fields"].items() if value or type(value) in KEPT}
        if not table.derived:
            return cells
        derived = self.derived(table, wanted)
        for id_, work in derived.own:
            _put(cells, id_, work(record, cells.get(id_)))
        for field in derived.linked:
            _put(cells, str(field["id"]), self._over_links(table, record, field, str(field["type"]), depth))
        if derived.formulas:
            self._worked_out(table, record, cells)
        return cells

    def derived(self, table: Table, wanted: frozenset[str] | None) -> Derived:
        """Return what has to be worked out so that the wanted cells (None: all) can be read."""
        known = self._derived.get((table.id, wanted))
        if known is None:
            fields = [field for field in table.derived if wanted is None or field["id"] in wanted]
            if any(field["type"] == "formula" for field in fields):
                fields = list(table.derived)  # it may be about any of them
            known = self._derived[table.id, wanted] = Derived(
                own=tuple((str(one["id"]), self._works[one["type"]]) for one in fields if one["type"] in self._works),
                linked=tuple(field for field in fields if field["type"] in LINKED),
                formulas=any(field["type"] == "formula" for field in fields),
            )
        return known

    def expect(self, table: Table, records: Iterable[Record]) -> None:
        """Look up at once what the cells of these records show of others; forgotten with the next such call."""
        linked = self.derived(table, None).linked
        links = {str((field.get("options") or {}).get("recordLinkFieldId") or "") for field in linked}
        ids: set[str] = set()
        for record in records if links else ():
            for link in links:
                value = record["fields"].get(link)
                if isinstance(value, list):
                    ids.update(str(id_) for id_ in value)
        self._near = dict(self._store.pick(self._space, "record", sorted(ids))) if ids else {}

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
        found = self._near
        if not found.keys() >= set(ids):
            found = self._store.pick(self._space, "record", [str(id_) for id_ in ids])
        return [(other, found[id_]) for id_ in ids if id_ in found]

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
            _put(cells, id_, _result(formula, record, cells))

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


def _put(cells: dict[str, Any], id_: str, value: Any) -> None:
    if empty(value):
        cells.pop(id_, None)
    else:
        cells[id_] = value


def fill(records: Iterable[Doc], derived: Derived) -> None:
    """Put what is worked out from each record itself into its cells."""
    for id_, work in derived.own:
        if work is _last_modified:  # every other table has such a field, so it is done without a call for each record
            for record in records:
                cells = record["fields"]
                if not cells.get(id_):
                    at = record.get("_modified") or ""
                    plain = len(at) == _STAMP and at[19] == "." and at[26] == "Z"  # as stamps are written
                    cells[id_] = f"{at[:_MILLISECONDS]}Z" if plain else _last_modified(record, None)
            continue
        for record in records:
            cells = record["fields"]
            cells[id_] = work(record, cells.get(id_))


def _last_modified(record: Record, stored: Any) -> Any:
    at = record.get("_modified")
    if stored or not at:
        return stored or None
    return airtable(parsed(str(at)))


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
