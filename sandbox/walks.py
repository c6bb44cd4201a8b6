"""Page walks: how a result is handed out page by page while the records under it go on changing.

A small result keeps the ids it found. A large one keeps its place instead: it reads on in order of change (or
of id), up to the moment it was opened. A record that is changed meanwhile would leave that span; its old place is
remembered, so that a record is served once, as it then is, whether it was touched or not.
"""

from __future__ import annotations

import secrets
from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import orjson

from sandbox.store import Doc, Store

P = TypeVar("P")
Key = tuple[str, str]  # stamp and id: a place in the order of change
_MOST_IDS = 3_000_000  # over all open results: a sandbox that runs for days must not fill the memory
_READ_ON = 500  # records looked at at a time where a condition lets few of them through
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


class Walks(Generic[P]):
    """The results that are still open; the oldest are forgotten, an owner's own beyond `most` first."""

    def __init__(self, store: Store | None = None, *, most: int = 50) -> None:
        """Keep at most this many open results for each owner."""
        self._store = store
        self._most = most
        self._held = 0
        self._open: OrderedDict[str, Walk[P]] = OrderedDict()
        if store is not None:
            store.watch(self._changed)

    def open(self, owner: str, ids: Sequence[str], plan: P, *, opened: str = "") -> Walk[P]:
        """Keep a result of few records under an unguessable name of 15 letters and digits."""
        return self._kept(Walk(name=_name(), owner=owner, ids=tuple(ids), plan=plan, total=len(ids), opened=opened))

    def open_span(self, owner: str, span: Span, plan: P, *, total: int, opened: str) -> Walk[P]:
        """Keep a result of many records: it ends at what was changed last when it was opened (a stamp)."""
        return self._kept(
            Walk(name=_name(), owner=owner, span=span, plan=plan, total=total, opened=opened, places={0: None})
        )

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

    def forget_of(self, owner: str) -> None:
        """Close all results of an owner."""
        for name in [name for name, walk in self._open.items() if walk.owner == owner]:
            self.forget(name)

    def read(self, walk: Walk[P], start: int, size: int, *, space: str, kind: str) -> Page | None:
        """Return the page that begins after `start` records; None for a place the walk never reached.

        Records that are gone are left out; the others are as they are now.
        """
        store = self._store
        if store is None:
            return None
        if walk.span is None:
            part = walk.ids[start : start + size]
            there = store.pick(space, kind, part)
            end = start + size
            return Page(docs=[there[id_] for id_ in part if id_ in there], next=end if end < len(walk.ids) else None)
        if start not in walk.places:
            return None
        return _read_on(store, walk, walk.span, start, size)

    def _kept(self, walk: Walk[P]) -> Walk[P]:
        self._open[walk.name] = walk
        self._held += len(walk.ids)
        mine = [name for name, known in self._open.items() if known.owner == walk.owner]
        for name in mine[: -self._most]:
            self.forget(name)
        while self._held > _MOST_IDS and len(self._open) > 1:
            self.forget(next(iter(self._open)))
        return walk

    def _changed(self, space: str, kind: str, id_: str, stamp: str) -> None:
        for walk in self._open.values():
            span = walk.span
            if span is None or span.by_id or (span.space, span.kind) != (space, kind):
                continue
            if (span.since or "") <= stamp <= min(span.until or _END, walk.opened) and id_ not in walk.moved:
                walk.moved.add(id_)
                insort(walk.displaced, (stamp, id_))


def _read_on(store: Store, walk: Walk[P], span: Span, start: int, size: int) -> Page:
    """Read the next records of a span in its order, those that left their place meanwhile among them."""
    until = min(span.until or _END, walk.opened)
    place = walk.places[start]
    docs: list[Doc] = []
    reached: list[Key] = []
    last = False
    while len(docs) <= size and not last:
        wanted = size + 1 - len(docs)
        take = wanted if span.test is None else max(wanted, _READ_ON)
        rows = store.page(
            span.space, span.kind, size=take, since=span.since, until=until, after=place, parent=span.parent,
            by_id=span.by_id,
        )  # fmt: skip
        last = len(rows) < take
        keys = [((stamp, id_) if not span.by_id else ("", id_), body) for stamp, id_, body in rows]
        for key, body in _with_displaced(store, walk, span, keys, after=place, to=None if last else keys[-1][0]):
            doc: Doc = orjson.loads(body)
            if span.test is None or span.test(doc):
                docs.append(doc)
                reached.append(key)
        if keys:
            place = keys[-1][0]
    more = len(docs) > size
    if more:
        walk.places[start + size] = reached[size - 1]
    return Page(docs=docs[:size], next=start + size if more else None)


def _with_displaced(
    store: Store, walk: Walk[P], span: Span, rows: list[tuple[Key, bytes]], *, after: Key | None, to: Key | None
) -> list[tuple[Key, bytes]]:
    rows = [row for row in rows if row[0][1] not in walk.moved]
    low = 0 if after is None else bisect_right(walk.displaced, after)
    high = len(walk.displaced) if to is None else bisect_right(walk.displaced, to)
    if low >= high:
        return rows
    there = store.pick(span.space, span.kind, [id_ for _, id_ in walk.displaced[low:high]])
    moved = [(key, there[key[1]]) for key in walk.displaced[low:high] if key[1] in there]
    return sorted(rows + [(key, orjson.dumps(doc)) for key, doc in moved if _belongs(doc, span)])


def _belongs(doc: Doc, span: Span) -> bool:
    return span.parent is None or span.parent in {doc.get("_parent"), doc.get("_table"), doc.get("_project")}


def _name() -> str:
    return secrets.token_hex(8)[:15]
