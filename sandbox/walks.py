"""Page walks: how a result is handed out page by page while the records under it go on changing.

A small result keeps the ids it found. A large one keeps its place instead: it reads on in order of change (or
of id), up to the moment it was opened. A record that is changed meanwhile would leave that span; its old place is
remembered, so that a record is served once, as it then is, whether it was touched or not.
"""

from __future__ import annotations

import secrets
from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Generic, TypeVar

import orjson

from sandbox.store import Doc, Store

P = TypeVar("P")
Shown = Callable[[Iterable[Doc]], list[Doc]]  # what a tool makes of the records of a page
Key = tuple[str, str]  # stamp and id: a place in the order of change
_MOST_IDS = 3_000_000  # over all open results: a sandbox that runs for days must not fill the memory
_READ_ON = 500  # records looked at at a time, at most, where a condition lets few of them through
_END = "~"  # behind every stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a large result lies in the store: a shelf, bounds of the stamp (both included), a parent."""

    space: str
    kind: str
    since: str | None = None
    until: str | None = None
    parent: str | None = None
    by_id: bool = False
    test: Callable[[Doc], bool] | None = None  # what else a record must fulfil


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk(Generic[P]):
    """One opened result: its ids in order or its span, and whatever the tool needs to print its rows again."""

    name: str
    owner: str
    plan: P
    ids: tuple[str, ...] = ()
    span: Span | None = None
    total: int = 0  # records it had when it was opened
    opened: str = ""  # stamp
    places: dict[int, Key | None] = field(default_factory=dict)  # records served -> the place reached
    displaced: list[Key] = field(default_factory=list)  # the old places of records changed since, in order
    moved: set[str] = field(default_factory=set)  # their ids: they are served at the old place or not again


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some records of a walk, and after how many of all records the next page begins (None: there is none)."""

    docs: list[Doc]
    next: int | None
    coming: str = ""  # id of the record the next page begins with


class Walks(Generic[P]):
    """The results that are still open; the oldest are forgotten, an owner's own beyond `most` first."""

    def __init__(self, store: Store | None = None, *, most: int = 50, named: Callable[[], str] | None = None) -> None:
        """Keep at most this many open results for each owner.

        `named` gives a name nobody can guess (default: 15 letters and digits).
        """
        self._store = store
        self._most = most
        self._named = named or _name
        self._held = 0
        self._open: OrderedDict[str, Walk[P]] = OrderedDict()
        if store is not None:
            store.watch(self._changed)

    def open(self, owner: str, ids: Sequence[str], plan: P, *, opened: str = "") -> Walk[P]:
        """Keep a result of few records under an unguessable name."""
        return self.keep(
            Walk(name=self._named(), owner=owner, ids=tuple(ids), plan=plan, total=len(ids), opened=opened)
        )

    def open_span(
        self, owner: str, span: Span, plan: P, *, total: int, opened: str, after: Key | None = None
    ) -> Walk[P]:
        """Keep a result of many records: it ends at what was changed last when it was opened (a stamp)."""
        return self.keep(self.spanning(owner, span, plan, total=total, opened=opened, after=after))

    def spanning(
        self,
        owner: str,
        span: Span,
        plan: P,
        *,
        total: int,
        opened: str,
        elsewhere: Iterable[Key] = (),
        after: Key | None = None,
    ) -> Walk[P]:
        """Return such a result without keeping it: it can be read, but is blind to changes until it is kept.

        `elsewhere` are the records (with their ids) whose place in the order is not the one of their stamp;
        the result begins behind the place `after`.
        """
        away = sorted(elsewhere)
        moved = {id_ for _, id_ in away}
        return Walk(
            name=self._named(), owner=owner, span=span, plan=plan, total=total, opened=opened, places={0: after},
            displaced=away, moved=moved,
        )  # fmt: skip

    def keep(self, walk: Walk[P]) -> Walk[P]:
        """Keep a result; the oldest make way."""
        self._open[walk.name] = walk
        self._held += len(walk.ids)
        mine = [name for name, known in self._open.items() if known.owner == walk.owner]
        for name in mine[: -self._most]:
            self.forget(name)
        while self._held > _MOST_IDS and len(self._open) > 1:
            self.forget(next(iter(self._open)))
        return walk

    def find(self, name: str) -> Walk[P] | None:
        """Return an open result, or None when it was never opened or is forgotten."""
        walk = self._open.get(name)
        if walk is not None:
            self._open.move_to_end(name)
        return walk

    def forget(self, name: str) -> None:
        """Close a result."""
        if name in self._open:
            self._held -= len(self._open.pop(name).ids)

    def forget_while(self, over: Callable[[Walk[P]], bool]) -> None:
        """Close results, those nobody asked for longest first, up to the first that is not over."""
        for walk in list(self._open.values()):
            if not over(walk):
                return
            self.forget(walk.name)

    def forget_of(self, owner: str) -> None:
        """Close all results of an owner."""
        for name in [name for name, walk in self._open.items() if walk.owner == owner]:
            self.forget(name)

    def read(
        self,
        walk: Walk[P],
        start: int,
        size: int,
        *,
        space: str,
        kind: str,
        shown: Shown = list,
    ) -> Page | None:
        """Return the page that begins after `start` records; None for a place the walk never reached.

        Records that are gone are left out; the others are as they are now, or what `shown` makes of them all.
        """
        store = self._store
        if store is None:
            return None
        if walk.span is None:
            part = walk.ids[start : start + size]
            there = store.pick(space, kind, part)
            docs, end = [there[id_] for id_ in part if id_ in there], start + size
            more = end < len(walk.ids)
            return Page(docs=shown(docs), next=end if more else None, coming=walk.ids[end] if more else "")
        if start not in walk.places:
            return None
        return _read_on(store, walk, walk.span, start, size, shown)

    def swap(self, walk: Walk[P], *, missed: str, again: str) -> None:
        """Disturb an open result: one record is passed over from now on, and one comes once more at the end."""
        if walk.span is None:
            ids = [id_ for id_ in walk.ids if id_ != missed]
            self._held += len(ids) + 1 - len(walk.ids)
            self._open[walk.name] = replace(walk, ids=(*ids, again))
            return
        walk.moved.update((missed, again))
        walk.displaced[:] = sorted({*(key for key in walk.displaced if key[1] != missed), (_END, again)})

    def _changed(self, space: str, kind: str, id_: str, stamp: str) -> None:
        for walk in self._open.values():
            span = walk.span
            if span is None or span.by_id or (span.space, span.kind) != (space, kind):
                continue
            if (span.since or "") <= stamp <= min(span.until or _END, walk.opened) and id_ not in walk.moved:
                walk.moved.add(id_)
                insort(walk.displaced, (stamp, id_))


def _read_on(store: Store, walk: Walk[P], span: Span, start: int, size: int, shown: Shown) -> Page:
    """Read the next records of a span in its order, those that left their place meanwhile among them."""
    until = min(span.until or _END, walk.opened)
    place, test = walk.places[start], span.test
    docs: list[Doc] = []
    reached: Key | None = None
    take = size + 1
    while True:
        rows = store.page(
            span.space, span.kind, size=take, since=span.since, until=until, after=place, parent=span.parent,
            by_id=span.by_id,
        )  # fmt: skip
        last = len(rows) < take
        if test is None and not walk.moved:  # as most pages are
            bodies = [body for _, _, body in rows[:size]]
            # what is looked at one by one is decoded one by one: few are in memory then
            docs = orjson.loads(b"[%b]" % b",".join(bodies)) if shown is list else shown(map(orjson.loads, bodies))
            if last:
                return Page(docs=docs, next=None)
            walk.places[start + size] = ("" if span.by_id else rows[size - 1][0], rows[size - 1][1])
            return Page(docs=docs, next=start + size, coming=rows[size][1])
        end = place if not rows else ("", rows[-1][1]) if span.by_id else (rows[-1][0], rows[-1][1])
        for stamp, id_, doc in _entries(store, walk, span, rows, after=place, to=None if last else end):
            if test is not None and not test(doc):
                continue
            if len(docs) == size:
                walk.places[start + size] = reached
                return Page(docs=shown(docs), next=start + size, coming=id_)
            docs.append(doc)
            if len(docs) == size:
                reached = (stamp, id_)
        if last:
            return Page(docs=shown(docs), next=None)
        place = end
        take = max(size + 1 - len(docs), 0 if test is None else min(2 * take, _READ_ON))


def _entries(
    store: Store, walk: Walk[P], span: Span, rows: list[tuple[str, str, bytes]], *, after: Key | None, to: Key | None
) -> Iterator[tuple[str, str, Doc]]:
    """Yield what lies between two places, each with its own, loading no document before it is asked for."""
    low = 0 if after is None else bisect_right(walk.displaced, after)
    high = len(walk.displaced) if to is None else bisect_right(walk.displaced, to)
    loads, moved, by_id = orjson.loads, walk.moved, span.by_id
    if low >= high:
        for stamp, id_, body in rows:
            if id_ not in moved:
                yield "" if by_id else stamp, id_, loads(body)
        return
    there = store.pick(span.space, span.kind, [id_ for _, id_ in walk.displaced[low:high]])
    away = [(*key, there[key[1]]) for key in walk.displaced[low:high] if key[1] in there]
    stayed = [("" if by_id else stamp, id_, loads(body)) for stamp, id_, body in rows if id_ not in moved]
    yield from sorted([*stayed, *(one for one in away if _belongs(one[2], span))], key=itemgetter(0, 1))


def _belongs(doc: Doc, span: Span) -> bool:
    return span.parent is None or span.parent in {doc.get("_parent"), doc.get("_table"), doc.get("_project")}


def _name() -> str:
    return secrets.token_hex(8)[:15]
