"""Listing records: formulas, views, sorting, and page offsets that stay stable while records change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from sandbox.airtable.access import Door, Visit
from sandbox.airtable.computed import Cells
from sandbox.airtable.errors import bad_body, bad_request, refused, unknown_view
from sandbox.airtable.formula import compiled, row_of
from sandbox.airtable.iterators import Iterators
from sandbox.airtable.printing import Plan, printed, style_of
from sandbox.airtable.tables import Table, views_of
from sandbox.airtable.values import text
from sandbox.calls import Answer, Call, reply
from sandbox.stamps import Clock, stamp
from sandbox.store import Store

_MOST = 100  # records on a page
_SORTABLE = 1000  # years from here on are written with four digits, so that stamps sort as text


class Listing:
    """Lists the records of a space's tables."""

    def __init__(self, store: Store, space: str, door: Door, clock: Clock) -> None:
        """List from one space; the clock is what NOW() means, and what offsets expire by."""
        self._store = store
        self._space = space
        self._door = door
        self._clock = clock
        settings = next(store.scan(space, "_settings", limit=1), {})
        self.iterators = Iterators(idle_seconds=float(settings.get("offset_seconds") or 300))

    def page(self, call: Call) -> Answer:
        """Return the page asked for, by GET or by POST listRecords."""
        visit = self._door.enter(call, scope="data.records:read")
        table = self._door.table(visit, call)
        asked = {**_listing(call), **object_body(call)} if call.method == "POST" else _listing(call)
        offset = asked.get("offset")
        if offset:
            return self._further(visit, table, str(offset))
        size = _number(asked.get("pageSize"), _MOST, most=_MOST)
        plan = Plan(
            table=table.id,
            fields=_wanted(table, asked),
            by_id=flag(asked.get("returnFieldsByFieldId")),
            counts="commentCount" in _texts(asked.get("recordMetadata")),
            size=size,
            style=style_of(asked),
        )
        ids = self._found(visit, table, asked)
        most = asked.get("maxRecords")
        if most is not None and most != "":
            ids = ids[: _number(most, 0, most=10**9)]
        token = None
        if len(ids) > size:
            walk = self.iterators.open(visit.caller.user, ids, plan, self._clock())
            token = walk.offset(size)
        return self._printed(visit, table, plan, ids[:size], token)

    def _found(self, visit: Visit, table: Table, asked: Mapping[str, Any]) -> list[str]:
        view = self._view(table, str(asked.get("view") or ""))
        tests, low, now = [], None, self._clock()
        watching = frozenset(str(field["id"]) for field in table.of_type("lastModifiedTime"))
        for words in (str(asked.get("filterByFormula") or ""), str(view.get("_filter") or "")):
            if words:
                formula = compiled(words, fields=table.ids, modified_fields=watching, now=now, kinds=table.kinds)
                tests.append(formula.test)
                # a lastModifiedTime field is never later than the record's own last change
                low = max(filter(None, (low, formula.since)), default=None)
        sorts = _sorts(asked.get("sort")) or _sorts(view.get("_sort"))
        keys = [(str(table.field(name)["id"]), down) for name, down in sorts]
        cells_of = Cells(self._store, self._space, self._door.tables, self._clock)
        everything = visit.caller.rights.sees_everything
        hits = []
        since = None if low is None or low.year < _SORTABLE else stamp(low)
        for record in self._store.scan(self._space, "record", since=since, parent=table.id):
            if not everything and not visit.sees(table.id, str(record["id"])):
                continue
            cells = cells_of.of(table, record) if tests or keys else {}
            row = row_of(record, cells) if tests else None
            if row is None or all(test(row) for test in tests):
                hits.append((str(record["id"]), [cells.get(id_) for id_, _ in keys]))
        for place in range(len(keys) - 1, -1, -1):
            order = _order(table, keys[place][0])
            hits.sort(key=lambda hit: _sort_key(hit[1][place], order), reverse=keys[place][1])
        return [id_ for id_, _ in hits]

    def _view(self, table: Table, name: str) -> Mapping[str, Any]:
        if not name:
            return {}
        found = next((view for view in views_of(table.doc) if name in {view.get("id"), view.get("name")}), None)
        if found is None:
            raise unknown_view(name)
        return found

    def _further(self, visit: Visit, table: Table, offset: str) -> Answer:
        if not re.fullmatch(r"itr\w+/\w+", offset):
            raise refused(422, "INVALID_OFFSET_VALUE", f"The value of offset {offset} is invalid")
        found = self.iterators.find(offset, self._clock())
        if found is None or found[0].plan.table != table.id:
            raise refused(422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")
        walk, start = found
        end = start + walk.plan.size
        token = walk.offset(end) if end < len(walk.ids) else None
        return self._printed(visit, table, walk.plan, walk.ids[start:end], token)

    def _printed(self, visit: Visit, table: Table, plan: Plan, ids: list[str], token: str | None) -> Answer:
        records = self._store.pick(self._space, "record", ids)
        cells = Cells(self._store, self._space, self._door.tables, self._clock)
        told: dict[str, Any] = {"records": []}
        for id_ in ids:
            if id_ in records and visit.sees(table.id, id_):
                comments = self._store.count(self._space, "comment", parent=id_) if plan.counts else 0
                told["records"].append(printed(cells, table, records[id_], plan, comments=comments))
        if token is not None:
            told["offset"] = token
        return reply(told)


def _wanted(table: Table, asked: Mapping[str, Any]) -> frozenset[str] | None:
    names = _texts(asked.get("fields"))
    return frozenset(str(table.field(name)["id"]) for name in names) if names else None


def _listing(call: Call) -> dict[str, Any]:
    """Read the query form of a listing: `fields[]`, `sort[0][field]` and so on."""
    asked: dict[str, Any] = {
        name: call.one(name)
        for name in (
            "filterByFormula", "offset", "pageSize", "maxRecords", "returnFieldsByFieldId", "view", "cellFormat",
            "timeZone", "userLocale",
        )
    }  # fmt: skip
    for name in ("fields", "recordMetadata"):  # plain, with brackets, or with a number in them
        form = re.compile(rf"{name}(\[\d*\])?")
        asked[name] = [value for key, value in call.query if form.fullmatch(key)]
    sorts: dict[str, dict[str, str]] = {}
    for name, value in call.query:
        match = re.fullmatch(r"sort\[(\d{1,4})\]\[(field|direction)\]", name)
        if match:
            sorts.setdefault(match[1], {})[match[2]] = value
    asked["sort"] = [sorts[key] for key in sorted(sorts, key=int)]
    return asked


def _sorts(wanted: Any) -> list[tuple[str, bool]]:
    """Return the fields to sort by, each with whether downwards."""
    if not isinstance(wanted or [], list):
        raise bad_request()
    sorts = []
    for sort in wanted or []:
        if not isinstance(sort, Mapping) or not isinstance(sort.get("field"), str):
            raise bad_request()
        if sort.get("direction", "asc") not in {"asc", "desc"}:
            raise bad_request()
        sorts.append((str(sort["field"]), sort.get("direction") == "desc"))
    return sorts


def _order(table: Table, field: str) -> Mapping[str, int]:
    """Return the place of each option of a select: options sort in their own order, not by name."""
    known = table.by_id[field]
    selects = known["type"] in {"singleSelect", "multipleSelects"}
    choices = (known.get("options") or {}).get("choices") or [] if selects else []
    return {str(choice.get("name")): place for place, choice in enumerate(choices)}


def _sort_key(value: Any, order: Mapping[str, int]) -> tuple[int, float, str]:
    if value is None:
        return (0, 0, "")
    if isinstance(value, str) and value in order:
        return (1, order[value], "")
    if isinstance(value, (int, float)):
        return (1, float(value), "")
    return (2, 0, text(value).lower())


def _texts(value: Any) -> list[str]:
    if isinstance(value, str) and value:
        return [value]
    if value in (None, ""):
        return []
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise bad_request()
    return value


def flag(value: Any) -> bool:
    """Whether a flag is set, in its query or its JSON form."""
    return value is True or value in ("1", "true", 1)


def _number(value: Any, default: int, *, most: int) -> int:
    if value is None or value == "":
        return default
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise bad_request() from error
    if not 0 < number <= most:
        raise bad_request()
    return number


def object_body(call: Call) -> dict[str, Any]:
    """Return the body; raises RefusedCall (400) when it is not a JSON object."""
    try:
        body = call.json()
    except orjson.JSONDecodeError as error:
        raise bad_body() from error
    if not isinstance(body, dict):
        raise bad_body()
    return body
