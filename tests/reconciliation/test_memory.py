"""What one reconciliation keeps in memory: only what a later step still reads."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from reconciliation import current
from reconciliation.engine import Engine
from reconciliation.run import reconcile

SCHEMA = pa.schema([("n", pa.int64())])


def test_a_result_nobody_reads_any_more_is_dropped_at_the_next_step() -> None:
    with Engine() as engine:
        first = engine.fill(SCHEMA, iter([pa.table({"n": [1, 2]}), pa.table({"n": [3]})]))
        second = engine.keep(first.filter(first.n > 1))
        name = first.get_name().rsplit(".", 1)[-1]
        reading = first.aggregate(rows=first.count())
        del first
        gc.collect()
        third = engine.keep(second)
        assert name in _held(engine)
        assert engine.read(reading).to_pylist() == [{"rows": 3}]

        del reading
        gc.collect()
        engine.keep(third)
        assert name not in _held(engine)
        assert engine.count(second) == 2


def test_batches_read_once_say_the_same_as_a_table(
    statements: Callable[[str], pa.Table], agreed: Callable[..., Any], monkeypatch: Any
) -> None:
    table = statements(
        """
        09-01 09:00 jira A1 title "Landing page"
        09-01 09:00 jira A1 owner ada ada
        09-01 09:05 sf   A2 title "Landing page"
        09-01 09:05 sf   A2 owner bob ada
        """
    )
    as_of = datetime(2026, 9, 30, 12, tzinfo=UTC)
    monkeypatch.setattr(current, "_PART", 2)
    whole = reconcile(table, agreed(), as_of=as_of)
    batches = reconcile(iter(table.to_batches(max_chunksize=1)), agreed(), as_of=as_of)
    for field in fields(whole):
        assert getattr(batches, field.name) == getattr(whole, field.name)
    assert whole.finding.num_rows > 0


def _held(engine: Engine) -> set[str]:
    # Which tables DuckDB holds is nothing a caller of the engine needs to know.
    rows = engine._connection.raw_sql("SELECT table_name FROM duckdb_tables()").fetchall()
    return {name for (name,) in rows}
