"""Records that left the quarantine: why they had been there, and how they came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select, update

from hub.domain.records import Quarantined
from hub.ledger.engine import Database
from hub.ledger.schema import quarantine
from hub.ledger.values import storable

#: Stands between the reason a record was put aside for and the note of its release.
RELEASED = " | released: "


def note_released(database: Database, source: str, stream: str, ids: Sequence[str], note: str) -> int:
    """Add a note to records that have left the quarantine and carry none yet; how many got it.

    Records still in the quarantine are left as they are.
    """
    columns = quarantine.c
    place = (columns.source == source, columns.stream == stream, columns.resolved_at.is_not(None))
    with database.write() as connection:
        wanted = {storable(native_id) for native_id in ids}
        rows = connection.execute(select(columns.native_id, columns.reason).where(*place)).all()
        noted = [
            {"released": native_id, "noted": reason + RELEASED + storable(note)}
            for native_id, reason in rows
            if native_id in wanted and RELEASED not in reason
        ]
        if noted:
            statement = update(quarantine).where(*place, columns.native_id == bindparam("released"))
            connection.execute(statement.values(reason=bindparam("noted")), noted)
    return len(noted)


def hold_newer(database: Database, source: str, stream: str, read: Mapping[str, bytes]) -> frozenset[str]:
    """Put back records that left the quarantine although another payload than the one in `read` was held there.

    Gives their ids. A pull may have put a newer state aside while the older one was being read.
    """
    columns = quarantine.c
    place = (columns.source == source, columns.stream == stream, columns.resolved_at.is_not(None))
    newer: set[str] = set()
    with database.write() as connection:
        for native_id, payload in read.items():
            this = (*place, columns.native_id == storable(native_id), columns.payload != payload)
            if connection.execute(update(quarantine).where(*this).values(resolved_at=None)).rowcount:
                newer.add(native_id)
    return frozenset(newer)


def released(database: Database, limit: int) -> tuple[Quarantined, ...]:
    """The records that left the quarantine last, latest first; `reason` ends with the note, if there is one."""
    columns = quarantine.c
    query = (
        select(columns.source, columns.stream, columns.native_id, columns.reason, columns.payload)
        .where(columns.resolved_at.is_not(None))
        .order_by(columns.resolved_at.desc(), columns.source, columns.stream, columns.native_id)
        .limit(limit)
    )
    with database.read() as connection:
        return tuple(
            Quarantined(source=s, stream=t, native_id=n, reason=r, payload=bytes(p))
            for s, t, n, r, p in connection.execute(query)
        )
