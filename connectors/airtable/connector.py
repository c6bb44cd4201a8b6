"""An Airtable base as a source of the hub."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from connectors.airtable import pull
from connectors.airtable.parse import asked
from connectors.airtable.sign_in import Keys, PersonalToken, RenewedToken
from connectors.airtable.web import Web
from connectors.airtable.write import LINKS, MANY, ONE, OwnerCellWriter
from connectors.base import Absence, OwnerWriter
from connectors.wire import Meter
from hub.charter.secret import Secret
from hub.charter.sources import AirtableConnection, AirtableSource
from hub.domain.records import Page, Problem
from hub.errors import HubError, SourceRefused


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
        """Sign-in, tables, fields and their types, and whether collaborators can be listed."""
        try:
            self._web.me()
            tables = self._web.tables(fresh=True)
            people = self._web.collaborators()
        except HubError as error:
            return (Problem(where=self._name, what=error.message, hint=error.advice),)
        problems: list[Problem] = []
        items, updates = self._source.items, self._source.updates
        named = [("items", items.table, asked(items))]
        if updates:
            named.append(("updates", updates.table, (updates.item, updates.text, updates.by, updates.at)))
        for part, table, fields in named:
            problems += self._missing(part, table, fields, tables)
        kinds = {f.get("id"): f.get("type") for f in tables.get(items.table, {}).get("fields") or ()}
        expected = {items.owner: (ONE, MANY, LINKS), items.modified: ("lastModifiedTime",)}
        for field, types in expected.items():
            if field in kinds and kinds[field] not in types:
                problems.append(
                    Problem(
                        where=f"{self._name}.items",
                        what=f"field {field} is of type {kinds[field]}",
                        hint=f"it must be one of {', '.join(types)}",
                    )
                )
        if people is None:
            problems.append(
                Problem(
                    where=self._name,
                    what="collaborators cannot be listed with this plan or token",
                    hint="people are then known only from the cells they appear in",
                    severity="warning",
                )
            )
        return tuple(problems)

    def _missing(
        self, part: str, table: str, fields: tuple[str, ...], tables: dict[str, dict[str, object]]
    ) -> Iterator[Problem]:
        if table not in tables:
            yield Problem(
                where=f"{self._name}.{part}.table",
                what=f"table {table} does not exist in base {self._source.base}",
                hint="use the table's id (tbl...)",
            )
            return
        listed = tables[table].get("fields")
        known = {f.get("id") for f in listed if isinstance(f, dict)} if isinstance(listed, list) else set()
        for field in fields:
            if field not in known:
                yield Problem(
                    where=f"{self._name}.{part}",
                    what=f"field {field} does not exist in table {table}",
                    hint="use the field's id (fld...), not its name",
                )


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
