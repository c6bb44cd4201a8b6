"""What reconciliation made of the observations: a cache, replaced as a whole.

Tables are kept as compressed Arrow streams in parts, not as rows: they are read and written whole, and may be
dropped and made again from the observations at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa
from sqlalchemy import delete, insert, select

from hub.errors import InternalFault
from hub.ledger.engine import Database
from hub.ledger.schema import derived
from hub.ledger.values import micros

_TEXT = pa.string()
_TIME = pa.timestamp("us", tz="UTC")


def _schema(texts: str, **others: pa.DataType) -> pa.Schema:
    return pa.schema([(name, others.get(name, _TEXT)) for name in texts.split()])


#: Columns by table name; what `load` returns before the first reconciliation.
DERIVED: Mapping[str, pa.Schema] = {
    "identity": _schema("source account person how score", score=pa.float64()),
    "link": _schema("item source record how score evidence", score=pa.float64()),
    "work_item": _schema(
        "item title phase status open owner_person owner_reason owner_rule due partner records updated_at url",
        open=pa.bool_(), records=pa.int64(), updated_at=_TIME,
    ),
    "owner_claim": _schema(
        "item source record account person since actor won", since=_TIME, won=pa.bool_()
    ),
    "handoff": _schema(
        "item from_person to_person offered_at due_at accepted_at how returned",
        offered_at=_TIME, due_at=_TIME, accepted_at=_TIME, returned=pa.bool_(),
    ),
    "correction": _schema("source record item title expected desired person reason findings url"),
}  # fmt: skip

# Rows in one part: keeps a part far below the size limit of a value on either database.
_PART = 100_000


def store(database: Database, run: str, tables: Mapping[str, pa.Table], now: datetime) -> None:
    """Replace all derived tables by these, in one transaction; a table that is not given becomes empty.

    Raises InternalFault for an unknown name or a missing column.
    """
    at = micros(now)
    rows = []
    for name, table in tables.items():
        missing = set(_known(name).names) - set(table.column_names)
        if missing:
            raise InternalFault(f"derived table {name} lacks {', '.join(sorted(missing))}")
        rows += [
            {"name": name, "part": part, "run": run, "at": at, "body": body} for part, body in enumerate(_parts(table))
        ]
    with database.write("findings") as connection:
        connection.execute(delete(derived))
        for row in rows:
            connection.execute(insert(derived), row)


def load(database: Database, name: str) -> pa.Table:
    """One derived table as it was stored; empty, with its columns, before the first reconciliation."""
    schema = _known(name)
    with database.read() as connection:
        bodies = connection.execute(
            select(derived.c.body).where(derived.c.name == name).order_by(derived.c.part)
        ).scalars()
        tables = [pa.ipc.open_stream(pa.py_buffer(bytes(body))).read_all() for body in bodies]
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _known(name: str) -> pa.Schema:
    schema = DERIVED.get(name)
    if schema is None:
        raise InternalFault(f"no derived table is called {name!r}")
    return schema


def _parts(table: pa.Table) -> list[bytes]:
    bodies = []
    for start in range(0, max(table.num_rows, 1), _PART):
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
            stream.write_table(table.slice(start, _PART))
        bodies.append(sink.getvalue().to_pybytes())
    return bodies
