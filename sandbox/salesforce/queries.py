"""Queries over HTTP: /query, /queryAll and their further pages."""

from __future__ import annotations

import re
from typing import Any

from sandbox.calls import Answer, Call, reply
from sandbox.salesforce.aggregates import grouped, is_grouped
from sandbox.salesforce.author import Author
from sandbox.salesforce.columns import Columns
from sandbox.salesforce.errors import malformed_query, refused
from sandbox.salesforce.org import Org, token_of
from sandbox.salesforce.printing import Rows, row
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.search import found_ids
from sandbox.salesforce.soql import Fields, Query, parse
from sandbox.stamps import stamp
from sandbox.walks import Walk, Walks

_MOST_CURSORS = 10  # open query cursors of one user, the oldest goes
_MOST_OFFSET = 2000
_MOST_FIELDS = 200  # rows of a query that asks for FIELDS(ALL) or FIELDS(CUSTOM)
_FEWEST, _MOST = 200, 2000
LOCATOR = re.compile(r"01g(\w{15})-(\d{1,9})")


class Queries:
    """The open results of one org: a locator belongs to the session that opened it."""

    def __init__(self, org: Org) -> None:
        """Query one org."""
        self._org = org
        self.walks: Walks[Rows] = Walks(org.store, most=_MOST_CURSORS)

    def query(self, call: Call) -> Answer:
        """GET /query?q= and /queryAll?q=: the first page of a result, or the whole when it is small."""
        author = self._org.author(call)
        text = call.one("q").strip()
        if not text:
            raise malformed_query("A query string has to be specified")
        query = parse(text)
        sobject = self._org.schema.find(query.sobject)
        if sobject is None or not author.rights.reads(sobject.name):
            raise refused(400, "INVALID_TYPE", f"sObject type '{query.sobject}' is not supported.")
        if query.offset > _MOST_OFFSET:
            text = f"Maximum SOQL offset allowed is {_MOST_OFFSET}"
            raise refused(400, "NUMBER_OUTSIDE_VALID_RANGE", text)
        columns = self._org.columns(sobject, author)
        with_deleted = call.at["verb"] == "queryAll"
        if is_grouped(query):
            return self._grouped(query, sobject, columns, with_deleted=with_deleted)
        if not query.selected:
            return self._counted(query, sobject, columns, author, with_deleted=with_deleted)
        rows = Rows(
            sobject=sobject,
            columns=tuple(columns.find(path) for path in _selected(query, columns)),
            related=columns,
            base=base_of(call),
            size=page_size(call),
            with_deleted=with_deleted,
        )
        ids = found_ids(self._org.store, self._org.space, sobject, query, columns, with_deleted=with_deleted)
        opened = stamp(self._org.clock())
        size = _ordered_size(call, rows.size)
        if len(ids) <= size:
            walk = Walk(name="", owner="", ids=tuple(ids), plan=rows, total=len(ids))
        else:
            walk = self.walks.open(token_of(call), ids, rows, opened=opened)
        return self._page(walk, 0, size)

    def more(self, call: Call) -> Answer:
        """GET /query/{locator}: a further page; raises INVALID_QUERY_LOCATOR for what this session did not open."""
        match = LOCATOR.fullmatch(call.at["locator"])
        walk = self.walks.find(match[1]) if match else None
        if match is None or walk is None or walk.owner != token_of(call):
            raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(walk, int(match[2]), _ordered_size(call, walk.plan.size))

    def waiting(self, locator: str) -> tuple[str, list[str], list[str]] | None:
        """Return the object of an open result, the ids served so far and those still to come; None when closed."""
        match = LOCATOR.fullmatch(locator)
        walk = self.walks.find(match[1]) if match else None
        if match is None or walk is None:
            return None
        return walk.plan.sobject.name, list(walk.ids[: int(match[2])]), list(walk.ids[int(match[2]) :])

    def _page(self, walk: Walk[Rows], start: int, size: int) -> Answer:
        rows, org = walk.plan, self._org
        page = self.walks.read(walk, start, size, space=org.space, kind=rows.sobject.name)
        if page is None:
            raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        told: dict[str, Any] = {"totalSize": walk.total, "done": page.next is None}
        if page.next is not None:
            told["nextRecordsUrl"] = f"{rows.base}/query/01g{walk.name}-{page.next}"
        told["records"] = [
            row(record, rows) for record in page.docs if rows.with_deleted or not record.get("IsDeleted")
        ]
        return reply(told)

    def _counted(
        self, query: Query, sobject: SObject, columns: Columns, author: Author, *, with_deleted: bool
    ) -> Answer:
        org = self._org
        if query.where is None and with_deleted and author.rights.sees_everything and not query.order:
            total = org.store.count(org.space, sobject.name)
            total = max(0, total - query.offset)
            total = total if query.limit is None else min(total, query.limit)
        else:
            total = len(found_ids(org.store, org.space, sobject, query, columns, with_deleted=with_deleted))
        return reply({"totalSize": total, "done": True, "records": []})

    def _grouped(self, query: Query, sobject: SObject, columns: Columns, *, with_deleted: bool) -> Answer:
        org = self._org
        plain = Query(sobject=query.sobject, where=query.where)
        ids = found_ids(org.store, org.space, sobject, plain, columns, with_deleted=with_deleted)
        found = grouped(query, columns, org.store.pick(org.space, sobject.name, ids).values())
        if len(found) > _MOST:
            text = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
            raise refused(400, "EXCEEDED_ID_LIMIT", text)
        return reply({"totalSize": len(found), "done": True, "records": found})


def _selected(query: Query, columns: Columns) -> list[tuple[str, ...]]:
    paths: list[tuple[str, ...]] = []
    for item in query.selected:
        if isinstance(item, Fields):
            if item.which != "STANDARD" and (query.limit is None or query.limit > _MOST_FIELDS):
                raise malformed_query(f"The SOQL FIELDS function must have a LIMIT of at most {_MOST_FIELDS}")
            paths += [(name,) for name in columns.names(item.which)]
        elif isinstance(item, tuple):
            paths.append(item)
    seen: set[tuple[str, ...]] = set()
    for path in paths:
        folded = tuple(step.lower() for step in path)
        if folded in seen:
            raise malformed_query(f"duplicate field selected: {'.'.join(path)}")
        seen.add(folded)
    return paths


def _ordered_size(call: Call, size: int) -> int:
    """Return the page size, smaller where the fault `fewer_rows` strikes: the service may always send fewer."""
    settings = call.faults.get("fewer_rows")
    return size if settings is None else max(1, min(size, int(settings.get("rows") or 1)))


def page_size(call: Call) -> int:
    """Return how many rows a page holds: Sforce-Query-Options within 200 and 2000, else 2000."""
    match = re.search(r"batchSize\s*=\s*(\d{1,9})", call.headers.get("sforce-query-options", ""), re.IGNORECASE)
    return min(_MOST, max(_FEWEST, int(match[1]))) if match else _MOST


def base_of(call: Call) -> str:
    """Return the address under which the called API version lives."""
    return f"/services/data/{call.at['v']}"
