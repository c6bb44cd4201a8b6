"""An Airtable base as a source of the hub."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from connectors.airtable import look, pull
from connectors.airtable.sign_in import Keys, PersonalToken, RenewedToken
from connectors.airtable.web import Web
from connectors.airtable.write import OwnerCellWriter
from connectors.base import Absence, OwnerWriter
from connectors.wire import Meter
from hub.charter.secret import Secret
from hub.charter.sources import AirtableConnection, AirtableSource
from hub.domain.records import Page, Problem
from hub.errors import SourceRefused


class AirtableConnector:
    """Streams `collaborators`, `items` and `updates` of one base; a record is its `rec...` id."""

    def __init__(
        self,
        name: str,
        source: AirtableSource,
        secret: Callable[[str], Secret],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._source = source
        self._meter = Meter()
        connection = source.connection
        self._web = Web(
            name,
            connection.endpoint_url,
            source.base,
            _keys(name, connection, secret, self._meter),
            per_second=connection.requests_per_second,
            ca_file=connection.ca_file,
            meter=self._meter,
            clock=clock,
            sleep=sleep,
        )
        self._puller = pull.Puller(self._web, source)
        self._writer = OwnerCellWriter(self._web, source.items, self._web.write_session()) if source.writable else None

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        return self._meter.calls

    @property
    def writer(self) -> OwnerWriter | None:
        """Writes owner cells, when the charter says the source is writable."""
        return self._writer

    def streams(self) -> tuple[str, ...]:
        """Accounts, items, and updates when the charter names a table of them."""
        named = (pull.COLLABORATORS, pull.ITEMS, pull.UPDATES)
        return named if self._source.updates else named[:2]

    def pull(self, stream: str, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        """Pages of collaborators, items or updates; see `connectors.airtable.pull`."""
        if stream not in self.streams():
            raise SourceRefused(
                f"{self._name}: no stream {stream!r}",
                source=self._name,
                hint=f"one of {', '.join(self.streams())}",
            )
        pulls = {
            pull.COLLABORATORS: self._puller.collaborators,
            pull.ITEMS: self._puller.items,
            pull.UPDATES: self._puller.updates,
        }
        return pulls[stream](cursor, now=now)

    def reparse(self, stream: str, payload: bytes, *, now: datetime) -> Page | None:
        """A record out of the payload that was kept; see `connectors.airtable.pull`."""
        return self._puller.reparse(stream, payload, now=now)

    def census(self, stream: str) -> int | None:
        """None: Airtable counts nothing for us; only a full pull does."""
        del stream
        return None

    def ids(self, stream: str) -> Iterator[str] | None:
        """Ids of all records of a table, each once; None for collaborators. Raises SourceError."""
        return self._puller.ids(stream)

    def prove(self, stream: str, ids: Sequence[str], *, now: datetime) -> tuple[Absence, ...]:
        """What became of records, one GET each; see `connectors.airtable.presence`. Raises SourceError."""
        return self._puller.prove(stream, ids, now=now)

    def fetch(self, stream: str, ids: Sequence[str], *, now: datetime) -> Iterator[Page]:
        """These records again, a hundred to a request; pages without a cursor. Raises SourceError."""
        return self._puller.fetch(stream, ids, now=now)

    def deletions(self, stream: str, cursor: str | None, *, now: datetime) -> tuple[tuple[Absence, ...], str | None]:
        """Nothing: Airtable tells no deletions by itself."""
        del stream, cursor, now
        return (), None

    def check(self) -> tuple[Problem, ...]:
        """Sign-in, missing scopes, tables, fields and their types, the right to write."""
        return look.problems(self._name, self._web, self._source)


def _keys(name: str, connection: AirtableConnection, secret: Callable[[str], Secret], meter: Meter) -> Keys:
    oauth = connection.oauth
    if oauth is not None:
        return RenewedToken(
            name,
            oauth,
            secret(oauth.client_secret) if oauth.client_secret else None,
            ca_file=connection.ca_file,
            meter=meter,
        )
    return PersonalToken(secret(str(connection.token)))


def connect(name: str, source: AirtableSource, secret: Callable[[str], Secret]) -> AirtableConnector:
    """The connector of a configured base; nothing is sent. Raises ConfigurationError for a missing secret."""
    return AirtableConnector(name, source, secret)
