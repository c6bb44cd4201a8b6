"""The Salesforce connector: streams, pages, census, and what `hub check` asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from connectors.base import Absence, OwnerWriter
from connectors.salesforce import bulk, check, parse, presence, soql
from connectors.salesforce.again import enough
from connectors.salesforce.org import ALLOWED_HOSTS, Org
from connectors.salesforce.parse import Place, Row, Unreadable
from connectors.salesforce.pull import IDS_PER_QUERY, Batch, Position, by_id, related, restored, stored, walk
from connectors.salesforce.write import SalesforceOwnerWriter
from connectors.transport import READ, session
from connectors.wire import Meter
from connectors.write_transport import write_session
from hub.charter.secret import Secret
from hub.charter.sources import SalesforceObject, SalesforceSource
from hub.domain.records import Observation, Page, Problem, Quarantined, RawRecord
from hub.errors import ConfigurationError

USERS = "users"
_GROUP = "00G"  # ids of groups begin like that
_COMMENTS, _APPROVALS = ".comments", ".approvals"
_QUEUES_ONLY = soql.compare("Type", "=", "Queue")


def connect(name: str, source: SalesforceSource, secret: Callable[[str], Secret]) -> SalesforceConnector:
    """The connector of a configured org; it signs in when first asked for something."""
    return SalesforceConnector(name, source, secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """One record with what was fetched for it, and the function that reads it."""

    row: Row
    payload: Mapping[str, Any]
    read: Callable[[Place], tuple[Observation, ...]]


class SalesforceConnector:
    """Reads one org; see `connectors.base` for the contract."""

    def __init__(
        self,
        name: str,
        source: SalesforceSource,
        secret: Callable[[str], Secret],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._source = source
        self._meter = Meter()
        self._sleep = sleep
        base_url, ca_file = source.connection.base_url, source.connection.ca_file
        self._org = Org(
            name,
            source.connection,
            secret,
            session(
                name,
                base_url=base_url,
                allowed_hosts=ALLOWED_HOSTS,
                ca_file=ca_file,
                meter=self._meter,
                sleep=sleep,
            ),
            repeat=READ,
        )
        self._writer = (
            SalesforceOwnerWriter(
                name,
                source.objects,
                self._org,
                write_session(name, base_url=base_url, allowed_hosts=ALLOWED_HOSTS, ca_file=ca_file, meter=self._meter),
            )
            if source.writable
            else None
        )

    @property
    def calls(self) -> int:
        """Requests sent so far, reading and writing."""
        return self._meter.calls

    @property
    def writer(self) -> OwnerWriter | None:
        """The write half, when the charter makes this source writable."""
        return self._writer

    def streams(self) -> tuple[str, ...]:
        """Users first, then each configured object with its comments and approvals."""
        names = [USERS]
        for sobject, mapping in self._source.objects.items():
            names.append(sobject)
            if mapping.comments and sobject == "Case":
                names.append(sobject + _COMMENTS)
            if mapping.approvals:
                names.append(sobject + _APPROVALS)
        return tuple(names)

    def pull(self, stream: str, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        """Pages of one stream, oldest change first. Raises SourceError."""
        positions = {part: restored(cursor, part) for part in self._parts(stream)}
        for part, start in tuple(positions.items()):
            for batch in self._walk(stream, part, start):
                positions[part] = batch.position
                documents = self._documents(stream, part, batch.rows)
                yield self._page(stream, documents, stored(positions), now=now, total=batch.total)

    def reparse(self, stream: str, payload: bytes, *, now: datetime) -> Page | None:
        """The page of one record out of a payload that was kept; None where the payload may lack what the
        charter asks for now. Raises SourceError when the sign-in fails."""
        held = orjson.loads(payload)
        row = held["record"]
        part = self._parts(stream)[0]
        if stream == USERS and str(row.get("Id")).startswith(_GROUP):
            part = "Group"
        if part == "ProcessInstance":
            document = _approval(stream.removesuffix(_APPROVALS), row, held["steps"], held["workitems"])
        elif part in {"User", "Group", "CaseComment"}:
            document = _Document(row=row, payload=held, read=self._plain_reader(stream, part, row))
        elif enough(part, self._source.objects[part], held):
            document = _item(part, self._source.objects[part], row, held["history"])
        else:
            return None
        return self._page(stream, iter((document,)), None, now=now, total=None)

    def census(self, stream: str) -> int | None:
        """The org's own count of the records of a stream. Raises SourceError."""
        return sum(self._org.count(part, *self._question(stream, part)[1]) for part in self._parts(stream))

    def ids(self, stream: str) -> Iterator[str]:
        """Ids of all records of a stream, two thousand a call. Raises SourceError."""
        for part in self._parts(stream):
            yield from presence.ids_of(self._org, part, *self._question(stream, part)[1])

    def prove(self, stream: str, ids: Sequence[str], *, now: datetime) -> tuple[Absence, ...]:
        """What became of records, by direct read, deleted ones too. Raises SourceError."""
        return tuple(
            absence
            for part, some in self._by_part(stream, ids)
            for absence in presence.proofs(self._org, part, some, now=now)
        )

    def fetch(self, stream: str, ids: Sequence[str], *, now: datetime) -> Iterator[Page]:
        """These records again, whatever the cursor. Raises SourceError."""
        for part, some in self._by_part(stream, ids):
            fields, conditions = self._question(stream, part)
            for start in range(0, len(some), IDS_PER_QUERY):
                wanted = soql.within("Id", some[start : start + IDS_PER_QUERY])
                rows = tuple(by_id(self._org, fields, part, *conditions, wanted))
                yield self._page(stream, self._documents(stream, part, rows), None, now=now, total=None)

    def deletions(self, stream: str, cursor: str | None, *, now: datetime) -> tuple[tuple[Absence, ...], str | None]:
        """Deletions and merges since a cursor of their own; users and approvals have no such log.

        Raises SourceError.
        """
        del now  # the log goes by the org's clock
        if stream == USERS or stream.endswith(_APPROVALS):
            return (), None
        (part,) = self._parts(stream)
        told = presence.deletions(self._org, part, _instant_or_none(cursor))
        return told.absences, told.covered.isoformat()

    def check(self) -> tuple[Problem, ...]:
        """Sign-in, objects, fields, histories, and the right to change owners; all problems at once."""
        return check.problems(self._name, self._source, self._org)

    # -- walking ---------------------------------------------------------------------------------------------

    def _walk(self, stream: str, part: str, position: Position) -> Iterator[Batch]:
        """Batches of one object: large first loads in bulk, everything else by query."""
        fields, conditions = self._question(stream, part)
        batches = None
        if position.job is not None:
            batches = bulk.load(self._org, fields, part, position, sleep=self._sleep)
            # Without its job nothing of an unfinished load is left to go on from.
            position = Position() if batches is None else position
        if position.untouched and bulk.suits(fields, conditions):
            large = self._org.count(part) > self._source.bulk_above
            started = bulk.start(self._org, fields, part) if large else None
            if started is not None:
                batches = bulk.load(self._org, fields, part, started, sleep=self._sleep)
        return walk(self._org, fields, part, position, *conditions) if batches is None else batches

    # -- asking ----------------------------------------------------------------------------------------------

    def _parts(self, stream: str) -> tuple[str, ...]:
        """Salesforce objects a stream is made of; each has its own position in the cursor."""
        if stream not in self.streams():
            raise ConfigurationError(f"{self._name} has no stream {stream!r}")
        if stream == USERS:
            return ("User", "Group")
        if stream.endswith(_COMMENTS):
            return ("CaseComment",)
        return ("ProcessInstance",) if stream.endswith(_APPROVALS) else (stream,)

    def _by_part(self, stream: str, ids: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
        """The parts of a stream with the ids that belong to each."""
        parts = self._parts(stream)
        for part in parts:
            prefix = {"User": "005", "Group": "00G"}.get(part, "")
            some = [each for each in ids if each.startswith(prefix)]
            if some:
                yield part, some

    def _question(self, stream: str, part: str) -> tuple[Sequence[str], tuple[str, ...]]:
        """Fields and conditions of a stream's query."""
        if part == "User":
            return parse.USER_FIELDS, ()
        if part == "Group":
            return parse.QUEUE_FIELDS, (_QUEUES_ONLY,)
        if part == "CaseComment":
            return parse.COMMENT_FIELDS, ()
        if part == "ProcessInstance":
            about = stream.removesuffix(_APPROVALS)
            return parse.APPROVAL_FIELDS, (soql.compare("TargetObject.Type", "=", about),)
        return parse.record_fields(part, self._source.objects[part]), ()

    def _documents(self, stream: str, part: str, rows: Sequence[Row]) -> Iterator[_Document]:
        ids = [str(row["Id"]) for row in rows if row.get("Id")]
        if part in {"User", "Group", "CaseComment"}:
            for row in rows:
                yield _Document(row=row, payload={"record": row}, read=self._plain_reader(stream, part, row))
        elif part == "ProcessInstance":
            steps = related(self._org, parse.STEP_FIELDS, "ProcessInstanceStep", "ProcessInstanceId", ids)
            open_ids = [str(row["Id"]) for row in rows if row.get("Id") and not row.get("CompletedDate")]
            work = related(self._org, parse.WORKITEM_FIELDS, "ProcessInstanceWorkitem", "ProcessInstanceId", open_ids)
            sobject = stream.removesuffix(_APPROVALS)
            for row in rows:
                yield _approval(sobject, row, steps.get(str(row.get("Id")), []), work.get(str(row.get("Id")), []))
        else:
            mapping = self._source.objects[part]
            history = self._history(part, mapping, ids)
            for row in rows:
                yield _item(part, mapping, row, history.get(str(row.get("Id")), []))

    def _plain_reader(self, stream: str, part: str, row: Row) -> Callable[[Place], tuple[Observation, ...]]:
        if part == "User":
            ours = self._org.user
            return lambda place: parse.user(place, row, ours=ours)
        if part == "Group":
            return lambda place: parse.queue(place, row)
        return lambda place: parse.comment(place, stream.removesuffix(_COMMENTS), row)

    def _history(self, sobject: str, mapping: SalesforceObject, ids: Sequence[str]) -> dict[str, list[Any]]:
        names = parse.history_names(mapping)
        if not names:
            return {}
        history, parent = parse.history_of(sobject)
        fields = ("Id", parent, "Field", "OldValue", "NewValue", "CreatedById", "CreatedDate")
        return related(self._org, fields, history, parent, ids, soql.within("Field", names))

    def _page(
        self, stream: str, documents: Iterator[_Document], cursor: str | None, *, now: datetime, total: int | None
    ) -> Page:
        records: list[RawRecord] = []
        observations: list[Observation] = []
        quarantined: list[Quarantined] = []
        for document in documents:
            native_id = str(document.row.get("Id") or "")
            raw = RawRecord(
                source=self._name,
                stream=stream,
                native_id=native_id,
                version=str(document.row.get("SystemModstamp") or ""),
                payload=orjson.dumps(document.payload, option=orjson.OPT_SORT_KEYS),
                fetched_at=now,
            )
            place = Place(source=self._name, instance=self._org.instance, raw=raw.digest)
            try:
                observations += document.read(place)
            except Unreadable as error:
                quarantined.append(
                    Quarantined(
                        source=self._name,
                        stream=stream,
                        native_id=native_id,
                        reason=str(error),
                        payload=raw.payload,
                    )
                )
            else:
                records.append(raw)
        return Page(
            records=tuple(records),
            observations=tuple(observations),
            quarantined=tuple(quarantined),
            cursor=cursor,
            total=total,
        )


def _instant_or_none(text: str | None) -> datetime | None:
    """The time a cursor of deletions holds; anything else means: as far back as the org remembers."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo else None


def _item(sobject: str, mapping: SalesforceObject, row: Row, history: list[Any]) -> _Document:
    return _Document(
        row=row,
        payload={"record": row, "history": history},
        read=lambda place: parse.item(place, sobject, mapping, row, history),
    )


def _approval(sobject: str, row: Row, steps: list[Any], workitems: list[Any]) -> _Document:
    return _Document(
        row=row,
        payload={"record": row, "steps": steps, "workitems": workitems},
        read=lambda place: parse.approval(place, sobject, row, steps, workitems),
    )
