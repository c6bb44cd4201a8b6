"""Runs and their receipts."""

from __future__ import annotations

import json
import secrets
from datetime import datetime

from sqlalchemy import func, insert, select, update

from hub.domain.records import Receipt
from hub.ledger.engine import Database
from hub.ledger.schema import receipt, run
from hub.ledger.values import micros, moment, storable, to_json

_TIMES = ("started_at", "finished_at")
_TEXTS = ("error", "hint")
_FIELDS = (
    "source", "stream", "started_at", "finished_at", "pages", "records", "new_records", "new_observations",
    "quarantined", "calls", "source_count", "ledger_count", "error", "hint",
)  # fmt: skip


def start_run(database: Database, kind: str, now: datetime) -> str:
    """A new run's id; it sorts by time and never repeats."""
    name = f"{kind}-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    with database.write() as connection:
        connection.execute(insert(run).values(id=name, kind=kind, started_at=micros(now)))
    return name


def finish_run(database: Database, name: str, now: datetime, outcome: str) -> None:
    """Close a run with what became of it."""
    with database.write() as connection:
        connection.execute(
            update(run).where(run.c.id == name).values(finished_at=micros(now), outcome=storable(outcome))
        )


def add_receipt(database: Database, name: str, done: Receipt) -> None:
    """Keep what one pull of one stream did."""
    row = {field: getattr(done, field) for field in _FIELDS}
    row |= {field: micros(row[field]) for field in _TIMES} | {field: storable(row[field]) for field in _TEXTS}
    row["missing"] = to_json(done.missing)
    with database.write() as connection:
        connection.execute(insert(receipt).values(run=name, **row))


def receipts(database: Database, name: str | None, limit: int) -> tuple[Receipt, ...]:
    """Receipts of one run in the order they came, or (None) the latest of every source and stream."""
    columns = [receipt.c[field] for field in (*_FIELDS, "missing")]
    if name is not None:
        query = select(*columns).where(receipt.c.run == name).order_by(receipt.c.seq)
    else:
        latest = select(func.max(receipt.c.seq)).group_by(receipt.c.source, receipt.c.stream)
        query = select(*columns).where(receipt.c.seq.in_(latest)).order_by(receipt.c.source, receipt.c.stream)
    with database.read() as connection:
        rows = connection.execute(query.limit(limit)).mappings().all()
    return tuple(
        Receipt(
            **{**row, **{field: moment(row[field]) for field in _TIMES}, "missing": tuple(json.loads(row["missing"]))}
        )
        for row in rows
    )
