"""Append one page: raw records, observations, quarantine and cursor in one transaction.

Numbers (`seq`) are given under the append lock, so their order is the order of commits: whoever has read up to
`head()` has missed nothing. Bulk rows go through the driver: executemany on SQLite; on PostgreSQL COPY into a
temporary stage and one INSERT … SELECT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from hub.domain.records import Observation, Page, Quarantined
from hub.errors import InternalFault
from hub.ledger import append_postgresql, append_sqlite
from hub.ledger.engine import Database, driver
from hub.ledger.in_force import Said
from hub.ledger.schema import cursor, quarantine
from hub.ledger.upsert import upsert
from hub.ledger.values import all_storable, micros, optional_storable, storable

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What one page added: records in the page, records and observations that the ledger did not hold."""

    records: int
    new_records: int
    new_observations: int


def append(database: Database, run: str, stream: str, source: str, page: Page, recorded_at: datetime) -> Appended:
    """Store the page and its cursor, all or nothing; appending the same page again adds nothing.

    Raises Refused when the database is busy or away, InternalFault for a cursor that text cannot hold.
    """
    if page.cursor is not None and not all_storable((page.cursor,)):
        raise InternalFault(f"the cursor of {source}/{stream} holds characters a database cannot keep")
    now = micros(recorded_at)
    # Rows are built before the transaction begins: the lock is held for the database's work only.
    records = _record_rows(page, run, now)
    firm, snapshots = _observation_rows(page.observations, now)
    said = [Said((r[1], r[2], r[3], r[5], r[4]), r[7], r[6]) for r in snapshots]
    side = append_postgresql if database.postgresql else append_sqlite
    with database.write("append") as connection:
        raw = driver(connection)
        new_records = side.add_records(raw, records)
        new_observations = side.add_observations(raw, firm, snapshots, said)
        _settle_quarantine(connection, source, stream, page, now)
        if page.cursor is not None:
            row = {
                "source": source,
                "stream": stream,
                "position": page.cursor,
                "run": run,
                "updated_at": now,
            }
            upsert(connection, cursor, [row])
    return Appended(records=len(page.records), new_records=new_records, new_observations=new_observations)


def position(database: Database, source: str, stream: str) -> str | None:
    """Where the next pull of the stream starts; None: from the beginning."""
    with database.read() as connection:
        return connection.execute(
            select(cursor.c.position).where(cursor.c.source == source, cursor.c.stream == stream)
        ).scalar()


def forget_position(database: Database, source: str, stream: str) -> None:
    """Let the next pull of the stream start from the beginning."""
    with database.write() as connection:
        connection.execute(delete(cursor).where(cursor.c.source == source, cursor.c.stream == stream))


def quarantined(database: Database) -> tuple[Quarantined, ...]:
    """Records that still cannot be read, by source, stream and native id."""
    columns = quarantine.c
    query = (
        select(columns.source, columns.stream, columns.native_id, columns.reason, columns.payload)
        .where(columns.resolved_at.is_(None))
        .order_by(columns.source, columns.stream, columns.native_id)
    )
    with database.read() as connection:
        return tuple(
            Quarantined(source=s, stream=t, native_id=n, reason=r, payload=bytes(p))
            for s, t, n, r, p in connection.execute(query)
        )


def _record_rows(page: Page, run: str, now: int) -> list[Row]:
    rows: dict[str, Row] = {}
    for record in page.records:
        digest = record.digest
        rows[digest] = (
            digest, record.source, record.stream, storable(record.native_id), storable(record.version),
            record.payload, micros(record.fetched_at), run, now,
        )  # fmt: skip
    return list(rows.values())


def _observation_rows(observations: Sequence[Observation], now: int) -> tuple[list[Row], list[Row]]:
    """Rows of statements about a moment, and of snapshots; columns as in `append_*.OBSERVATION`."""
    firm: list[Row] = []
    snapshots: list[Row] = []
    keys: set[str] = set()
    for o in observations:
        key = o.key
        if key in keys:
            continue
        keys.add(key)
        row = (
            bytes.fromhex(key), o.source, o.entity, o.record, o.part, o.field, o.value,
            micros(o.valid_from), o.origin, o.actor, o.raw, o.evidence, now,
        )  # fmt: skip
        (snapshots if o.origin == "snapshot" else firm).append(row)
    if not _rows_storable(firm) or not _rows_storable(snapshots):
        return [_storable_row(r) for r in firm], [_storable_row(r) for r in snapshots]
    return firm, snapshots


def _rows_storable(rows: Sequence[Row]) -> bool:
    return all(all_storable(r[column] or "" for r in rows) for column in (3, 4, 6, 9, 11))


def _storable_row(row: Row) -> Row:
    key, source, entity, record, part, field, value, valid_from, origin, actor, raw, evidence, now = row
    return (
        key, source, entity, storable(record), storable(part), field, optional_storable(value), valid_from,
        origin, optional_storable(actor), raw, storable(evidence), now,
    )  # fmt: skip


def _settle_quarantine(connection: Connection, source: str, stream: str, page: Page, now: int) -> None:
    if page.records:
        unread = {q.native_id for q in page.quarantined}
        parsed = {storable(r.native_id) for r in page.records if r.native_id not in unread}
        open_ids = connection.execute(
            select(quarantine.c.native_id).where(
                quarantine.c.source == source,
                quarantine.c.stream == stream,
                quarantine.c.resolved_at.is_(None),
            )
        ).scalars()
        healed = [{"healed": native_id} for native_id in open_ids if native_id in parsed]
        if healed:
            connection.execute(
                update(quarantine)
                .where(
                    quarantine.c.source == source,
                    quarantine.c.stream == stream,
                    quarantine.c.native_id == bindparam("healed"),
                )
                .values(resolved_at=now),
                healed,
            )
    if page.quarantined:
        rows = [
            {
                "source": q.source,
                "stream": q.stream,
                "native_id": storable(q.native_id),
                "reason": storable(q.reason),
                "payload": q.payload,
                "first_at": now,
                "last_at": now,
                "resolved_at": None,
            }
            for q in page.quarantined
        ]
        upsert(connection, quarantine, rows, keep=("first_at",))
