"""Listing records: formulas, sorting, and page offsets that stay stable while records change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.airtable.cells import Table, cells_of
from sandbox.airtable.errors import bad_request, refused
from sandbox.airtable.formula import compiled, row_of
from sandbox.calls import Answer, Call, reply
from sandbox.stamps import Clock, stamp
from sandbox.store import Store
from sandbox.walks import Walk, Walks

_MOST = 100  # records on a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is needed to print further pages of a listing."""

    table: str
    fields: frozenset[str] | None
    by_id: bool
    counts: bool
    size: int


class Listing:
    """Lists the records of one base."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """List from one space; the clock is what NOW() means."""
        self._store = store
        self._space = space
        self._clock = clock
        self._walks: Walks[Plan] = Walks(most=200)

    def page(self, call: Call, table: Table) -> Answer:
        """Return the page asked for, by GET or by POST listRecords."""
        asked = object_body(call) if call.method == "POST" else _listing(call)
        offset = asked.get("offset")
        if offset:
            return self._further(table, str(offset))
        size = _number(asked.get("pageSize"), _MOST, most=_MOST)
        fields = asked.get("fields")
        plan = Plan(
            table=table.id,
            fields=None if not fields else frozenset(str(table.field(name)["id"]) for name in fields),
            by_id=flag(asked.get("returnFieldsByFieldId")),
            counts="commentCount" in (asked.get("recordMetadata") or []),
            size=size,
        )
        ids = self._found(table, asked)
        most = asked.get("maxRecords")
        if most not in {None, ""}:
            ids = ids[: _number(most, 0, most=10**9)]
        walk = Walk(name="", owner="", ids=tuple(ids), plan=plan)
        if len(ids) > size:
            walk = self._walks.open(call.headers.get("authorization", ""), ids, plan)
        return self._page(table, walk, 0)

    def _found(self, table: Table, asked: Mapping[str, Any]) -> list[str]:
        text = str(asked.get("filterByFormula") or "")
        since, test = None, None
        if text:
            watching = frozenset(str(field["id"]) for field in table.of_type("lastModifiedTime"))
            formula = compiled(text, fields=table.ids, modified_fields=watching, now=self._clock())
            since, test = formula.since, formula.test
        # a lastModifiedTime field is never later than the record's own last change
        low = None if since is None else stamp(since)
        keys = [(str(table.field(sort["field"])["id"]), sort.get("direction") == "desc") for sort in _sorts(asked)]
        hits = []
        for record in self._store.scan(self._space, "record", since=low, parent=table.id):
            cells = cells_of(table, record)
            if test is None or test(row_of({**record, "fields": cells})):
                hits.append((str(record["id"]), [cells.get(id_) for id_, _ in keys]))
        for place in range(len(keys) - 1, -1, -1):
            hits.sort(key=lambda hit: _sort_key(hit[1][place]), reverse=keys[place][1])
        return [id_ for id_, _ in hits]

    def _further(self, table: Table, offset: str) -> Answer:
        match = re.fullmatch(r"itr(\w{15})/(\d+)", offset)
        if match is None:
            raise refused(422, "INVALID_OFFSET_VALUE", f"The value of offset {offset} is invalid")
        walk = self._walks.find(match[1])
        if walk is None or walk.plan.table != table.id:
            raise refused(422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")
        return self._page(table, walk, int(match[2]))

    def _page(self, table: Table, walk: Walk[Plan], start: int) -> Answer:
        end = start + walk.plan.size
        part = walk.ids[start:end]
        records = self._store.pick(self._space, "record", part)
        told: dict[str, Any] = {"records": [printed(table, records[id_], walk.plan) for id_ in part if id_ in records]}
        if end < len(walk.ids):
            told["offset"] = f"itr{walk.name}/{end}"
        return reply(told)


def printed(table: Table, record: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """Return a record as the API prints it."""
    cells = cells_of(table, record)
    told: dict[str, Any] = {
        "id": record["id"],
        "createdTime": record["createdTime"],
        "fields": {
            (id_ if plan.by_id else str(field["name"])): cells[id_]
            for id_, field in table.by_id.items()
            if id_ in cells and (plan.fields is None or id_ in plan.fields)
        },
    }
    if plan.counts:
        told["commentCount"] = 0
    return told


def _listing(call: Call) -> dict[str, Any]:
    """Read the query form of a listing: `fields[]`, `sort[0][field]` and so on."""
    asked: dict[str, Any] = {
        name: call.one(name)
        for name in ("filterByFormula", "offset", "pageSize", "maxRecords", "returnFieldsByFieldId")
    }
    asked["fields"] = call.every("fields[]") or call.every("fields")
    asked["recordMetadata"] = call.every("recordMetadata[]")
    sorts: dict[str, dict[str, str]] = {}
    for name, value in call.query:
        match = re.fullmatch(r"sort\[(\d+)\]\[(field|direction)\]", name)
        if match:
            sorts.setdefault(match[1], {})[match[2]] = value
    asked["sort"] = [sorts[key] for key in sorted(sorts, key=int)]
    return asked


def _sorts(asked: Mapping[str, Any]) -> list[dict[str, str]]:
    sorts = asked.get("sort") or []
    if not all(isinstance(sort, dict) and sort.get("field") for sort in sorts):
        raise bad_request()
    return list(sorts)


def _sort_key(value: Any) -> tuple[bool, Any]:
    if isinstance(value, (int, float)):
        return (True, (0, value, ""))
    if isinstance(value, Mapping):
        value = value.get("name", "")
    return (value is not None, (1, 0, str(value or "").lower()))


def flag(value: Any) -> bool:
    """Whether a flag is set, in its query or its JSON form."""
    return value in {True, "1", "true"} if not isinstance(value, (list, dict)) else False


def _number(value: Any, default: int, *, most: int) -> int:
    if value in {None, ""}:
        return default
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise bad_request() from error
    if not 0 < number <= most:
        raise bad_request()
    return number


def object_body(call: Call) -> dict[str, Any]:
    """Return the body; raises RefusedCall (400) when it is not a JSON object."""
    try:
        body = call.json()
    except orjson.JSONDecodeError as error:
        raise refused(400, "INVALID_REQUEST_BODY", "Could not parse request body") from error
    if not isinstance(body, dict):
        raise refused(400, "INVALID_REQUEST_BODY", "Could not parse request body")
    return body
