"""Which records of a stream the ledger holds, and what is known to have become of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import func, literal, select

from hub.ledger.engine import Database
from hub.ledger.schema import observation, quarantine, raw_record
from hub.ledger.values import moment

_SOME = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """The latest word about one record: `value` as in presence observations, `at` its time (UTC)."""

    value: str
    at: datetime

    @property
    def gone(self) -> bool:
        """Whether the record is no longer there, or no longer ours to see."""
        return self.value != "present"


def presences(database: Database, source: str) -> Mapping[str, Presence]:
    """Everything ever said about the presence of records of a source, the latest word each."""
    columns = observation.c
    # Written out and not bound: only then do the databases see that the small index serves.
    about = columns.field == literal("presence", literal_execute=True)
    query = (
        select(columns.record, columns.value, columns.valid_from)
        .where(columns.source == source, about)
        .order_by(columns.valid_from, columns.seq)
    )
    with database.read() as connection:
        return {
            row.record: Presence(value=row.value, at=moment(row.valid_from)) for row in connection.execute(query).all()
        }


def held_ids(database: Database, source: str, stream: str) -> set[str]:
    """Native ids of all records the ledger holds of the stream, gone ones too."""
    query = select(raw_record.c.native_id.distinct()).where(
        raw_record.c.source == source, raw_record.c.stream == stream
    )
    with database.read() as connection:
        return set(connection.execute(query).scalars())


def held_among(database: Database, source: str, stream: str, ids: Iterable[str]) -> set[str]:
    """Which of these native ids the ledger holds a record of the stream for."""
    columns = raw_record.c
    found: set[str] = set()
    with database.read() as connection:
        for some in _batches(ids):
            query = select(columns.native_id.distinct()).where(
                columns.source == source, columns.stream == stream, columns.native_id.in_(some)
            )
            found.update(connection.execute(query).scalars())
    return found


def unread_ids(database: Database, source: str, stream: str) -> set[str]:
    """Native ids of the records of the stream that are in quarantine."""
    columns = quarantine.c
    query = select(columns.native_id).where(
        columns.source == source, columns.stream == stream, columns.resolved_at.is_(None)
    )
    with database.read() as connection:
        return set(connection.execute(query).scalars())


def accounts_among(database: Database, source: str, records: Iterable[str]) -> set[str]:
    """Which of these records are accounts."""
    columns = observation.c
    found: set[str] = set()
    with database.read() as connection:
        for some in _batches(records):
            query = select(columns.record.distinct()).where(
                columns.source == source, columns.entity == "account", columns.record.in_(some)
            )
            found.update(connection.execute(query).scalars())
    return found


def record_count(database: Database, source: str, stream: str) -> int:
    """How many different records of the stream the ledger holds and none has found gone."""
    query = select(func.count(raw_record.c.native_id.distinct())).where(
        raw_record.c.source == source, raw_record.c.stream == stream
    )
    with database.read() as connection:
        held = int(connection.execute(query).scalar_one())
    gone = (record for record, last in presences(database, source).items() if last.gone)
    return held - len(held_among(database, source, stream, gone))


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    wanted = iter(dict.fromkeys(ids))
    while some := list(islice(wanted, _SOME)):
        yield some
