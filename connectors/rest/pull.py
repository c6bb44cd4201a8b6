"""Pulling the listings of a configured service, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from connectors.rest import parse
from connectors.rest.places import Unreadable, at
from connectors.rest.web import Web
from hub.charter.sources import RestAccounts, RestListing, RestSince, RestStream
from hub.domain.records import Observation, Page, Quarantined, RawRecord

ACCOUNTS = "accounts"
_WALKS = 3  # through a list that moves under us, before this pull gives up on getting further
_POSITIONAL = frozenset({"offset", "page"})

Read = Callable[[Any, str], tuple[Observation, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Cursor of a stream: the highest modified stamp of a walk that was read to its end (None: none yet)."""

    stamp: datetime | None = None

    @classmethod
    def parse(cls, cursor: str | None) -> Position:
        """The position a cursor describes (None: the beginning)."""
        stamp = orjson.loads(cursor).get("stamp") if cursor else None
        return cls(stamp=datetime.fromisoformat(stamp) if stamp else None)

    def text(self) -> str:
        """The cursor."""
        return orjson.dumps({"stamp": self.stamp.astimezone(UTC).isoformat() if self.stamp else None}).decode()

    def filter(self, since: RestSince | None) -> dict[str, str]:
        """The parameter that asks for what has changed since, with the overlap; nothing for everything."""
        if since is None or self.stamp is None:
            return {}
        start = self.stamp - since.overlap
        # Whole units, rounded down: what is asked for begins rather too early than too late.
        ways = {
            "iso": start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "epoch": str(int(start.timestamp())),
            "epoch_ms": str(int(start.timestamp()) * 1000),
        }
        return {since.parameter: ways[since.format]}


class Puller:
    """The pulls of one service."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def items(self, name: str, stream: RestStream, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        """Records changed since the cursor, or all where the service cannot filter.

        The order of a foreign list is not known, so the cursor moves once, with the last page. Pages told apart by
        position alone skip a record when another one before it goes away; such a list is walked until two walks
        in a row agree, and the cursor stays where it was when none do.
        """
        began = Position.parse(cursor)
        highest = began.stamp
        extra = began.filter(stream.since)
        positional = stream.paging.kind in _POSITIONAL
        read = self._item(stream)
        # Not beyond the clock at the start of the walk: what is edited behind our back while we walk is newer.
        bound: datetime | None = None
        told: set[tuple[str, str]] = set()
        before: set[tuple[str, str]] | None = None
        for walk in range(1, _WALKS + 1):
            met: set[tuple[str, str]] = set()
            pages = 0
            for records, last in self._web.walk(stream, extra):
                pages += 1
                bound = bound or self._web.date or now
                batch = Batch(self._web.source, name, now)
                for record in records:
                    version, stamp = _version(record, stream)
                    if stamp is not None:
                        highest = max(highest, stamp) if highest else stamp
                    if positional:
                        identity = (_native(record, stream), version)
                        met.add(identity)
                        if identity in told and identity[0]:
                            continue
                        told.add(identity)
                    batch.take(_native(record, stream), version, record, read)
                settled = not positional or met == before or (pages == 1 and last)
                done = last and (settled or walk == _WALKS)
                position = Position(stamp=min(highest, bound)) if last and settled and highest else began
                yield batch.page(position.text())
                if done:
                    return
            before = met

    def fetch(self, name: str, stream: RestStream, ids: Sequence[str], *, now: datetime) -> Iterator[Page]:
        """These records again by direct read, a page without a cursor for each that is there."""
        for native in ids if stream.record else ():
            response = self._web.single(stream.record or "", native)
            if response.status_code not in {404, 410}:
                yield self.one(name, stream, self._web.json(response), now=now)

    def one(self, name: str, stream: RestStream, record: Any, *, now: datetime) -> Page:
        """A page of this one record, without a cursor."""
        batch = Batch(self._web.source, name, now)
        batch.take(_native(record, stream), _version(record, stream)[0], record, self._item(stream))
        return batch.page(None)

    def accounts(self, listing: RestAccounts, *, now: datetime) -> Iterator[Page]:
        """Everybody, every time; then those of the listing of deleted ones, as no longer active."""
        walks: list[tuple[dict[str, str], bool]] = [({}, False)]
        if listing.deleted:
            walks.append((listing.deleted.params, True))
        for extra, gone in walks:
            for records, _ in self._web.walk(listing, extra):
                batch = Batch(self._web.source, ACCOUNTS, now)
                # People without a stamp are told as of the full hour, so that reading them twice says the same.
                hour = (self._web.date or now).replace(minute=0, second=0, microsecond=0)
                read = _person(listing, self._web.source, hour, gone)

                for record in records:
                    version = str(at(record, listing.modified)) if listing.modified else ""
                    batch.take(_native(record, listing), version, record, read)
                yield batch.page(Position().text())

    def _item(self, stream: RestStream) -> Read:
        def read(record: Any, raw: str) -> tuple[Observation, ...]:
            return parse.item(record, stream, source=self._web.source, raw=raw)

        return read


def _person(listing: RestAccounts, source: str, seen: datetime, gone: bool) -> Read:
    def read(record: Any, raw: str) -> tuple[Observation, ...]:
        return parse.account(record, listing, source=source, seen=seen, raw=raw, gone=gone)

    return read


def _native(record: Any, listing: RestListing) -> str:
    try:
        return parse.native_id(record, listing)
    except Unreadable:
        return ""


def _version(record: Any, stream: RestStream) -> tuple[str, datetime | None]:
    try:
        stamp = parse.modified(record, stream.modified)
    except Unreadable:
        return "", None
    return stamp.isoformat(), stamp


class Batch:
    """What becomes a page."""

    def __init__(self, source: str, stream: str, now: datetime) -> None:
        self._source = source
        self._stream = stream
        self._now = now
        self._records: list[RawRecord] = []
        self._quarantined: list[Quarantined] = []
        self._observations: list[Observation] = []

    def take(self, native: str, version: str, value: Any, read: Read) -> None:
        """Take a record with what it says, or put it aside with the reason."""
        raw = RawRecord(
            source=self._source,
            stream=self._stream,
            native_id=native,
            version=version,
            payload=orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS),
            fetched_at=self._now,
        )
        try:
            said = read(value, raw.digest)
        except (Unreadable, LookupError, TypeError, AttributeError, ValueError) as error:
            self._quarantined.append(
                Quarantined(
                    source=self._source,
                    stream=self._stream,
                    native_id=native,
                    reason=str(error) if isinstance(error, Unreadable) else f"of an unexpected shape ({error})",
                    payload=raw.payload,
                )
            )
            return
        self._records.append(raw)
        self._observations += said

    def page(self, cursor: str | None) -> Page:
        """What was taken, as a page with this cursor."""
        return Page(
            records=tuple(self._records),
            observations=tuple(self._observations),
            quarantined=tuple(self._quarantined),
            cursor=cursor,
        )
