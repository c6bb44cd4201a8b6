"""The tool's HTTP face: every endpoint, behind the token, the limits and the faults."""

from __future__ import annotations

import re

from sandbox.airtable.access import Door
from sandbox.airtable.comments import Comments
from sandbox.airtable.errors import bad_path
from sandbox.airtable.feed import Feed
from sandbox.airtable.limits import RateLimit
from sandbox.airtable.listing import Listing
from sandbox.airtable.meta import Meta
from sandbox.airtable.mishaps import Mishaps
from sandbox.airtable.oauth import RENEWAL, OAuth
from sandbox.airtable.pings import Pings
from sandbox.airtable.records import Records
from sandbox.airtable.schema import Schema
from sandbox.airtable.webhooks import Webhooks
from sandbox.airtable.writes import Writer
from sandbox.calls import Answer, Call, RefusedCall, Routes
from sandbox.faults.hooks import Hooks
from sandbox.stamps import Clock
from sandbox.store import Store

_BASE = re.compile(r"/v0/(?:meta/bases/|bases/)?(app\w+)")


class AirtableServer:
    """A function from Call to Answer over one space of the store, which may hold several bases."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Serve the bases of a space."""
        self._clock = clock
        self._door = door = Door(store, space, clock)
        feed, pings = Feed(store, space, door.tables), Pings(store, space, clock)

        def ring() -> None:
            due, feed.due = feed.due, []
            pings.send(due)

        writer = Writer(store, space, door.tables, clock, told=feed.told, ring=ring)
        self._limit = RateLimit(store, space)
        listing = Listing(store, space, door, clock)
        mishaps = Mishaps(store, space, clock, door=door, writer=writer, iterators=listing.iterators, limit=self._limit)
        self.hooks: Hooks = mishaps.hooks()
        self._routes = Routes(
            [
                *OAuth(store, space, clock).routes(),
                *Meta(store, space, door).routes(),
                *Schema(door, writer).routes(),
                *Webhooks(store, space, door, clock).routes(),
                *Records(store, space, door, writer, listing, clock).routes(),
                *Comments(store, space, door, clock).routes(),
            ]
        )

    def __call__(self, call: Call) -> Answer:
        """Answer one request as the service would."""
        actor = ""
        try:
            if call.path != RENEWAL:
                if not call.path.startswith("/v0/"):
                    raise bad_path()
                actor = self._door.caller(call).user
                base = _BASE.match(call.path)
                self._limit.passed(self._clock(), base=base[1] if base else "", account=actor)
            found = self._routes.find(call)
            if not isinstance(found, tuple):
                raise bad_path()
            handler, routed = found
            answer = handler(routed)
        except RefusedCall as error:
            answer = error.answer
        return answer.plus({"x-sandbox-actor": actor}) if actor else answer
