"""Large results: read on in order of change, page by page, with what changed at the same moment in order of key or id.

The store keeps issues by (stamp, id). Those of one millisecond are put in the order asked for before they are
served, so a page begins and ends inside such a group where it must. Who changed in ever so many issues at once
has them all looked at for every page of theirs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, TypeVar

import orjson

from sandbox.store import Doc, Store
from sandbox.walks import Key, Page, Span, Walk

P = TypeVar("P")
Place = tuple[str, Any]  # the moment (to the millisecond) and the rank in it of the issue served last
Entry = tuple[str, Doc]  # the moment an issue is served for, and the issue
_MOMENT = 23  # letters of a stamp down to the millisecond: two changes in one are equal to a query
_END = "~"  # behind every stamp
_READ_ON = 500  # issues looked at at a time, at most, where a condition lets few of them through


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """By time of change, either way; `rank` and its direction order the issues of one moment."""

    descending: bool
    rank: Callable[[Doc], Any]
    rank_descending: bool

    def turned(self) -> Order:
        """Return the opposite order."""
        return replace(self, descending=not self.descending, rank_descending=not self.rank_descending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Large:
    """Where a large result lies and how it is ordered."""

    span: Span
    order: Order
    elsewhere: tuple[Key, ...] = ()  # issues the index knows by an older state: its stamp, their ids
    places: dict[int, Place | None] = field(default_factory=lambda: {0: None})  # issues served -> the place reached

    @property
    def known(self) -> frozenset[str]:
        """Ids of the issues the index knows by a state that fitted; they are served whatever they are now."""
        return frozenset(id_ for _, id_ in self.elsewhere)


def page_of(store: Store, walk: Walk[P], large: Large, start: int, size: int) -> Page | None:
    """Return the page after `start` issues; None for a place the walk never reached."""
    if start not in large.places:
        return None
    found = _after(store, walk, large, large.order, large.places[start], size + 1)
    docs = [doc for _, doc in found[:size]]
    if len(found) <= size:
        return Page(docs=docs, next=None)
    moment, last = found[size - 1]
    large.places[start + size] = (moment, large.order.rank(last))
    return Page(docs=docs, next=start + size, coming=str(found[size][1]["id"]))


def asked_again(store: Store, walk: Walk[P], old: Large, new: Large, start: int) -> None:
    """Let a result go on as if its query ran again (`walk` and `new`): behind as many issues of the new order.

    Issues changed meanwhile have gone to the end of an ascending order, so as many of those to come are passed
    over; in a descending one they have gone to the front, and as many of those served come again.
    """
    place = old.places.get(start)
    new.places[start] = place
    if place is None:
        return
    order, known, span = new.order, old.known, new.span
    away = [(stamp[:_MOMENT], id_) for stamp, id_ in walk.displaced if id_ not in known]
    there = store.pick(span.space, span.kind, [id_ for _, id_ in away])
    behind = sum(1 for moment, id_ in away if id_ in there and _is_behind(moment, there[id_], order, place))
    gone = behind if order.descending else sum(1 for _, id_ in away if id_ in there) - behind
    fresh = replace(walk, displaced=[], moved=set())
    if not gone:
        return
    way = order.turned() if order.descending else order
    passed = _after(store, fresh, new, way, place, gone)[:gone]
    if len(passed) == gone:
        new.places[start] = (passed[-1][0], order.rank(passed[-1][1]))
    elif order.descending:
        new.places[start] = None


def _after(store: Store, walk: Walk[P], large: Large, order: Order, place: Place | None, wanted: int) -> list[Entry]:
    """Return at least so many issues behind a place (fewer only where the result ends), in order."""
    span, test = large.span, large.span.test
    until = min(span.until or _END, walk.opened)
    known = large.known if test is not None and large.elsewhere else frozenset()
    at: Key | None = None
    if place is not None:  # the whole moment is read again: its issues come in another order than the store's
        at = (place[0] + _END if order.descending else place[0], "")
    found: list[Entry] = []
    held: list[Entry] = []  # of the moment that may go on in the next rows
    take = wanted + (1 if place is None else 2)
    last = False
    while len(found) < wanted and not last:
        rows = store.page(
            span.space, span.kind, size=take, since=span.since, until=until, after=at, parent=span.parent,
            backwards=order.descending,
        )  # fmt: skip
        last = len(rows) < take
        reached = (rows[-1][0], rows[-1][1]) if rows else at
        moved = walk.moved
        entries = [(stamp[:_MOMENT], orjson.loads(body)) for stamp, id_, body in rows if id_ not in moved]
        away = _displaced(store, walk, span, order, after=at, to=None if last else reached)
        if away:
            entries = sorted(entries + away, key=itemgetter(0), reverse=order.descending)
        if test is not None:
            entries = [entry for entry in entries if test(entry[1]) or entry[1]["id"] in known]
        entries = held + entries
        held = []
        if not last and reached is not None:
            entries, held = _split(entries, reached[0][:_MOMENT])
        found += _ranked(entries, order, place)
        at = reached
        take = max(wanted - len(found), min(2 * take, _READ_ON))
    return found


def _split(entries: list[Entry], moment: str) -> tuple[list[Entry], list[Entry]]:
    """Part the entries of the moment the rows end in from those before it."""
    cut = len(entries)
    while cut and entries[cut - 1][0] == moment:
        cut -= 1
    return entries[:cut], entries[cut:]


def _ranked(entries: list[Entry], order: Order, place: Place | None) -> list[Entry]:
    """Put each moment in order and leave out what lies before the place."""
    rank = order.rank
    if place is not None and entries and entries[0][0] == place[0]:
        entries = [entry for entry in entries if _is_behind(*entry, order, place)]
    if len({moment for moment, _ in entries}) < len(entries):
        entries = sorted(entries, key=lambda entry: rank(entry[1]), reverse=order.rank_descending)
        entries.sort(key=itemgetter(0), reverse=order.descending)
    return entries


def _is_behind(moment: str, issue: Doc, order: Order, place: Place) -> bool:
    if moment != place[0]:
        return moment < place[0] if order.descending else moment > place[0]
    rank = order.rank(issue)
    return bool(rank < place[1] if order.rank_descending else rank > place[1])


def _displaced(
    store: Store, walk: Walk[P], span: Span, order: Order, *, after: Key | None, to: Key | None
) -> list[Entry]:
    """Return the issues whose old place lies among the rows just read, as they are now."""
    places = walk.displaced
    if order.descending:
        low = 0 if to is None else bisect_left(places, to)
        high = len(places) if after is None else bisect_left(places, after)
    else:
        low = 0 if after is None else bisect_right(places, after)
        high = len(places) if to is None else bisect_right(places, to)
    if low >= high:
        return []
    there = store.pick(span.space, span.kind, [id_ for _, id_ in places[low:high]])
    entries = [(stamp[:_MOMENT], there[id_]) for stamp, id_ in places[low:high] if id_ in there]
    return entries[::-1] if order.descending else entries
