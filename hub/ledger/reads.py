"""What reconciliation reads: observations as Arrow, raw records by digest."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

import pyarrow as pa
from sqlalchemy import func, select

from hub.domain.records import RawRecord
from hub.errors import Refused
from hub.ledger.engine import Database, driver
from hub.ledger.schema import observation, raw_record
from hub.ledger.values import micros, moment

_TIME = pa.timestamp("us", tz="UTC")
#: Columns of `observations` and `history`.
OBSERVATIONS = pa.schema(
    [
        ("seq", pa.int64()), ("source", pa.string()), ("entity", pa.string()), ("record", pa.string()),
        ("part", pa.string()), ("field", pa.string()), ("value", pa.string()), ("valid_from", _TIME),
        ("origin", pa.string()), ("actor", pa.string()), ("raw", pa.string()), ("evidence", pa.string()),
        ("recorded_at", _TIME),
    ]
)  # fmt: skip
_ENTITIES = ("item", "account")
# Rows at a time: as many as stay in the processor's cache while they become columns, and in one transaction.
_BATCH = 2_000
_RANGE = 50_000
_REFS = 200


def observations(database: Database, as_of: datetime | None = None) -> pa.Table:
    """Every observation, or those recorded up to `as_of` (UTC), in the order they were recorded."""
    return pa.Table.from_batches(observation_batches(database, OBSERVATIONS.names, as_of), OBSERVATIONS)


def observation_batches(
    database: Database, columns: Sequence[str], as_of: datetime | None = None
) -> Iterator[pa.RecordBatch]:
    """Some columns of the same observations, a few thousand rows at a time.

    What is appended after the first batch was asked for is not among them.
    """
    schema = pa.schema([OBSERVATIONS.field(name) for name in columns])
    limits = [] if as_of is None else [f"recorded_at <= {micros(as_of)}"]
    if database.postgresql:
        yield from _from_postgresql(database, _query(columns, limits), schema)
        return
    # Short transactions: nobody can append to SQLite while somebody reads.
    last = head(database)
    for first in range(1, last + 1, _RANGE):
        some = f"seq BETWEEN {first} AND {min(last, first + _RANGE - 1)}"
        yield from _from_sqlite(database, _query(columns, [some, *limits]), schema)


def history(database: Database, refs: Iterable[tuple[str, str]]) -> pa.Table:
    """The observations of these (source, record) pairs, in the order they were recorded."""
    wanted = iter(dict.fromkeys(refs))
    rows: list[tuple[Any, ...]] = []
    mark = "%s" if database.postgresql else "?"
    columns = ", ".join(f"o.{name}" for name in OBSERVATIONS.names)
    with database.read() as connection:
        raw = driver(connection)
        while some := list(islice(wanted, _REFS)):
            # The index leads with source, entity, record: naming every entity makes all three usable.
            keys = [(source, entity, record) for source, record in some for entity in _ENTITIES]
            places = ", ".join([f"({mark}, {mark}, {mark})"] * len(keys))
            # A join in this order and not IN (VALUES …), for which SQLite would read the whole table.
            query = (
                f"SELECT {columns} FROM (VALUES {places}) AS wanted CROSS JOIN observation o WHERE "
                "o.source = wanted.column1 AND o.entity = wanted.column2 AND o.record = wanted.column3"
            )
            rows.extend(raw.execute(query, [text for key in keys for text in key]).fetchall())
    rows.sort()
    return pa.Table.from_batches([_batch(rows, OBSERVATIONS)], OBSERVATIONS)


def raw(database: Database, digest: str) -> RawRecord | None:
    """The record as it was received."""
    columns = raw_record.c
    query = select(
        columns.source, columns.stream, columns.native_id, columns.version, columns.payload, columns.fetched_at
    ).where(columns.digest == digest)
    with database.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    return RawRecord(
        source=row.source,
        stream=row.stream,
        native_id=row.native_id,
        version=row.version,
        payload=bytes(row.payload),
        fetched_at=moment(row.fetched_at),
    )


def records_known_as(database: Database, token: str) -> tuple[tuple[str, str], ...]:
    """The (source, record) pairs of items whose record id is `token` or that carry it as an identifier."""
    columns = observation.c
    named = {token, token.upper()}
    query = (
        select(columns.source, columns.record)
        .where(
            columns.entity == "item",
            (columns.record == token) | ((columns.field == "identifier") & columns.value.in_(named)),
        )
        .distinct()
        .order_by(columns.source, columns.record)
    )
    with database.read() as connection:
        return tuple((row.source, row.record) for row in connection.execute(query))


def head(database: Database) -> int:
    """The highest observation number, 0 for an empty ledger."""
    with database.read() as connection:
        return int(connection.execute(select(func.coalesce(func.max(observation.c.seq), 0))).scalar_one())


def _query(columns: Sequence[str], limits: Sequence[str]) -> str:
    where = f" WHERE {' AND '.join(limits)}" if limits else ""
    return f"SELECT {', '.join(columns)} FROM observation{where} ORDER BY seq"


def _from_postgresql(database: Database, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    # Imported here: the driver is a large library that an SQLite installation never needs.
    from adbc_driver_postgresql import dbapi

    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with dbapi.connect(address) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            for batch in cursor.fetch_record_batch():
                yield batch.cast(schema)
    except dbapi.Error as error:
        raise Refused(
            "the ledger cannot be read right now: its PostgreSQL server does not answer as expected",
            hint="the server is away or busy; try again",
        ) from error


def _from_sqlite(database: Database, query: str, schema: pa.Schema) -> list[pa.RecordBatch]:
    with database.read() as connection, _collector_paused():
        cursor = driver(connection).execute(query)
        return [_batch(rows, schema) for rows in iter(lambda: cursor.fetchmany(_BATCH), [])]


def _batch(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = []
    for values, field in zip(columns, schema, strict=True):
        if field.type == _TIME:
            arrays.append(pa.array(values, pa.int64()).cast(_TIME))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Millions of short-lived tuples, none in a cycle: looking for cycles would take a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
