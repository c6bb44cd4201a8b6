"""Bulk rows into SQLite, inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from hub.ledger.in_force import InForce, Said, worth_keeping

_RECORD = """
INSERT INTO raw_record (digest, source, stream, native_id, version, payload, fetched_at, run, recorded_at)
VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING
"""
_OBSERVATION = """
INSERT INTO observation (key, source, entity, record, part, field, value, valid_from, origin, actor, raw,
                         evidence, recorded_at)
VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING
"""
_STAGE = """
CREATE TEMP TABLE IF NOT EXISTS page_snapshot (
  n INTEGER PRIMARY KEY, source TEXT, entity TEXT, record TEXT, field TEXT, part TEXT, valid_from INTEGER)
"""
# One statement for the page; for each snapshot the index gives the newest statement at its moment.
_IN_FORCE = """
SELECT s.n, o.valid_from, o.origin, o.value
FROM page_snapshot s CROSS JOIN observation o
WHERE o.seq = (
  SELECT c.seq FROM observation c
  WHERE c.source = s.source AND c.entity = s.entity AND c.record = s.record AND c.field = s.field
    AND c.part = s.part AND c.valid_from <= s.valid_from
  ORDER BY c.valid_from DESC,
           CASE c.origin WHEN 'history' THEN 2 WHEN 'event' THEN 1 ELSE 0 END DESC, c.seq DESC
  LIMIT 1)
"""


def add_records(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> int:
    """How many raw records were new."""
    return _insert(connection, _RECORD, rows)


def add_observations(
    connection: sqlite3.Connection,
    firm: Sequence[tuple[Any, ...]],
    snapshots: Sequence[tuple[Any, ...]],
    said: Sequence[Said],
) -> int:
    """How many observations were new. Rows: key, source, entity, record, part, field, value, valid_from,
    origin, actor, raw, evidence, recorded_at, no key twice; `said` is what each of the snapshots says."""
    added = _insert(connection, _OBSERVATION, firm)
    if not snapshots:
        return added
    kept = worth_keeping(said, _values_in_force(connection, said))
    return added + _insert(connection, _OBSERVATION, [snapshots[n] for n in kept])


def _values_in_force(connection: sqlite3.Connection, said: Sequence[Said]) -> dict[int, InForce]:
    """By position in `said`: what the ledger holds in force at that moment, where it holds anything."""
    connection.execute(_STAGE)
    connection.execute("DELETE FROM page_snapshot")
    connection.executemany(
        "INSERT INTO page_snapshot VALUES (?,?,?,?,?,?,?)",
        ((n, *s.subject, s.valid_from) for n, s in enumerate(said)),
    )
    return {
        n: InForce(valid_from, origin == "snapshot", value)
        for n, valid_from, origin, value in connection.execute(_IN_FORCE)
    }


def _insert(connection: sqlite3.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    before = connection.total_changes
    connection.executemany(statement, rows)
    return connection.total_changes - before
