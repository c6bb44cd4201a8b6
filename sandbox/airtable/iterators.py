"""Open listings: which ids a listing found, kept between its pages until nobody has asked for a while."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.airtable.printing import Plan
from sandbox.airtable.writes import new_id

_MOST = 200  # open listings of one account
_MOST_IDS = 3_000_000  # over all of them: a sandbox that runs for days must not fill the memory


@dataclass(slots=True, kw_only=True)
class OpenListing:
    """A listing with the ids it found, in order, and the borders of the pages that were told."""

    name: str
    owner: str
    ids: list[str]
    plan: Plan
    used: datetime
    borders: dict[str, int] = field(default_factory=dict)  # first record of a page -> its place

    def offset(self, place: int) -> str:
        """Return the offset of the page that begins at a place."""
        self.borders[self.ids[place]] = place
        return f"{self.name}/{self.ids[place]}"


class Iterators:
    """The open listings of a space; a restart of the server forgets them, as does idleness."""

    def __init__(self, *, idle_seconds: float) -> None:
        """Forget a listing when nobody has asked for so many seconds."""
        self._idle = timedelta(seconds=idle_seconds)
        self._open: OrderedDict[str, OpenListing] = OrderedDict()
        self._held = 0

    def open(self, owner: str, ids: list[str], plan: Plan, now: datetime) -> OpenListing:
        """Keep a listing for an account; its oldest ones make way."""
        walk = OpenListing(name=new_id("itr"), owner=owner, ids=ids, plan=plan, used=now)
        self._open[walk.name] = walk
        self._held += len(ids)
        mine = [name for name, known in self._open.items() if known.owner == owner]
        for name in mine[:-_MOST]:
            self.forget(name)
        while self._held > _MOST_IDS and len(self._open) > 1:
            self.forget(next(iter(self._open)))
        return walk

    def find(self, offset: str, now: datetime) -> tuple[OpenListing, int] | None:
        """Return the listing and the place an offset stands for, or None when it is not known (any more)."""
        name, _, record = offset.partition("/")
        walk = self._open.get(name)
        if walk is None or record not in walk.borders:
            return None
        if now - walk.used > self._idle:
            self.forget(name)
            return None
        walk.used = now
        self._open.move_to_end(name)
        return walk, walk.borders[record]

    def forget(self, name: str) -> None:
        """Close a listing; nothing happens when it is not open."""
        walk = self._open.pop(name, None)
        if walk is not None:
            self._held -= len(walk.ids)
