"""Bulk rows into PostgreSQL, inside the caller's transaction and under its append lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from hub.ledger.in_force import InForce, Said, worth_keeping

_RECORD = ("digest", "source", "stream", "native_id", "version", "payload", "fetched_at", "run", "recorded_at")
_RECORD_TYPES = ("text", "text", "text", "text", "text", "bytea", "int8", "text", "int8")
_OBSERVATION = (
    "key", "source", "entity", "record", "part", "field", "value", "valid_from", "origin", "actor", "raw",
    "evidence", "recorded_at",
)  # fmt: skip
_OBSERVATION_TYPES = (
    "bytea", "text", "text", "text", "text", "text", "text", "int8", "text", "text", "text", "text", "int8",
)  # fmt: skip
# OFFSET 0 keeps the planner from turning the look-up by key into a join that scans the whole table.
_NEW_RECORDS = f"""
INSERT INTO raw_record ({", ".join(_RECORD)})
SELECT {", ".join(_RECORD)} FROM stage_raw_record s
WHERE NOT EXISTS (SELECT 1 FROM raw_record r WHERE r.digest = s.digest OFFSET 0) ORDER BY n
"""
_NEW_OBSERVATIONS = f"""
INSERT INTO observation (seq, {", ".join(_OBSERVATION)})
SELECT (SELECT coalesce(max(seq), 0) FROM observation) + row_number() OVER (ORDER BY n),
       {", ".join(_OBSERVATION)}
FROM stage_observation s
WHERE n BETWEEN %s AND %s AND NOT EXISTS (SELECT 1 FROM observation o WHERE o.key = s.key OFFSET 0)
"""
_DROP = "DELETE FROM stage_observation s USING unnest(%s::int8[]) AS repeated (n) WHERE s.n = repeated.n"
_IN_FORCE = """
SELECT s.n - %s, f.valid_from, f.origin, f.value
FROM stage_observation s
CROSS JOIN LATERAL (
  SELECT o.valid_from, o.origin, o.value FROM observation o
  WHERE o.source = s.source AND o.entity = s.entity AND o.record = s.record AND o.field = s.field
    AND o.part = s.part AND o.valid_from <= s.valid_from
  ORDER BY o.valid_from DESC,
           CASE o.origin WHEN 'history' THEN 2 WHEN 'event' THEN 1 ELSE 0 END DESC, o.seq DESC
  LIMIT 1) f
WHERE s.n >= %s
"""

Connection = psycopg.Connection[Any]


def add_records(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
    """How many raw records were new."""
    if not rows:
        return 0
    _stage(connection, "stage_raw_record", _RECORD, _RECORD_TYPES, rows)
    return connection.execute(_NEW_RECORDS).rowcount


def add_observations(
    connection: Connection,
    firm: Sequence[tuple[Any, ...]],
    snapshots: Sequence[tuple[Any, ...]],
    said: Sequence[Said],
) -> int:
    """How many observations were new. Rows: the columns of `_OBSERVATION`, no key twice; `said` is what each
    of the snapshots says."""
    if not firm and not snapshots:
        return 0
    _stage(connection, "stage_observation", _OBSERVATION, _OBSERVATION_TYPES, [*firm, *snapshots])
    first = len(firm)
    last = first + len(snapshots) - 1
    added = connection.execute(_NEW_OBSERVATIONS, (0, first - 1)).rowcount if firm else 0
    if not snapshots:
        return added
    in_force = {
        n: InForce(valid_from, origin == "snapshot", value)
        for n, valid_from, origin, value in connection.execute(_IN_FORCE, (first, first))
    }
    kept = worth_keeping(said, in_force)
    if not kept:
        return added
    if len(kept) < len(snapshots):
        connection.execute(_DROP, (sorted(first + n for n in set(range(len(snapshots))) - set(kept)),))
    return added + connection.execute(_NEW_OBSERVATIONS, (first, last)).rowcount


def _stage(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Rows numbered from 0 in a table of this session that is empty again after the transaction."""
    defined = ", ".join(f"{name} {kind}" for name, kind in zip(columns, types, strict=True))
    connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} (n int8, {defined}) ON COMMIT DELETE ROWS")
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} (n, {', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(["int8", *types])
        for n, row in enumerate(rows):
            copy.write_row((n, *row))
