"""Open listings: what a listing found, kept between its pages until nobody has asked for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.airtable.conditions import Condition
from sandbox.airtable.finding import Many
from sandbox.airtable.printing import Plan
from sandbox.airtable.writes import new_id
from sandbox.store import Doc, Store
from sandbox.walks import Walk, Walks

_MOST = 200  # open listings of one account
Records = tuple[list[Doc], str | None]  # a page, and the offset of the next one


@dataclass(slots=True, kw_only=True)
class Listed:
    """What a listing needs besides its records: how they are printed, and the borders of the pages it told."""

    plan: Plan
    used: datetime
    most: int | None = None  # records it may tell in all
    condition: Condition | None = None
    borders: dict[str, int] = field(default_factory=dict)  # first record of a page -> its place


OpenListing = Walk[Listed]


class Iterators:
    """The open listings of a space; a restart of the server forgets them, as does idleness.

    Few records are kept by their ids, many by a place in the order of change.
    """

    def __init__(self, store: Store, space: str, *, idle_seconds: float) -> None:
        """Forget a listing when nobody has asked for so many seconds."""
        self._store = store
        self._space = space
        self._idle = timedelta(seconds=idle_seconds)
        self._walks: Walks[Listed] = Walks(store, most=_MOST, named=lambda: new_id("itr"))

    def few(self, owner: str, ids: Sequence[str], plan: Plan, now: datetime) -> Records:
        """Begin a listing of known records for an account; it is kept when they do not fit on a page."""
        if len(ids) <= plan.size:
            there = self._store.pick(self._space, "record", ids)
            return [there[id_] for id_ in ids if id_ in there], None
        self._walks.forget_while(lambda walk: now - walk.plan.used > self._idle)
        return self.page(self._walks.open(owner, ids, Listed(plan=plan, used=now)), 0)

    def many(self, owner: str, found: Many, plan: Plan, now: datetime, *, most: int | None) -> Records:
        """Begin a listing of many records, of which it tells `most` at most (None: all)."""
        listed = Listed(plan=plan, used=now, most=most, condition=found.condition)
        walk = self._walks.spanning(owner, found.span, listed, total=0, opened=found.opened, elsewhere=found.elsewhere)
        docs, offset = self.page(walk, 0)
        if offset is not None:
            self._walks.forget_while(lambda walk: now - walk.plan.used > self._idle)
            self._walks.keep(walk)
        return docs, offset

    def find(self, offset: str, now: datetime) -> tuple[OpenListing, int] | None:
        """Return the listing and the place an offset stands for, or None when it is not known (any more)."""
        name, _, record = offset.partition("/")
        walk = self._walks.find(name)
        if walk is None or record not in walk.plan.borders:
            return None
        if now - walk.plan.used > self._idle:
            self.forget(name)
            return None
        walk.plan.used = now
        return walk, walk.plan.borders[record]

    def page(self, walk: OpenListing, place: int) -> Records:
        """Return the page that begins at a place: its records as they are now, without those that are gone."""
        listed = walk.plan
        size = listed.plan.size if listed.most is None else min(listed.plan.size, listed.most - place)
        page = self._walks.read(walk, place, size, space=self._space, kind="record")
        if page is None:
            return [], None
        if page.next is None or (listed.most is not None and page.next >= listed.most):
            return page.docs, None
        listed.borders[page.coming] = page.next
        return page.docs, f"{walk.name}/{page.coming}"

    def coming(self, walk: OpenListing, place: int) -> list[str]:
        """Name the records of the page that begins at a place."""
        page = self._walks.read(walk, place, walk.plan.plan.size, space=self._space, kind="record")
        return [] if page is None else [str(doc["id"]) for doc in page.docs]

    def disturb(self, walk: OpenListing, *, missed: str, again: str) -> None:
        """Pass one record over from now on, and tell another once more at the end."""
        self._walks.swap(walk, missed=missed, again=again)

    def forget(self, name: str) -> None:
        """Close a listing; nothing happens when it is not open."""
        self._walks.forget(name)
