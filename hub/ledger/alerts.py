"""The outbox of alerts: one thread per key, each turn of it told once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from hub.ledger.engine import Database
from hub.ledger.schema import delivery
from hub.ledger.values import micros, moment, storable, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message that waits to go out. `attempts` counts the failures so far, `detail` is the last one."""

    id: int
    key: str
    kind: str
    payload: dict[str, Any]
    queued_at: datetime
    attempts: int = 0
    detail: str = ""


def queue(database: Database, key: str, kind: str, payload: Mapping[str, Any], now: datetime) -> bool:
    """Queue the next turn of a thread; False when its latest turn is this `kind` already.

    Only the latest counts: a case that is resolved, reopened and resolved again is told each time.
    """
    latest = select(delivery.c.kind).where(delivery.c.key == key).order_by(delivery.c.id.desc()).limit(1)
    with database.write("alerts") as connection:
        if connection.execute(latest).scalar() == kind:
            return False
        connection.execute(
            insert(delivery).values(
                key=key, kind=kind, payload=to_json(payload), queued_at=micros(now), attempts=0, detail=""
            )
        )
    return True


def pending(database: Database) -> tuple[Delivery, ...]:
    """Deliveries not yet made, oldest first."""
    query = select(delivery).where(delivery.c.delivered_at.is_(None)).order_by(delivery.c.id)
    with database.read() as connection:
        return tuple(
            Delivery(
                id=row.id,
                key=row.key,
                kind=row.kind,
                payload=json.loads(row.payload),
                queued_at=moment(row.queued_at),
                attempts=row.attempts,
                detail=row.detail,
            )
            for row in connection.execute(query)
        )


def delivered(database: Database, delivery_id: int, now: datetime, detail: str) -> None:
    """The message went out; `detail` says by which way."""
    _mark(database, delivery_id, now, detail, delivered_at=micros(now))


def failed(database: Database, delivery_id: int, now: datetime, detail: str) -> None:
    """The message did not go out; it stays pending, with one attempt more."""
    _mark(database, delivery_id, now, detail, attempts=delivery.c.attempts + 1)


def _mark(database: Database, delivery_id: int, now: datetime, detail: str, **values: Any) -> None:
    with database.write("alerts") as connection:
        connection.execute(
            update(delivery)
            .where(delivery.c.id == delivery_id)
            .values(attempted_at=micros(now), detail=storable(detail), **values)
        )
