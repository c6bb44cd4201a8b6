"""INSERT … ON CONFLICT for both databases (their statements differ in name only)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, keep: Collection[str] = ()
) -> None:
    """Insert rows; where the primary key is taken, replace every other column but those in `keep`."""
    statement = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    fresh = {name: statement.excluded[name] for name in rows[0] if name not in keys and name not in keep}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=fresh), list(rows))


def insert_once(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert unless a unique column is taken; whether it was inserted."""
    statement = _insert(connection, table).on_conflict_do_nothing()
    # SQLAlchemy keeps the count of an INSERT only when it is asked to.
    done = connection.execute(statement, dict(row), execution_options={"preserve_rowcount": True})
    return done.rowcount == 1


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
