"""Which records a listing is about: few of them by id, many by their place in the order of change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.airtable.access import Door, Visit
from sandbox.airtable.asking import sorts_of
from sandbox.airtable.behind import elsewhere
from sandbox.airtable.computed import Cells
from sandbox.airtable.conditions import Condition
from sandbox.airtable.errors import unknown_view
from sandbox.airtable.formula import Formula, compiled
from sandbox.airtable.tables import Table, views_of
from sandbox.airtable.values import KEPT, text
from sandbox.stamps import Clock, stamp
from sandbox.store import Store
from sandbox.walks import Key, Span

LARGE = 2_000  # records a listing looks at and then keeps the ids of; beyond, it keeps its place instead
_SORTABLE = 1000  # years from here on are written with four digits, so that stamps sort as text
Sorts = list[tuple[str, bool]]  # field ids, each with whether downwards


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """A listing of so many records that only its place is kept."""

    span: Span
    opened: str  # stamp of the last change when it was opened
    condition: Condition | None
    elsewhere: list[Key]  # records whose place is not the one of their last change


class Finder:
    """Finds the records of listings in one space."""

    def __init__(self, store: Store, space: str, door: Door, clock: Clock) -> None:
        """Look into one space; the clock is what NOW() means."""
        self._store = store
        self._space = space
        self._door = door
        self._clock = clock

    def found(self, visit: Visit, table: Table, asked: Mapping[str, Any]) -> list[str] | Many:
        """Return the ids of the records in their order, or where they lie.

        Raises RefusedCall (422) for an unknown view, a formula that cannot be read, and a sort by no field.
        """
        view = _view(table, str(asked.get("view") or ""))
        formulas = self._formulas(table, str(asked.get("filterByFormula") or ""), str(view.get("_filter") or ""))
        # a lastModifiedTime field is never later than the record's own last change
        low = max((formula.since for formula in formulas if formula.since is not None), default=None)
        since = None if low is None or low.year < _SORTABLE else stamp(low)
        sorts = sorts_of(asked.get("sort")) or sorts_of(view.get("_sort"))
        keys = [(str(table.field(name)["id"]), down) for name, down in sorts]
        cells = Cells(self._store, self._space, self._door.tables, self._clock)
        hides = not visit.caller.rights.sees_everything
        condition = None
        if formulas or hides:
            sees = (lambda id_: visit.sees(table.id, id_)) if hides else None
            condition = Condition(table, formulas, cells, sees=sees)
        if _in_order_of_change(table, keys) and self._large(table, since):
            away = elsewhere(self._store, self._space, table, keys[0][0], since) if keys else []
            opened = self._store.newest(self._space, "record", parent=table.id) or ""
            span = Span(space=self._space, kind="record", since=since, parent=table.id, test=condition)
            return Many(span=span, opened=opened, condition=condition, elsewhere=away)
        if condition is None and not keys:
            return self._store.ids(self._space, "record", since=since, parent=table.id)
        return self._sorted(table, keys, cells, condition, since)

    def _large(self, table: Table, since: str | None) -> bool:
        return self._store.exceeds(self._space, "record", LARGE, since=since, parent=table.id)

    def _formulas(self, table: Table, *every: str) -> list[Formula]:
        watching = frozenset(str(field["id"]) for field in table.of_type("lastModifiedTime"))
        now, ids, kinds = self._clock(), table.ids, table.kinds
        return [compiled(words, fields=ids, modified_fields=watching, now=now, kinds=kinds) for words in every if words]

    def _sorted(
        self, table: Table, keys: Sorts, cells: Cells, condition: Condition | None, since: str | None
    ) -> list[str]:
        wanted = frozenset(id_ for id_, _ in keys)
        derived = not wanted.isdisjoint(str(field["id"]) for field in table.derived)
        hits: list[tuple[str, list[Any]]] = []
        for record in self._store.scan(self._space, "record", since=since, parent=table.id):
            if condition is None or condition(record):
                held = cells.of(table, record, wanted=wanted) if derived else record["fields"]
                hits.append((str(record["id"]), [_held(held.get(id_)) for id_, _ in keys]))
        for place in range(len(keys) - 1, -1, -1):
            order = _order(table, keys[place][0])
            hits.sort(key=lambda hit: _sort_key(hit[1][place], order), reverse=keys[place][1])
        return [id_ for id_, _ in hits]


def _in_order_of_change(table: Table, keys: Sorts) -> bool:
    """Whether the order asked for is the store's own; a field of the last change tells when a record moved."""
    return not keys or (len(keys) == 1 and not keys[0][1] and table.by_id[keys[0][0]]["type"] == "lastModifiedTime")


def _view(table: Table, name: str) -> Mapping[str, Any]:
    if not name:
        return {}
    found = next((view for view in views_of(table.doc) if name in {view.get("id"), view.get("name")}), None)
    if found is None:
        raise unknown_view(name)
    return found


def _order(table: Table, field: str) -> Mapping[str, int]:
    """Return the place of each option of a select: options sort in their own order, not by name."""
    known = table.by_id[field]
    selects = known["type"] in {"singleSelect", "multipleSelects"}
    choices = (known.get("options") or {}).get("choices") or [] if selects else []
    return {str(choice.get("name")): place for place, choice in enumerate(choices)}


def _held(value: Any) -> Any:
    return value if value or type(value) in KEPT else None


def _sort_key(value: Any, order: Mapping[str, int]) -> tuple[int, float, str]:
    if value is None:
        return (0, 0, "")
    if isinstance(value, str) and value in order:
        return (1, order[value], "")
    if isinstance(value, (int, float)):
        return (1, float(value), "")
    return (2, 0, text(value).lower())
