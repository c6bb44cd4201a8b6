"""Listing records: formulas, views, sorting, and page offsets that stay stable while records change."""

from __future__ import annotations

import re
from typing import Any

from sandbox.airtable.access import Door, Visit
from sandbox.airtable.asking import asked_of, flag, texts, wanted_fields, whole_number
from sandbox.airtable.computed import Cells
from sandbox.airtable.errors import refused
from sandbox.airtable.finding import Finder, Many
from sandbox.airtable.iterators import Iterators, Records
from sandbox.airtable.printing import Plan, Printer, style_of
from sandbox.airtable.tables import Table
from sandbox.calls import Answer, Call, reply
from sandbox.stamps import Clock
from sandbox.store import Store

_MOST = 100  # records on a page
_OFFSET = re.compile(r"itr\w+/\w+")


class Listing:
    """Lists the records of a space's tables."""

    def __init__(self, store: Store, space: str, door: Door, clock: Clock) -> None:
        """List from one space; the clock is what NOW() means, and what offsets expire by."""
        self._store = store
        self._space = space
        self._door = door
        self._clock = clock
        self._finder = Finder(store, space, door, clock)
        settings = next(store.scan(space, "_settings", limit=1), {})
        self.iterators = Iterators(store, space, idle_seconds=float(settings.get("offset_seconds") or 300))

    def page(self, call: Call) -> Answer:
        """Return the page asked for, by GET or by POST listRecords."""
        visit, table = self._door.reading(call, scope="data.records:read")
        asked = asked_of(call)
        offset = asked.get("offset")
        if offset:
            return self._further(visit, table, str(offset))
        plan = Plan(
            table=table.id,
            fields=wanted_fields(table, asked),
            by_id=flag(asked.get("returnFieldsByFieldId")),
            counts="commentCount" in texts(asked.get("recordMetadata")),
            size=whole_number(asked.get("pageSize"), _MOST, most=_MOST),
            style=style_of(asked),
        )
        found = self._finder.found(visit, table, asked)
        most = whole_number(asked.get("maxRecords"), 0, most=10**9) or None
        user, now = visit.caller.user, self._clock()
        if isinstance(found, Many):
            records = self.iterators.many(user, found, plan, now, most=most)
        else:
            records = self.iterators.few(user, found if most is None else found[:most], plan, now)
        return self._printed(visit, table, plan, records)

    def _further(self, visit: Visit, table: Table, offset: str) -> Answer:
        if not _OFFSET.fullmatch(offset):
            raise refused(422, "INVALID_OFFSET_VALUE", f"The value of offset {offset} is invalid")
        found = self.iterators.find(offset, self._clock())
        if found is None or found[0].plan.plan.table != table.id:
            raise refused(422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")
        walk, start = found
        if walk.plan.condition is not None:
            walk.plan.condition.cells = self._cells()
        return self._printed(visit, table, walk.plan.plan, self.iterators.page(walk, start))

    def _cells(self) -> Cells:
        return Cells(self._store, self._space, self._door.tables, self._clock)

    def _printed(self, visit: Visit, table: Table, plan: Plan, page: Records) -> Answer:
        records, offset = page
        if not visit.caller.rights.sees_everything:
            records = [record for record in records if visit.sees(table.id, str(record["id"]))]
        printer = Printer(self._cells(), table, plan)
        told: dict[str, Any] = {"records": printer.page(records, comments=self._comments)}
        if offset is not None:
            told["offset"] = offset
        return reply(told)

    def _comments(self, record: str) -> int:
        return self._store.count(self._space, "comment", parent=record)
