"""Answering a parsed query: where its records lie in the store, and which of them match, in the order asked for.

A result whose order is the store's own is not looked for at once when it is large: it is a span, and every page
is found when it is asked for. Everything else is found when the query is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import orjson

from sandbox.salesforce.bounds import Bounds, bounds_of, stamp_column
from sandbox.salesforce.columns import Column, Columns, Record
from sandbox.salesforce.conditions import Test, compiled, folding
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql import Order, Query
from sandbox.store import Doc, Store
from sandbox.walks import Key, Span

LARGE = 5_000  # records that may match: to look at more of them before the first page takes too long
CHUNK = 1000  # records read at a time
_KEPT = 2000  # records of a result that are kept, so that its only page need not read them again
_TIMES = {"SystemModstamp", "LastModifiedDate", "CreatedDate"}  # none of them is later than the stamp
StoreOrder = Literal["stamp", "id"]
_Hit = tuple[str, list[Any], Doc | None]  # id, what it is sorted by, the record


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The ids of a result in order; its records too, unless they are many."""

    ids: list[str]
    records: list[Doc] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A query over one object of one space, ready to be answered as an account sees the records."""

    store: Store
    space: str
    sobject: SObject
    query: Query
    columns: Columns
    with_deleted: bool
    test: Test | None  # the condition alone
    keys: tuple[tuple[Order, Column], ...]
    bounds: Bounds

    def span(self) -> Span | None:
        """Return where the result lies when it may be large and is asked for in the store's order, else None.

        What a LIMIT or OFFSET asks for is found at once, reading no further than it must.
        """
        bounds, order, kind = self.bounds, self.store_order, self.sobject.name
        if order is None or self.query.limit is not None or self.query.offset or not self._large:
            return None
        by_id = order == "id"
        since, until = (None, None) if by_id else (bounds.since, bounds.until)
        settled = self.test is None or (not by_id and bounds.whole and not bounds.edges)
        # deleted records are rarely there; those deleted later are left out where rows are printed
        gone = not self.with_deleted and self._count(since, until) < self._count(since, until, with_gone=True)
        test = self._test(None if settled else self.test, present=gone)
        return Span(space=self.space, kind=kind, since=since, until=until, by_id=by_id, test=test)

    @property
    def begins(self) -> Key | None:
        """The place behind which the span begins, where ids are walked and the condition names a lowest one."""
        above = self.bounds.above
        return ("", above) if above is not None and self.store_order == "id" else None

    def found(self) -> Found:
        """Find all matching records in the order asked for (by id when none was)."""
        order, limit, start = self.store_order, self.query.limit, self.query.offset
        if limit is not None and self._large:
            end = start + limit
            if order is not None:
                return _found(islice(self._matching(self._in_order(order, first=end)), start, end))
            if self._newest_first:
                return _cut(self._newest(end), start, end)
        hits: list[_Hit] = []
        keep = True
        for doc in self.matching():
            hits.append((str(doc["Id"]), [column.read(doc) for _, column in self.keys], doc if keep else None))
            if keep and len(hits) > _KEPT:
                keep, hits = False, [(id_, values, None) for id_, values, _ in hits]
        self._sort(hits)
        return _cut(hits, start, None if limit is None else start + limit)

    def count(self) -> int:
        """Count all matching records, whatever LIMIT and OFFSET say; quick where bounds are all that is asked."""
        bounds = self.bounds
        if not bounds.whole or not self.columns.open_but_for_hidden:
            return sum(1 for _ in self.matching())
        total = self._count(bounds.since, bounds.until, with_gone=self.with_deleted)
        return total - sum(1 for _ in self._wrongly_counted())

    def matching(self) -> Iterator[Doc]:
        """Yield all matching records in no certain order."""
        return self._matching(self._narrowed())

    @property
    def store_order(self) -> StoreOrder | None:
        """The order of the store that is the order asked for; None when it has no such order."""
        if not self.keys:
            return "stamp" if self.bounds.since or self.bounds.until else "id"
        names: list[str] = []
        for order, column in self.keys:
            if order.descending:
                return None
            names.append(".".join(column.path))
            if column.path == ("Id",):
                break  # what follows it decides nothing
        if names == ["Id"]:
            return "id"
        return "stamp" if names[0] == stamp_column(self.sobject) and names[1:] in ([], ["Id"]) else None

    # -- inside ----------------------------------------------------------------------------------------------

    @property
    def _large(self) -> bool:
        bounds = self.bounds
        if bounds.ids is not None or bounds.parents is not None:
            return False
        return self._count(bounds.since, bounds.until, with_gone=True) > LARGE

    def _count(self, since: str | None, until: str | None, *, with_gone: bool = False) -> int:
        return self.store.span(self.space, self.sobject.name, since=since, until=until, with_gone=with_gone)

    @property
    def _newest_first(self) -> bool:
        order, column = self.keys[0]
        times = column.path[0] in _TIMES and len(column.path) == len(self.keys) == 1
        return times and order.descending and stamp_column(self.sobject) is not None

    def _test(self, condition: Test | None, *, present: bool) -> Test | None:
        """Return all that a record must fulfil beside the bounds; None: nothing."""
        test: Test | None = condition
        if present:
            test = _present if test is None else _both(_present, test)
        if not self.columns.sees_everything:
            test = self.columns.visible if test is None else _both(test, self.columns.visible)
        return test

    def _matching(self, docs: Iterator[Doc]) -> Iterator[Doc]:
        test = self._test(self.test, present=not self.with_deleted)
        return docs if test is None else filter(test, docs)

    def _narrowed(self) -> Iterator[Doc]:
        bounds, store, kind = self.bounds, self.store, self.sobject.name
        if bounds.ids is not None:
            return iter(store.pick(self.space, kind, bounds.ids).values())
        if bounds.parents is not None:
            return store.find_all(self.space, kind, bounds.parents)
        if bounds.above is not None and bounds.since is None:
            return self._in_order("id")
        return store.scan(self.space, kind, since=bounds.since, until=bounds.until)

    def _in_order(self, order: StoreOrder, *, first: int = CHUNK) -> Iterator[Doc]:
        bounds, take = self.bounds, min(first + 1, CHUNK)
        after = ("", bounds.above) if order == "id" and bounds.above is not None else None
        while True:
            rows = self.store.page(
                self.space, self.sobject.name, size=take, since=bounds.since, until=bounds.until, after=after,
                by_id=order == "id",
            )  # fmt: skip
            for _, _, body in rows:
                yield orjson.loads(body)
            if len(rows) < take:
                return
            after, take = (rows[-1][0], rows[-1][1]), min(2 * take, CHUNK)

    def _newest(self, wanted: int) -> list[_Hit]:
        """Read backwards in order of change, until nothing that is still to come could be among the newest."""
        column, after = self.keys[0][1], None  # type: Column, Key | None
        hits: list[_Hit] = []
        while wanted:
            rows = self.store.page(
                self.space, self.sobject.name, size=CHUNK, since=self.bounds.since, until=self.bounds.until,
                after=after, backwards=True,
            )  # fmt: skip
            docs = self._matching(orjson.loads(body) for _, _, body in rows)
            hits += [(str(doc["Id"]), [column.read(doc)], doc if wanted <= _KEPT else None) for doc in docs]
            self._sort(hits)
            del hits[wanted:]
            if len(rows) < CHUNK or (len(hits) == wanted and _second(hits[-1][1][0]) > rows[-1][0][:19]):
                break
            after = (rows[-1][0], rows[-1][1])
        return hits

    def _sort(self, hits: list[_Hit]) -> None:
        hits.sort(key=lambda hit: hit[0])
        for place in range(len(self.keys) - 1, -1, -1):
            order, folded = self.keys[place][0], folding(self.keys[place][1])
            hits.sort(key=_sorting(place, order, folded), reverse=order.descending)

    def _wrongly_counted(self) -> Iterator[Doc]:
        """Yield what a count by bounds takes in though it does not match: in broken seconds, or hidden."""
        store, kind, bounds = self.store, self.sobject.name, self.bounds
        there = _anything if self.with_deleted else _present
        test = self.test or _anything
        for second in bounds.edges:
            low, high = max(f"{second}.000000Z", bounds.since or ""), min(f"{second}.999999Z", bounds.until or "~")
            docs = store.scan(self.space, kind, since=low, until=high)
            yield from (doc for doc in docs if there(doc) and not test(doc))
        hidden = store.pick(self.space, kind, sorted(self.columns.hidden)).values()
        yield from (doc for doc in hidden if there(doc) and test(doc))


def search(
    store: Store, space: str, sobject: SObject, query: Query, columns: Columns, *, with_deleted: bool
) -> Search:  # fmt: skip
    """Make a query ready; raises RefusedCall for columns that cannot be asked or sorted by."""
    return Search(
        store=store,
        space=space,
        sobject=sobject,
        query=query,
        columns=columns,
        with_deleted=with_deleted,
        test=None if query.where is None else compiled(query.where, columns),
        keys=tuple((order, columns.find(order.path)) for order in query.order),
        bounds=bounds_of(query.where, sobject),
    )


def _found(docs: Iterable[Doc]) -> Found:
    ids: list[str] = []
    records: list[Doc] = []
    for doc in docs:
        ids.append(str(doc["Id"]))
        if len(ids) <= _KEPT:
            records.append(doc)
    return Found(ids=ids, records=records if len(records) == len(ids) else None)


def _cut(hits: list[_Hit], start: int, end: int | None) -> Found:
    part = hits[start:end]
    records = [doc for _, _, doc in part if doc is not None]
    return Found(ids=[id_ for id_, _, _ in part], records=records if len(records) == len(part) else None)


def _sorting(place: int, order: Order, folded: Callable[[Any], Any]) -> Callable[[_Hit], tuple[bool, Any]]:
    nulls_behind = order.nulls_last is order.descending

    def key(hit: _Hit) -> tuple[bool, Any]:
        value = hit[1][place]
        shown = None if value is None else folded(value)
        return (nulls_behind, shown) if shown is not None else (order.nulls_last is not order.descending, "")

    return key


def _second(text: Any) -> str:
    return text[:19] if isinstance(text, str) else ""


def _present(record: Record) -> bool:
    return not record.get("IsDeleted")


def _anything(_: Record) -> bool:
    return True


def _both(first: Test, second: Test) -> Test:
    return lambda record: first(record) and second(record)
