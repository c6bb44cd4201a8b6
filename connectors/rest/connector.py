"""A configured service as a source of the hub."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import orjson

from connectors.base import Absence, OwnerWriter
from connectors.rest import parse, presence
from connectors.rest.places import ABSENT, at
from connectors.rest.pull import ACCOUNTS, Puller
from connectors.rest.web import Web
from hub.charter.secret import Secret
from hub.charter.sources import RestAccounts, RestSource, RestStream
from hub.domain.records import Page, Problem
from hub.errors import SourceError, SourceRefused


class RestConnector:
    """Stream `accounts` (where the charter describes one) and the streams of items the charter names."""

    def __init__(
        self,
        name: str,
        source: RestSource,
        secret: Callable[[str], Secret],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._source = source
        self._web = Web(name, source.connection, secret, sleep=sleep)
        self._puller = Puller(self._web)

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        return self._web.meter.calls

    @property
    def writer(self) -> OwnerWriter | None:
        """None: a configured service is only read."""
        return None

    def streams(self) -> tuple[str, ...]:
        """Accounts first, then the streams in the order of the charter."""
        return ((ACCOUNTS,) if self._source.accounts else ()) + tuple(self._source.streams)

    def pull(self, stream: str, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        """Pages of one stream; see `connectors.rest.pull`."""
        if stream == ACCOUNTS and self._source.accounts:
            return self._puller.accounts(self._source.accounts, now=now)
        return self._puller.items(stream, self._items(stream), cursor, now=now)

    def census(self, stream: str) -> int | None:
        """None: a count that every service would tell in the same way does not exist."""
        del stream
        return None

    def ids(self, stream: str) -> Iterator[str] | None:
        """Ids of everything in the list; None for accounts, whose list is read whole with every pull."""
        return None if stream == ACCOUNTS else presence.ids(self._web, self._items(stream))

    def prove(self, stream: str, ids: Sequence[str], *, now: datetime) -> tuple[Absence, ...]:
        """What a direct read says; nothing where the charter gives no path of a single record."""
        if stream == ACCOUNTS:
            return ()
        return presence.prove(self._web, self._items(stream), ids, now=now)

    def fetch(self, stream: str, ids: Sequence[str], *, now: datetime) -> Iterator[Page]:
        """These records by direct read, in pages without a cursor."""
        if stream == ACCOUNTS:
            return iter(())
        return self._puller.fetch(stream, self._items(stream), ids, now=now)

    def deletions(self, stream: str, cursor: str | None, *, now: datetime) -> tuple[tuple[Absence, ...], str | None]:
        """What the list of deleted records holds, where the charter describes one."""
        del now
        if stream == ACCOUNTS:
            return (), None
        return presence.deletions(self._web, self._items(stream), cursor)

    def reparse(self, stream: str, payload: bytes, *, now: datetime) -> Page | None:
        """A kept record of a stream of items read with the present mapping; None for people, who come again with
        every pull, and for a record that lacks a field named now: `fetch` may have it."""
        if stream == ACCOUNTS:
            return None
        page = self._puller.one(stream, self._items(stream), orjson.loads(payload), now=now)
        return page if page.records else None

    def check(self) -> tuple[Problem, ...]:
        """Address, credentials and mapping: the first page of every listing is read and looked at."""
        problems: list[Problem] = []
        if self._source.accounts:
            problems += self._look(ACCOUNTS, self._source.accounts)
        for name, stream in self._source.streams.items():
            problems += self._look(name, stream)
        return tuple(problems)

    def _look(self, name: str, listing: RestAccounts | RestStream) -> Iterator[Problem]:
        where = f"{self._name}.{name}"
        try:
            records, _ = next(self._web.walk(listing, {}))
        except SourceError as error:
            yield Problem(where=where, what=error.message, hint=error.advice)
            return
        if not records:
            return
        if isinstance(listing, RestStream):
            lenient, named = listing.absent_is_empty, (listing.id, *parse.places(listing))
        else:
            optional = (listing.email, listing.modified, listing.inactive)
            lenient, named = False, (listing.id, *listing.name, *(place for place in optional if place))
        for place in named:
            if all(at(record, place) is ABSENT for record in records):
                yield Problem(
                    where=where,
                    what=f"none of {len(records)} records has a field {place}",
                    hint="compare the charter with a reply of the service; places are keys joined by dots",
                    severity="warning" if lenient else "error",
                )

    def _items(self, stream: str) -> RestStream:
        if stream not in self._source.streams:
            raise SourceRefused(
                f"{self._name}: no stream {stream!r}",
                source=self._name,
                hint=f"one of {', '.join(self.streams())}",
            )
        return self._source.streams[stream]


def connect(name: str, source: RestSource, secret: Callable[[str], Secret]) -> RestConnector:
    """The connector of a configured service; nothing is sent. Raises ConfigurationError for a missing secret."""
    return RestConnector(name, source, secret)
