"""Queries over HTTP: /query, /queryAll and their further pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sandbox.calls import Answer, Call, reply
from sandbox.salesforce.aggregates import grouped, is_grouped
from sandbox.salesforce.columns import Columns
from sandbox.salesforce.errors import malformed_query, refused
from sandbox.salesforce.finding import Search, search
from sandbox.salesforce.org import Org, token_of
from sandbox.salesforce.printing import Rows, Sheet
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql import Fields, Query, parse
from sandbox.stamps import stamp
from sandbox.store import Doc
from sandbox.walks import Span, Walk, Walks

_MOST_CURSORS = 10  # open query cursors of one user, the oldest goes
_MOST_OFFSET = 2000
_MOST_FIELDS = 200  # rows of a query that asks for FIELDS(ALL) or FIELDS(CUSTOM)
_FEWEST, _MOST = 200, 2000
LOCATOR = re.compile(r"01g(\w{15})-(\d{1,9})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Where the walk over a result stands: the id served last and the one served next, where there is one."""

    kind: str
    served: tuple[str, ...]
    coming: tuple[str, ...]


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
            return self._counted(query, sobject, columns, with_deleted=with_deleted)
        rows = Rows(
            sobject=sobject,
            columns=tuple(columns.find(path) for path in _selected(query, columns)),
            related=columns,
            base=base_of(call),
            size=page_size(call),
            with_deleted=with_deleted,
        )
        made = self._search(query, sobject, columns, with_deleted=with_deleted)
        size, span = _ordered_size(call, rows.size), made.span()
        if span is not None:
            return self._spanned(call, made, span, rows, size)
        found = made.found()
        if found.records is not None and len(found.ids) <= size:
            sheet = Sheet(rows)
            sheet.add(found.records)
            return Answer(body=sheet.body(total=None, following=None))
        walk = self.walks.open(token_of(call), found.ids, rows, opened=stamp(self._org.clock()))
        return self._page(walk, 0, size)

    def more(self, call: Call) -> Answer:
        """GET /query/{locator}: a further page; raises INVALID_QUERY_LOCATOR for what this session did not open."""
        match = LOCATOR.fullmatch(call.at["locator"])
        walk = self.walks.find(match[1]) if match else None
        if match is None or walk is None or walk.owner != token_of(call):
            raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(walk, int(match[2]), _ordered_size(call, walk.plan.size))

    def waiting(self, locator: str) -> Waiting | None:
        """Return what an open result served last and serves next; None when it is closed."""
        match = LOCATOR.fullmatch(locator)
        walk = self.walks.find(match[1]) if match else None
        if match is None or walk is None:
            return None
        start, kind = int(match[2]), walk.plan.sobject.name
        if walk.span is None:
            return Waiting(kind=kind, served=walk.ids[:start][-1:], coming=walk.ids[start : start + 1])
        page = self.walks.read(walk, start, 1, space=self._org.space, kind=kind)
        place = walk.places.get(start)
        served = () if place is None else (place[1],)
        coming = () if page is None else tuple(str(doc["Id"]) for doc in page.docs)
        return Waiting(kind=kind, served=served, coming=coming)

    def _search(self, query: Query, sobject: SObject, columns: Columns, *, with_deleted: bool) -> Search:
        return search(self._org.store, self._org.space, sobject, query, columns, with_deleted=with_deleted)

    def _spanned(self, call: Call, made: Search, span: Span, rows: Rows, size: int) -> Answer:
        org, kind = self._org, made.sobject.name
        now = stamp(org.clock())
        opened = max(now, org.store.newest(org.space, kind) or now)  # a clock set back does not hide records
        walk = self.walks.spanning(token_of(call), span, rows, total=0, opened=opened, after=made.begins)
        sheet, following = self._read(walk, 0, size)
        if following is not None:
            walk = self.walks.keep(replace(walk, total=made.count()))
        return Answer(body=sheet.body(total=None if following is None else walk.total, following=following))

    def _page(self, walk: Walk[Rows], start: int, size: int) -> Answer:
        sheet, following = self._read(walk, start, size)
        return Answer(body=sheet.body(total=walk.total, following=following))

    def _read(self, walk: Walk[Rows], start: int, size: int) -> tuple[Sheet, str | None]:
        """Return a page of an open result, and the address of the next one, None where it is the last."""
        kind, sheet = walk.plan.sobject.name, Sheet(walk.plan)
        page = self.walks.read(walk, start, size, space=self._org.space, kind=kind, shown=sheet.add)
        if page is None:
            raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return sheet, None if page.next is None else f"{walk.plan.base}/query/01g{walk.name}-{page.next}"

    def _counted(self, query: Query, sobject: SObject, columns: Columns, *, with_deleted: bool) -> Answer:
        total = self._search(query, sobject, columns, with_deleted=with_deleted).count()
        total = max(0, total - query.offset)
        return _whole([], total=total if query.limit is None else min(total, query.limit))

    def _grouped(self, query: Query, sobject: SObject, columns: Columns, *, with_deleted: bool) -> Answer:
        plain = Query(sobject=query.sobject, where=query.where)
        found = grouped(query, columns, self._search(plain, sobject, columns, with_deleted=with_deleted).matching())
        if len(found) > _MOST:
            text = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
            raise refused(400, "EXCEEDED_ID_LIMIT", text)
        return _whole(found, total=len(found))


def _whole(records: list[Doc], *, total: int) -> Answer:
    return reply({"totalSize": total, "done": True, "records": records})


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
